/** What the page shows where much goes on at once: every rule of a decision, uneven VIPs, and why one does not answer. */

import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser } from 'playwright-core';
import type { WhyDocument } from '../../controller/why/document.ts';
import { IN_LAB } from '../support/host.ts';
import { openBrowser, Tab } from './browser.ts';
import { FALLEN, LARGE, LEAVING, LONG_NAME, openBusyHost, UNEVEN } from './busy-host.ts';
import type { PageHost } from './host.ts';
import { look, WAYS } from './look.ts';

const ok = (stage: 'name' | 'dns' | 'address' | 'kernel', found: string) => ({
  ...{ stage, state: 'ok' as const, found, cause: null, fix: null },
});
const FIX = `nft delete rule inet a-firewall-of-another-program forward handle 12345678901234567890`;
const BROKEN: WhyDocument = {
  ...{ apiVersion: 'marathon-ipvs/v1', at: '2026-01-01T00:00:00.000Z', asked: '', from: 'controller' },
  ...{ client: null, namespace: null, verdict: 'broken' },
  ways: [
    {
      vip: {
        id: LARGE,
        fqdn: `${LONG_NAME}.marathon.l4lb.thisdcos.directory`,
        protocol: 'tcp',
        address: '11.0.0.1',
        port: 8443,
      },
      ...{ verdict: 'broken', cause: 'filter-drops' },
      title: "another program's rule drops packets to the VIP",
      steps: [
        ok('name', '/production/team-billing/checkout-payment-gateway-with-a-very-long-name declares it'),
        ok('dns', `10.0.0.53 answers ${LONG_NAME}.marathon.l4lb.thisdcos.directory with 11.0.0.1`),
        {
          stage: 'backends',
          state: 'note',
          found: '197 of 201 in rotation; 2 ejected',
          cause: null,
          fix: null,
        },
        ok('kernel', 'the service and 201 destinations are as desired'),
        {
          ...{ stage: 'filters', state: 'broken', cause: 'filter-drops', fix: FIX },
          found:
            'inet a-firewall-of-another-program forward: ip daddr 11.0.0.0/8 tcp dport 8443 counter packets 812 drop',
        },
      ],
    },
  ],
};

// The lab's browser is a hundred times slower.
const outside = IN_LAB ? describe.skip : describe;

outside('a busy host', () => {
  let browser: Browser;
  let host: PageHost;
  let tab: Tab;
  const asked: string[] = [];
  let answer: () => Promise<WhyDocument> = () => Promise.resolve(BROKEN);

  beforeAll(async () => {
    host = await openBusyHost(({ text }) => {
      asked.push(text);
      return answer();
    });
    browser = await openBrowser();
  });
  afterEach(async () => {
    await tab.close();
    expect(tab.complaints).toEqual([]);
    answer = () => Promise.resolve(BROKEN);
  });
  afterAll(async () => {
    await browser.close();
    await host.close();
  });

  const vipPage = (id: string) => `#/vip/${encodeURIComponent(id)}`;
  const why = () => tab.page.getByRole('button', { name: 'Why?' });

  test.each(WAYS)(
    '$way: long names and 200 backends fit their width and can be read',
    async ({ way, dark, width }) => {
      tab = await Tab.open(browser, host.url, { dark, width });
      for (const [name, hash] of [
        ['list', '#/services'],
        ['large', vipPage(LARGE)],
        ['uneven', vipPage(UNEVEN)],
        ['fallen', vipPage(FALLEN)],
        ['refused', vipPage(LEAVING)],
        ['host', '#/host'],
      ] as const) {
        await tab.go(hash);
        await tab.page.getByRole('heading', { level: 1 }).waitFor();
        await tab.page.getByRole('status').getByText('Live').waitFor();
        if (name === 'large') {
          await why().click();
          await tab.page.getByText(FIX).waitFor();
        }
        await tab.shoot(`busy-${name}-${way}`);
        expect({ name, ...(await look(tab.page)) }).toEqual({ name, tooWide: 0, pale: [] });
      }
    },
  );

  test('the list shows which VIPs are uneven and why backends get nothing, and filters them by a click', async () => {
    tab = await Tab.open(browser, host.url);
    const { page } = tab;
    await tab.go('#/services');
    const large = page.getByRole('row').filter({ hasText: LONG_NAME });
    await large.getByText('2 ejected').waitFor();
    await large.getByText('3 in slow start').waitFor();
    await large.getByText('12 left out').waitFor();
    await page
      .getByRole('row')
      .filter({ hasText: 'web' })
      .getByText(/^uneven \d\.\d-2\.\dx$/)
      .waitFor();
    await page.getByRole('link', { name: '1 uneven' }).click();
    await page.getByText('1 of 4 VIPs').waitFor();
    await page.getByRole('link', { name: /^web/ }).click();
    await page
      .getByText(/^10\.0\.1\.1:31000 got 2\.\d times its share of new connections, \d+ of \d+ in \d+[sm]$/)
      .waitFor();
  });

  test('of 200 backends those that need attention come first, and all are shown on request', async () => {
    tab = await Tab.open(browser, host.url);
    const { page } = tab;
    await tab.go(vipPage(LARGE));
    const rows = page.locator('table.backends tbody tr');
    await page.getByText(/^50 of 201 are shown/).waitFor();
    expect(await rows.count()).toBe(50);
    const first = await rows.evaluateAll((all) => all.slice(0, 7).map((row) => row.textContent));
    for (const what of ['timed out', 'slow start', 'draining', 'health check failed'])
      expect(first.filter((text) => text?.includes(what))).not.toEqual([]);
    await page.getByText('200 tasks').waitFor();
    await page.getByRole('button', { name: 'Show all 201' }).press('Enter');
    await page.getByText(/^201 of 201 are shown/).waitFor();
    expect(await rows.count()).toBe(201);
  });

  test('a decision about the whole VIP says why, and one about an ejection when it is checked again', async () => {
    tab = await Tab.open(browser, host.url);
    const { page } = tab;
    await tab.go(vipPage(FALLEN));
    await page
      .getByText(
        /^nearness for \d+[sm], since backends in the zone of this host are in rotation again, until they have/,
      )
      .waitFor();
    await tab.go(vipPage(LARGE));
    await page
      .getByText(
        /^ejected for \d+[sm], until two probes in a row find that it answers; the next one is made in \d+[sm]$/,
      )
      .first()
      .waitFor();
  });

  test('the host page shows what is ejected, what the kernel refuses, and that the host may be cut off itself', async () => {
    tab = await Tab.open(browser, host.url);
    const { page } = tab;
    await tab.go('#/host');
    await page.getByText('This host cannot reach 3 of the 5 agents that it tried').waitFor();
    await page.getByText('tcp/10.0.0.1:31000: 7 connections, no reply; connect timed out').waitFor();
    await page.getByText('10.0.2.1: an address of this host').waitFor();
  });

  test('a trace can be run by keyboard, is announced, and shows the proof and the fix', async () => {
    tab = await Tab.open(browser, host.url);
    const { page } = tab;
    const walked = Promise.withResolvers<WhyDocument>();
    answer = () => walked.promise;
    asked.splice(0);
    await tab.go(vipPage(LARGE));
    await why().focus();
    await page.keyboard.press('Enter');
    await page.getByRole('status').getByText('Tracing.').waitFor();
    await page.keyboard.press('Enter');
    walked.resolve(BROKEN);
    await page
      .getByRole('status')
      .getByText("another program's rule drops packets to the VIP (filter-drops)")
      .waitFor();
    expect(asked).toEqual([`${LONG_NAME}.marathon.l4lb.thisdcos.directory:8443/tcp`]);
    // Who came by keyboard is where they were.
    const again = page.getByRole('button', { name: 'Run again' });
    expect(await again.evaluate((element) => element.matches(':focus'))).toBe(true);
    const broken = page.getByRole('listitem').filter({ hasText: 'filters' });
    await broken.getByText('counter packets 812 drop').waitFor();
    await broken.getByRole('button', { name: 'Copy fix' }).click();
    expect(await page.evaluate('navigator.clipboard.readText()')).toBe(FIX);
    answer = () => Promise.reject(new Error('no right to read the packet filter'));
    await again.click();
    await page.getByText('cannot trace the connection: no right to read the packet filter').waitFor();
  });
});
