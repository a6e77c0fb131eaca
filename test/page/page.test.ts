/** The page in a real browser, on the real controller and the test Marathon. */

import { once } from 'node:events';
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { IN_LAB, shell } from '../support/host.ts';
import { startMarathon, type TestMarathon } from '../support/marathon/start-marathon.ts';
import { openBrowser, Tab } from './browser.ts';
import { openHost, type PageHost, TOKEN } from './host.ts';

const AGENT = '10.9.0.1';
const inLab = IN_LAB ? test : test.skip;
let marathon: TestMarathon;
let host: PageHost;
let browser: Browser;
let tab: Tab;

beforeAll(async () => {
  if (IN_LAB) {
    await shell(`ip link add agent type dummy && ip addr add ${AGENT}/24 dev agent && ip link set agent up`);
  }
  marathon = await startMarathon({ agents: [{ hostname: AGENT }], processes: false, startMs: 500 });
  host = await openHost(marathon.url);
  browser = await openBrowser();
});
afterEach(async () => {
  await tab.close();
  // No error, no script that the policy refused, no other host.
  expect(tab.complaints).toEqual([]);
});
afterAll(async () => {
  await browser?.close();
  await host?.close();
  await marathon?.close();
  if (IN_LAB) await shell('ip link del agent');
});

/** Asks by a new connection ten times a second, for as long as nobody stops it; then tells what failed. */
function keepAsking(url: string): { stop(): Promise<readonly string[]> } {
  const failures: string[] = [];
  let stopped = false;
  const asking = (async () => {
    while (!stopped) {
      const failed = (error: unknown) => failures.push(String(error));
      await fetch(url, { headers: { connection: 'close' } }).then((answer) => answer.text(), failed);
      await sleep(100);
    }
  })();
  return {
    async stop() {
      stopped = true;
      await asking;
      return failures;
    },
  };
}

async function enterToken(): Promise<void> {
  await tab.page.getByLabel('Token').fill(TOKEN);
  await tab.page.getByRole('button', { name: 'Use', exact: true }).click();
}

describe('a service', () => {
  test('is created with the form, comes into rotation, is edited, and is removed', async () => {
    tab = await Tab.open(browser, host.url);
    const { page } = tab;
    await tab.go('#/new');
    await enterToken();
    await page.getByLabel('Service ID').fill('/my-service');
    await page.getByLabel('Command').fill('sleep 1000');
    await page.getByLabel('Assign host ports automatically').uncheck();
    await page.getByRole('button', { name: '+ Add an endpoint' }).click();
    await page.getByLabel('Name', { exact: true }).fill('my-vip');
    await page.getByLabel('Host port', { exact: true }).fill('5555');
    await page.getByLabel('Load balanced').check();
    // It appears while one types.
    await page.getByText('my-service.marathon.l4lb.thisdcos.directory:5555').waitFor();
    await page.getByRole('button', { name: 'JSON mode' }).click();
    const text = await page.getByLabel('App as JSON').inputValue();
    expect(JSON.parse(text)).toMatchObject({
      id: '/my-service',
      portDefinitions: [
        { name: 'my-vip', port: 5555, protocol: 'tcp', labels: { VIP_0: '/my-service:5555' } },
      ],
      requirePorts: true,
    });
    const sent = page.waitForRequest((request) => request.method() === 'POST');
    await page.getByRole('button', { name: 'Run service' }).click();
    // The very bytes that `app add` would send of a file with this text.
    expect((await sent).postData()).toBe(text);
    await page.getByText('1 of 1 backends in rotation').waitFor();
    await tab.shoot('created');

    await page.getByRole('link', { name: 'my-service.marathon.l4lb.thisdcos.directory:5555' }).click();
    await page.getByRole('heading', { name: 'my-service.marathon.l4lb.thisdcos.directory:5555' }).waitFor();
    await page.getByRole('link', { name: 'Edit /my-service' }).click();
    await page.getByLabel('Instances').fill('2');
    await page.getByRole('button', { name: 'Save and deploy' }).click();
    // The second one lacks its port on this only agent.
    await page.getByText('/my-service was changed').waitFor();
    await page.getByRole('button', { name: 'Remove service' }).click();
    await page.getByRole('button', { name: 'Remove /my-service and stop its tasks' }).click();
    // The deployment of a moment ago has it locked.
    const force = page.getByRole('button', { name: 'Send with force and cancel that deployment' });
    await force.or(page.getByText('is being removed')).waitFor();
    if (await force.isVisible()) await force.click();
    await page.getByText('Its VIPs have been removed from this host.').waitFor();
    await page.locator('.progress').getByText('removed', { exact: true }).waitFor();
    await page.goto('/#/services');
    await page.getByText('No app declares a VIP yet.').waitFor();
  });

  inLab('shows what its clients do, from the counters of the kernel', async () => {
    const portDefinitions = [{ port: 0, protocol: 'tcp', name: 'web', labels: { VIP_0: '/busy:80' } }];
    await marathon.addApp({ id: '/busy', cmd: 'serve', instances: 1, portDefinitions });
    const task = marathon.tasks().find(({ appId }) => appId === '/busy') as {
      readonly ports: readonly number[];
    };
    const server = createServer((_, response) => response.end('x'.repeat(2_000)));
    await once(server.listen(task.ports[0], AGENT), 'listening');
    tab = await Tab.open(browser, host.url);
    const { page } = tab;
    await tab.go('#/services');
    const row = page.getByRole('row', { name: /busy/ });
    await row.getByText('1 of 1').waitFor();
    const [address] = /11\.\d+\.\d+\.\d+/.exec((await row.textContent()) ?? '') ?? [];
    const clients = keepAsking(`http://${address}:80/`);
    try {
      await row.getByText(/^[1-9][\d.]*\/s$/).waitFor();
      // Long enough for a graph.
      await page.waitForTimeout(10_000);
      await tab.shoot('traffic');
      await row.getByRole('link').click();
      await page
        .getByText(/[1-9][\d.]*k?B in, [1-9]/)
        .first()
        .waitFor();
      await tab.shoot('traffic-service');
    } finally {
      expect(await clients.stop()).toEqual([]);
      server.close();
      await marathon.removeApp('/busy');
    }
  });

  test('what would be refused is shown at its field, before sending and after Marathon refuses it', async () => {
    tab = await Tab.open(browser, host.url);
    const { page } = tab;
    await tab.go('#/new');
    await enterToken();
    await page.getByRole('button', { name: 'Run service' }).click();
    const id = page.getByLabel('Service ID');
    await page.getByText('The service needs an id').waitFor();
    // Where the first one is, the next key goes.
    expect(await id.evaluate((element) => element.matches(':focus'))).toBe(true);
    expect(await id.getAttribute('aria-describedby')).toBe('field-id-error');

    await id.fill('/refused');
    await page.getByLabel('Command').fill('true');
    // Something that only Marathon knows of, at an endpoint of the form.
    await page.getByRole('button', { name: 'JSON mode' }).click();
    const text = page.getByLabel('App as JSON');
    const app = JSON.parse(await text.inputValue());
    const portDefinitions = [{ port: 0, protocol: 'sctp', name: 'a' }];
    await text.fill(JSON.stringify({ ...app, portDefinitions, env: { KEPT: 'yes' } }));
    await page.getByRole('button', { name: 'Run service' }).click();
    await page.getByRole('group', { name: 'Protocol' }).getByText('must be one of').waitFor();
    await tab.shoot('refused');
    // The form is edited, and what it does not know stays.
    await page.getByLabel('TCP').check();
    expect(JSON.parse(await text.inputValue())).toMatchObject({
      env: { KEPT: 'yes' },
      portDefinitions: [{ protocol: 'tcp' }],
    });
    await text.fill('{');
    await page.getByText('The form does not have this change').waitFor();
    expect(await page.getByRole('button', { name: 'Run service' }).isDisabled()).toBe(true);
  });

  test('nothing is written without the token, and the page says what is missing', async () => {
    tab = await Tab.open(browser, host.url);
    await tab.go('#/apps');
    await tab.page.getByLabel('Token').fill('wrong');
    await tab.page.getByLabel('Token').press('Enter');
    await tab.page.getByText('this needs the token of --write-token-file').waitFor();
  });
});
