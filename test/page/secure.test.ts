/** The page as people on other hosts have it: over TLS, with a token or a certificate. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { makeAuthority } from '../support/certificate.ts';
import { IN_LAB } from '../support/host.ts';
import { startMarathon, type TestMarathon } from '../support/marathon/start-marathon.ts';
import { openBrowser, Tab } from './browser.ts';
import { openHost, type PageHost, TOKEN } from './host.ts';

const READ_TOKEN = 'what-lets-one-read-here';

// The lab's browser is a hundred times slower; what it shows there is another file's matter.
const outside = IN_LAB ? describe.skip : describe;

outside('beyond this host', () => {
  const directory = mkdtempSync(join(tmpdir(), 'marathon-ipvs-secure-'));
  const authority = makeAuthority(directory, 'ours');
  const server = authority.sign('server');
  const client = authority.sign('client');
  const tokenFile = join(directory, 'read-token');
  let marathon: TestMarathon;
  let browser: Browser;
  let host: PageHost;
  let url: string;
  let tab: Tab;

  beforeAll(async () => {
    writeFileSync(tokenFile, READ_TOKEN);
    marathon = await startMarathon({ agents: [{ hostname: '10.9.0.1' }], processes: false });
    await marathon.addApp({
      id: '/my-service',
      cmd: 'sleep 1000',
      instances: 1,
      portDefinitions: [{ port: 5555, labels: { VIP_0: '/my-service:5555' } }],
    });
    host = await openHost(marathon.url, {
      environment: {
        MARATHON_IPVS_LISTEN: '0.0.0.0:0',
        MARATHON_IPVS_TLS_CERT_FILE: server.certFile,
        MARATHON_IPVS_TLS_KEY_FILE: server.keyFile,
        MARATHON_IPVS_TLS_CLIENT_CA_FILE: authority.caFile,
        MARATHON_IPVS_READ_TOKEN_FILE: tokenFile,
      },
    });
    url = host.url.replace('0.0.0.0', '127.0.0.1');
    browser = await openBrowser();
  });
  afterEach(async () => {
    await tab.close();
    expect(tab.complaints).toEqual([]);
  });
  afterAll(async () => {
    await browser.close();
    await host.close();
    await marathon.close();
    rmSync(directory, { recursive: true });
  });

  const services = () => tab.page.getByRole('link', { name: /^my-service/ });

  async function enter(token: string): Promise<void> {
    await tab.page.getByLabel('Read token').fill(token);
    await tab.page.getByRole('button', { name: 'Enter' }).click();
  }

  test('the page prompts for the token, rejects a wrong one, and then is live', async () => {
    tab = await Tab.open(browser, url);
    await tab.go('#/services');
    await tab.page.getByRole('status').getByText('Access denied').waitFor();
    expect(await services().count()).toBe(0);
    await tab.shoot('entrance');
    await enter('a-token-that-is-wrong');
    await tab.page
      .getByRole('alert')
      .getByText(/^The controller does not accept this token: /)
      .waitFor();
    await enter(READ_TOKEN);
    await services().waitFor();
    await tab.page.getByRole('status').getByText('Live').waitFor();
    // What is asked for besides events carries it, too.
    await tab.go('#/diff');
    await tab.page.getByText('as desired').first().waitFor();
    await tab.go('#/services');
    await tab.page.reload();
    await services().waitFor();
    // It stays in this tab, and out of every URL.
    expect(tab.page.url()).not.toContain(READ_TOKEN);
    expect(await tab.page.evaluate('document.cookie + JSON.stringify(localStorage)')).not.toContain(
      READ_TOKEN,
    );
  });

  test('writing prompts for the other token', async () => {
    tab = await Tab.open(browser, url);
    await tab.go('#/apps');
    await enter(READ_TOKEN);
    await tab.page.getByLabel('Token', { exact: true }).fill(TOKEN);
    await tab.page.getByRole('button', { name: 'Use', exact: true }).click();
    await tab.page.getByRole('link', { name: '/my-service' }).waitFor();
  });

  test('a browser with a certificate is not prompted for a token, not even for writing', async () => {
    tab = await Tab.open(browser, url, {
      certificate: { certPath: client.certFile, keyPath: client.keyFile },
    });
    await tab.go('#/services');
    await services().waitFor();
    await tab.go('#/apps');
    await tab.page.getByRole('link', { name: '/my-service' }).waitFor();
    expect(await tab.page.getByLabel(/token/i).count()).toBe(0);
  });

  test('after the token has changed, the page prompts for it again', async () => {
    tab = await Tab.open(browser, url);
    await tab.go('#/services');
    await enter(READ_TOKEN);
    await services().waitFor();
    writeFileSync(tokenFile, 'another-token-for-reading');
    await tab.page
      .getByRole('alert')
      .getByText(/^The controller does not accept this token: /)
      .waitFor();
    expect(await services().count()).toBe(0);
    await enter('another-token-for-reading');
    await services().waitFor();
    writeFileSync(tokenFile, READ_TOKEN);
  });
});
