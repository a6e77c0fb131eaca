/** The Network tab by hand: what is clicked there, as it reaches Marathon, and the backends that come of it. */

import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser, Locator, Page } from 'playwright-core';
import { startMarathon, type TestMarathon } from '../support/marathon/start-marathon.ts';
import { openBrowser, Tab } from './browser.ts';
import { openHost, type PageHost, TOKEN } from './host.ts';

const ZONE = 'marathon.l4lb.thisdcos.directory';

let marathon: TestMarathon;
let host: PageHost;
let browser: Browser;
let tab: Tab;

beforeAll(async () => {
  const agents = [{ hostname: '10.9.0.1' }, { hostname: '10.9.0.2' }];
  marathon = await startMarathon({ agents, processes: false, startMs: 2_500 });
  host = await openHost(marathon.url);
  browser = await openBrowser();
});
afterEach(async () => {
  await tab.close();
  expect(tab.complaints).toEqual([]);
});
afterAll(async () => {
  await browser?.close();
  await host?.close();
  await marathon?.close();
});

/** The form of a new service with its first fields filled in. */
async function begin(id: string, network: string): Promise<Page> {
  tab = await Tab.open(browser, host.url);
  const { page } = tab;
  await tab.go('#/new');
  await page.getByLabel('Token').fill(TOKEN);
  await page.getByRole('button', { name: 'Use', exact: true }).click();
  await page.getByLabel('Service ID').fill(id);
  await page.getByLabel('Command').fill('sleep 1000');
  await page.getByLabel('Network type').selectOption(network);
  return page;
}

/** Another endpoint, empty. */
async function addEndpoint(page: Page): Promise<Locator> {
  const endpoints = page.getByRole('group', { name: /^Endpoint \d/ });
  const before = await endpoints.count();
  await page.getByRole('button', { name: '+ Add an endpoint' }).click();
  return endpoints.nth(before);
}

async function fill(where: Locator, fields: Readonly<Record<string, string>>): Promise<void> {
  for (const [label, value] of Object.entries(fields)) {
    await where.getByLabel(label, { exact: true }).last().fill(value);
  }
}

const run = (page: Page) => page.getByRole('button', { name: 'Run service' }).click();

/** What every app has that the form of DC/OS makes. */
const ALWAYS = { cmd: 'sleep 1000', instances: 1, cpus: 0.1, mem: 128, requirePorts: false };

/** What Marathon was last sent. */
function received(method: string): unknown {
  return JSON.parse(marathon.requests.findLast((request) => request.method === method)?.body ?? 'null');
}

/** The VIP's page, by the link that appears once the controller has it. */
async function openVip(page: Page, name: string): Promise<void> {
  await page.getByText('1 of 1 backends in rotation').first().waitFor();
  await page.getByRole('link', { name, exact: true }).first().click();
  await page.getByRole('heading', { name, level: 1 }).waitFor();
}

/** Where a task is reached, of the port that is given. */
function reachedAt(app: string): { readonly host: string; readonly port: number; readonly address: string } {
  const [task] = marathon.tasks(app);
  const {
    host: agent,
    ports,
    ipAddresses,
  } = task as unknown as {
    readonly host: string;
    readonly ports: readonly number[];
    readonly ipAddresses: readonly { readonly ipAddress: string }[];
  };
  return { host: agent, port: ports[0] ?? 0, address: ipAddresses[0]?.ipAddress ?? '' };
}

describe('bridge networking', () => {
  test('a host port that Marathon assigns; endpoints stay when the network type changes', async () => {
    const page = await begin('/bridged', 'Host');
    const endpoint = await addEndpoint(page);
    await fill(endpoint, { Name: 'http' });
    await endpoint.getByLabel('Load balanced').check();
    await page.getByLabel('Network type').selectOption('Bridge');
    await fill(endpoint, { 'Container port': '8080' });
    await page.getByText(`bridged.${ZONE}:8080`).waitFor();
    await tab.shoot('bridge');
    await run(page);
    await openVip(page, `bridged.${ZONE}:8080`);
    expect(received('POST')).toEqual({
      ...ALWAYS,
      id: '/bridged',
      networks: [{ mode: 'container/bridge' }],
      container: {
        type: 'MESOS',
        portMappings: [
          {
            name: 'http',
            containerPort: 8080,
            hostPort: 0,
            protocol: 'tcp',
            labels: { VIP_0: '/bridged:8080' },
          },
        ],
      },
    });
    const { host: agent, port } = reachedAt('/bridged');
    await page.getByText(`${agent}:${port}`).first().waitFor();
  });

  test("a host port of one's own, a container image, and another load balanced port", async () => {
    const page = await begin('/group/fixed', 'Bridge');
    await page.getByLabel('Container image').fill('nginx');
    const endpoint = await addEndpoint(page);
    await endpoint.getByLabel('Assign automatically').uncheck();
    await fill(endpoint, { Name: 'web', 'Container port': '80', 'Host port': '31500' });
    await endpoint.getByLabel('Load balanced').check();
    await fill(endpoint, { 'LB port': '8000' });
    await page.getByText(`groupfixed.${ZONE}:8000`).waitFor();
    await run(page);
    await openVip(page, `groupfixed.${ZONE}:8000`);
    expect(received('POST')).toEqual({
      ...ALWAYS,
      id: '/group/fixed',
      networks: [{ mode: 'container/bridge' }],
      container: {
        type: 'MESOS',
        docker: { image: 'nginx' },
        portMappings: [
          {
            name: 'web',
            containerPort: 80,
            hostPort: 31_500,
            protocol: 'tcp',
            labels: { VIP_0: '/group/fixed:8000' },
          },
        ],
      },
    });
    await page
      .getByText(`${reachedAt('/group/fixed').host}:31500`)
      .first()
      .waitFor();
  });
});

describe('a virtual network', () => {
  test('without port mapping: the example of the documentation, with the container itself as backend', async () => {
    const page = await begin('/app', 'Virtual network');
    await page.getByLabel('Virtual network', { exact: true }).fill('dcos-1');
    const endpoint = await addEndpoint(page);
    await fill(endpoint, { Name: 'http', 'Container port': '8080' });
    // Neither is in the JSON, so neither is asked for.
    expect(await endpoint.getByLabel('Host port').count()).toBe(0);
    expect(await endpoint.getByRole('group', { name: 'Protocol' }).count()).toBe(0);
    await endpoint.getByLabel('Load balanced').check();
    await page.getByText(`app.${ZONE}:8080`).waitFor();
    await tab.shoot('virtual');
    await run(page);
    await openVip(page, `app.${ZONE}:8080`);
    expect(received('POST')).toEqual({
      ...ALWAYS,
      id: '/app',
      networks: [{ mode: 'container', name: 'dcos-1' }],
      container: {
        type: 'MESOS',
        portMappings: [{ name: 'http', containerPort: 8080, labels: { VIP_0: '/app:8080' } }],
      },
    });
    const { address } = reachedAt('/app');
    expect(address).toMatch(/^9\./);
    await page.getByText(`${address}:8080`).first().waitFor();
  });

  test('with port mapping: a host port and protocols besides', async () => {
    const page = await begin('/mapped', 'Virtual network');
    await page.getByLabel('Virtual network', { exact: true }).fill('dcos');
    const endpoint = await addEndpoint(page);
    await fill(endpoint, { Name: 'dns', 'Container port': '53' });
    await endpoint.getByLabel(/^Port mapping/).check();
    await endpoint.getByLabel('UDP').check();
    await endpoint.getByLabel('Load balanced').check();
    await run(page);
    await openVip(page, `mapped.${ZONE}:53`);
    expect(received('POST')).toEqual({
      ...ALWAYS,
      id: '/mapped',
      networks: [{ mode: 'container', name: 'dcos' }],
      container: {
        type: 'MESOS',
        portMappings: [
          {
            name: 'dns',
            containerPort: 53,
            hostPort: 0,
            protocol: 'udp,tcp',
            labels: { VIP_0: '/mapped:53' },
          },
        ],
      },
    });
  });
});

describe('several endpoints and addresses', () => {
  test('each has its number in the labels, all come into the kernel, and those that are removed go', async () => {
    const page = await begin('/many', 'Host');
    const first = await addEndpoint(page);
    await fill(first, { Name: 'web' });
    await first.getByLabel('Load balanced').check();
    await fill(first, { 'LB port': '80' });
    await first.getByRole('button', { name: '+ Add another address' }).click();
    await fill(first, { 'Address name': '192.0.2.7', 'LB port': '8080' });
    const second = await addEndpoint(page);
    await fill(second, { Name: 'dns' });
    await second.getByLabel('UDP').check();
    await second.getByLabel('Load balanced').check();
    await fill(second, { 'Address name': 'names', 'LB port': '53' });
    const third = await addEndpoint(page);
    await fill(third, { Name: 'plain' });
    await run(page);

    const links = page.getByRole('status').getByRole('listitem');
    await shows(links, [
      `many.${ZONE}:80 tcp`,
      '192.0.2.7:8080 tcp',
      `names.${ZONE}:53 tcp`,
      `names.${ZONE}:53 udp`,
    ]);
    await tab.shoot('many-endpoints');
    expect(received('POST')).toEqual({
      ...ALWAYS,
      id: '/many',
      networks: [{ mode: 'host' }],
      portDefinitions: [
        { name: 'web', port: 0, protocol: 'tcp', labels: { VIP_0: '/many:80', VIP_1: '192.0.2.7:8080' } },
        { name: 'dns', port: 0, protocol: 'udp,tcp', labels: { VIP_1: 'names:53' } },
        { name: 'plain', port: 0, protocol: 'tcp' },
      ],
    });

    await marathon.deployed();
    await page.goto('/#/edit/%2Fmany');
    await page.getByRole('group', { name: 'Endpoint 1: web' }).waitFor();
    await page.getByRole('button', { name: 'Remove endpoint 2' }).click();
    await page.getByRole('button', { name: 'Remove this address' }).first().click();
    await page.getByRole('button', { name: 'Save and deploy' }).click();
    await shows(links, ['192.0.2.7:8080 tcp']);
    expect(received('PUT')).toMatchObject({
      portDefinitions: [{ name: 'web', labels: { VIP_1: '192.0.2.7:8080' } }, { name: 'plain' }],
    });
  });
});

test('a deployment is followed while backends come into rotation one by one', async () => {
  const page = await begin('/followed', 'Host');
  const endpoint = await addEndpoint(page);
  await endpoint.getByLabel('Load balanced').check();
  await fill(endpoint, { 'LB port': '9000' });
  const start = marathon.holdStarts();
  await run(page);
  await page.getByText('/followed was created').waitFor();
  const progress = page.locator('.progress[role=status]');
  await progress.getByText('deploying', { exact: true }).waitFor();
  await page.getByText('no backend', { exact: true }).waitFor();
  await progress
    .getByText(
      'step 2 of 2 (ScaleApplication /followed); 0 of 1 instance running; 0 backends in rotation on this host',
    )
    .waitFor();
  await tab.shoot('deploying');
  start();
  await progress.getByText('deployed', { exact: true }).waitFor();
  await progress.getByText('1 of 1 instance running; 1 backend in rotation on this host').waitFor();
  await page.getByText('1 of 1 backends in rotation').waitFor();
  await tab.shoot('deployed');
  const asked = deploymentsAsked();
  const startOthers = marathon.holdStarts();
  await page.goto('/#/edit/%2Ffollowed');
  await page.getByLabel('Instances').fill('3');
  await page.getByRole('button', { name: 'Save and deploy' }).click();
  await page.getByText('/followed was changed').waitFor();
  await page.getByText('1 of 1 backends in rotation').waitFor();
  await progress.getByText('step 1 of 1 (ScaleApplication /followed); 1 of 3 instances running').waitFor();
  startOthers();
  await page.getByText('3 of 3 backends in rotation').waitFor();
  await progress.getByText('3 of 3 instances running; 3 backends in rotation on this host').waitFor();
  await progress.getByText('deployed', { exact: true }).waitFor();
  // What is over is not asked for any more.
  const after = deploymentsAsked();
  expect(after).toBeGreaterThan(asked);
  await page.waitForTimeout(2_500);
  expect(deploymentsAsked()).toBe(after);
});

test('a deployment that locks the app is named and can be cancelled with force; one that hangs is followed, and its cancellation shown', async () => {
  const page = await begin('/stuck', 'Host');
  // More than there are agents that have the port.
  await page.getByLabel('Instances').fill('3');
  const endpoint = await addEndpoint(page);
  await page.getByLabel('Assign host ports automatically').uncheck();
  await fill(endpoint, { 'Host port': '25000' });
  await endpoint.getByLabel('Load balanced').check();
  await run(page);
  const progress = page.locator('.progress[role=status]');
  await progress.getByText('2 of 3 instances running; 2 backends in rotation on this host').waitFor();
  const [first = ''] = await deploymentsRunning();

  await page.goto('/#/edit/%2Fstuck');
  await page.getByLabel('CPUs').fill('0.2');
  await page.getByRole('button', { name: 'Save and deploy' }).click();
  await page.getByText(`Locked by deployment ${first}.`).waitFor();
  await tab.shoot('locked');
  await page.getByRole('button', { name: 'Send with force and cancel that deployment' }).click();
  await page.getByText('/stuck was changed').waitFor();
  await progress.getByText('deploying', { exact: true }).waitFor();

  // Nothing is asked for while nobody sees it.
  await page.evaluate("Object.defineProperty(document, 'hidden', { value: true, configurable: true })");
  await page.waitForTimeout(1_500);
  const asked = deploymentsAsked();
  await page.waitForTimeout(2_500);
  expect(deploymentsAsked()).toBe(asked);
  const answers = '**/v1/deployments/**';
  await page.route(answers, (route) => route.fulfill({ status: 502, json: { error: 'no master leads' } }));
  await page.evaluate("delete document.hidden; document.dispatchEvent(new Event('visibilitychange'))");
  await progress.getByText('no master leads; retrying in 4 s').waitFor();
  await page.unroute(answers);
  await progress.getByText('deploying', { exact: true }).waitFor();

  const [second = ''] = await deploymentsRunning();
  expect(second).not.toBe(first);
  await fetch(`${marathon.url}/v2/deployments/${second}?force=true`, { method: 'DELETE' });
  await progress.getByText('not deployed', { exact: true }).waitFor();
  await progress.getByText(`deployment ${second} was cancelled or did not finish`).waitFor();
  await tab.shoot('not-deployed');
});

function deploymentsAsked(): number {
  return marathon.requests.filter(({ url }) => url === '/v2/deployments').length;
}

async function deploymentsRunning(): Promise<readonly string[]> {
  const response = await fetch(`${marathon.url}/v2/deployments`);
  return ((await response.json()) as readonly { readonly id: string }[]).map(({ id }) => id);
}

/** Waits until the list has exactly these VIPs, in any order, each with a backend in rotation. */
async function shows(items: Locator, names: readonly string[]): Promise<void> {
  const wanted = names.map((name) => `${name} forwarding 1 of 1 backends in rotation`).toSorted();
  const words = async () =>
    (await items.allTextContents()).map((text) => text.replace(/\s+/g, ' ').trim()).toSorted();
  for (let looks = 0; looks < 300; looks++) {
    if ((await words()).join() === wanted.join()) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  expect(await words()).toEqual(wanted);
}
