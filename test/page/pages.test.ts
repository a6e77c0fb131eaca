/** Every page as people see it: by width, colours and state; what it takes with 1,000 VIPs; and what it says when it is cut off. */

import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { IN_LAB } from '../support/host.ts';
import { startMarathon, type TestMarathon } from '../support/marathon/start-marathon.ts';
import { openBrowser, Tab } from './browser.ts';
import { openHost, type PageHost, TOKEN } from './host.ts';
import { look, WAYS } from './look.ts';

let marathon: TestMarathon;
let browser: Browser;
let host: PageHost;
let tab: Tab;

const app = (id: string, port: number, value: string, over: Readonly<Record<string, unknown>> = {}) => ({
  id,
  cmd: 'sleep 1000',
  instances: 2,
  portDefinitions: [{ port, protocol: 'tcp', name: 'main', labels: { VIP_0: value } }],
  ...over,
});

// The lab's browser is a hundred times slower; what it shows there is the other file's matter.
const outside = IN_LAB ? describe.skip : describe;

outside('every page', () => {
  beforeAll(async () => {
    marathon = await startMarathon({
      agents: [{ hostname: '10.9.0.1' }, { hostname: '10.9.0.2' }],
      processes: false,
    });
    for (const definition of [
      app('/my-service', 5555, '/my-service:5555'),
      app('/outergroup/subgroup/myapp', 80, '/outergroup/subgroup/myapp:80', { instances: 3 }),
      app('/dns', 53, '10.20.0.1:53', { instances: 0 }),
      app('/mistaken', 81, 'nocolon'),
    ]) {
      await marathon.addApp(definition);
    }
    host = await openHost(marathon.url);
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
  });

  const VIP = encodeURIComponent('tcp/11.134.217.55:5555');
  const PAGES: readonly (readonly [name: string, hash: string, heading: string])[] = [
    ['services', '#/services', 'Services'],
    ['service', `#/vip/${VIP}`, 'my-service.marathon.l4lb.thisdcos.directory:5555'],
    ['diff', '#/diff', 'Diff'],
    ['host', '#/host', 'Host'],
    ['apps', '#/apps', 'Apps'],
    ['new', '#/new', 'New service'],
    ['edit', '#/edit/%2Fmy-service', 'Edit /my-service'],
  ];
  test.each(WAYS)(
    '$way: fits its width, has its heading, and no text too pale to read',
    async ({ way, dark, width }) => {
      tab = await Tab.open(browser, host.url, { dark, width });
      for (const [name, hash, heading] of PAGES) {
        await tab.go(hash);
        await tab.page.getByRole('heading', { name: heading, level: 1 }).waitFor();
        if (name === 'edit') {
          await tab.page.getByLabel('Token').fill(TOKEN);
          await tab.page.getByLabel('Token').press('Enter');
          await tab.page.getByRole('button', { name: 'JSON mode' }).click();
        }
        if (name === 'host') await tab.page.getByText('passed; kernel').waitFor();
        await tab.page.getByRole('status').getByText('Live').waitFor();
        await tab.shoot(`${name}-${way}`);
        expect({ name, ...(await look(tab.page)) }).toEqual({ name, tooWide: 0, pale: [] });
      }
    },
  );

  test('everything can be reached by keyboard, and a skip link leads past the navigation', async () => {
    tab = await Tab.open(browser, host.url);
    const { page } = tab;
    await tab.go('#/services');
    await page.getByRole('link', { name: /^my-service/ }).waitFor();
    await page.keyboard.press('Tab');
    expect(await page.getByText('Skip to content').evaluate((element) => element.matches(':focus'))).toBe(
      true,
    );
    await page.keyboard.press('Enter');
    for (let presses = 0; presses < 40; presses++) {
      await page.keyboard.press('Tab');
      if (
        await page.getByRole('link', { name: /^my-service/ }).evaluate((element) => element.matches(':focus'))
      )
        break;
    }
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: /^my-service/, level: 1 }).waitFor();
  });

  test('the name is copied by its button', async () => {
    tab = await Tab.open(browser, host.url);
    await tab.go('#/services');
    const name = 'my-service.marathon.l4lb.thisdcos.directory:5555';
    await tab.page.getByRole('button', { name: `Copy name ${name}` }).click();
    await tab.page.getByRole('button', { name: `Copied name ${name}` }).waitFor();
    expect(await tab.page.evaluate('navigator.clipboard.readText()')).toBe(name);
  });

  test('changes are shown within seconds, and in the history', async () => {
    tab = await Tab.open(browser, host.url);
    await tab.go(`#/vip/${VIP}`);
    const [task] = marathon.tasks('/my-service');
    await tab.page.getByText(String(task?.['id'])).first().waitFor();
    marathon.setTaskState(String(task?.['id']), 'TASK_KILLING');
    await tab.page.getByText(/weight 1 -> 0/).waitFor();
    marathon.setTaskState(String(task?.['id']), 'TASK_RUNNING');
    await tab.page.getByText(/weight 0 -> 1/).waitFor();
  });

  test('a trace finds why a VIP does not answer on this host, whose kernel does not have it', async () => {
    tab = await Tab.open(browser, host.url);
    const { page } = tab;
    await tab.go(`#/vip/${VIP}`);
    await page.getByRole('button', { name: 'Why?' }).click();
    await page.getByText('declared by /my-service').waitFor();
    await page.getByRole('status').getByText('Broken', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Copy fix' }).first().waitFor();
    await tab.shoot('why');
  });

  test('a failing source is shown, and so is a controller that has stopped', async () => {
    const other = await startMarathon({ processes: false });
    const lost = await openHost(other.url);
    tab = await Tab.open(browser, lost.url);
    await tab.go('#/services');
    await tab.page.getByText('No app declares a VIP yet.').waitFor();
    await other.close();
    await tab.page.getByText('Live, source stale').waitFor();
    await tab.page
      .getByRole('alert')
      .getByText(/^Source marathon=.*was last read/)
      .waitFor();
    await tab.shoot('source-stale');
    await lost.close();
    await tab.page.getByText('Not live').waitFor();
    await tab.page.getByText(/No update from the controller for/).waitFor();
    await tab.shoot('controller-gone');
    // That it cannot be reached is what the browser complains of.
    tab.complaints.splice(0);
  });

  test('foreign text cannot hide or reverse text on the page or in an attribute', async () => {
    tab = await Tab.open(browser, host.url);
    const { page } = tab;
    const found = {
      state: 'warning',
      check: 'x',
      found: 'a\u202eb',
      wanted: null,
      why: null,
      command: 'c\u200bd',
    };
    const json = { kernel: '6\u2066.1', summary: { ok: 0, warning: 1, problem: 0 }, findings: [found] };
    await page.route('**/v1/doctor', async (route) => await route.fulfill({ json }));
    await tab.go('#/host');
    await page.getByText('a\\u202eb').waitFor();
    await page.getByText('kernel 6\\u2066.1').waitFor();
    await page.getByText('c\\u200bd').waitFor();
    await tab.go('#/vip/x%E2%80%AEy');
    await page.getByRole('heading', { name: 'x\\u202ey' }).waitFor();
    await tab.go('#/new');
    await page.getByLabel('Service ID').fill('/web\u202e');
    await page.getByRole('button', { name: '+ Add an endpoint' }).click();
    await page.getByLabel('Name', { exact: true }).fill('p\u200bq');
    await page.getByText('Endpoint 1: p\\u200bq').waitFor();
    // What is typed stays as it was typed.
    expect(await page.getByLabel('Service ID').inputValue()).toBe('/web\u202e');
  });

  test('in dry-run mode the diff is the front page, in the notation of the command line', async () => {
    const dry = await openHost(marathon.url, { dryRun: true });
    tab = await Tab.open(browser, dry.url);
    await tab.go('');
    await tab.page.getByRole('heading', { name: 'Diff', level: 1 }).waitFor();
    await tab.page.getByText('-A -t 11.134.217.55:5555 -s wlc').waitFor();
    await tab.shoot('dry-run');
    await dry.close();
    tab.complaints.splice(0);
  });

  test('of 1,000 VIPs the page renders only the fifty shown, before and during a search', async () => {
    const ports = Array.from({ length: 1_000 }, (_, at) => ({
      port: 0,
      labels: { VIP_0: `/vip-${String(at).padStart(4, '0')}:80` },
    }));
    await marathon.addApp(app('/many', 0, '', { instances: 1, portDefinitions: ports }));
    tab = await Tab.open(browser, host.url);
    await tab.go('#/services');
    await tab.page.getByText(/^100[0-9] VIPs, 1 to 50 shown/).waitFor();
    await tab.shoot('many');
    expect(await tab.page.locator('table.services tbody tr').count()).toBe(50);
    await tab.page.getByRole('searchbox').fill('vip-09');
    await tab.page.getByText('100 of 1').waitFor();
    expect(await tab.page.locator('table.services tbody tr').count()).toBe(50);
    expect(await tab.page.locator('table.services tbody').textContent()).toContain('vip-0900');
    expect(await tab.page.locator('table.services tbody').textContent()).not.toContain('vip-0899');
    await marathon.removeApp('/many');
  });
});
