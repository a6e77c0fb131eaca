/** A VIP that prefers its zone, with two backends in each of three zones, and a client that connects all the time. */

import { rename, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { eventually, IN_LAB, type RunningController, TestHost } from '../support/host.ts';
import { createNetwork, type Network } from '../support/network.ts';
import { backendsOf } from './kernel.ts';
import { startZoneBackends, startZoneClient, type ZoneBackends, type ZoneClient } from './zones.ts';
import type { Taken } from './zones-main.ts';

// A process starts in seconds there.
jest.setTimeout(240_000);
const inLab = IN_LAB ? describe : describe.skip;

const VIP = '11.9.9.9';
const PORT = 8080;
const ZONES = { a: ['10.9.0.2', '10.9.0.3'], b: ['10.9.0.4', '10.9.0.5'], c: ['10.9.0.6', '10.9.0.7'] };
const ALL = Object.values(ZONES).flat();
/** Some hundred connections: enough to see one in twenty. */
const WATCH_MS = 5_000;

inLab('PreferSameZone on a real kernel', () => {
  let host: TestHost;
  let network: Network;
  let backends: ZoneBackends;
  let client: ZoneClient;
  let controller: RunningController;

  beforeAll(async () => {
    host = await TestHost.open();
    network = await createNetwork({
      here: {
        bridges: { agents: ['10.9.0.1/24'], containers: ['172.17.0.1/16'] },
        routes: ['default via 10.9.0.254 dev agents'],
      },
      namespaces: {
        agents: {
          on: 'agents',
          addresses: ALL.map((address) => `${address}/24`),
          routes: ['default via 10.9.0.1'],
        },
        container: { on: 'containers', addresses: ['172.17.0.2/16'], routes: ['default via 172.17.0.1'] },
      },
    });
    await say();
    backends = await startZoneBackends('agents', PORT, ALL);
    const options = ['--node-region', 'eu', '--node-zone', 'a', '--dns-listen', 'off'];
    controller = await host.start('--source', `file=${host.path('apps.json')}`, ...options);
    await controller.ready();
    client = await startZoneClient('container', VIP, PORT);
  });
  afterAll(async () => {
    await client?.stop();
    await host?.close();
    await backends?.stop();
    await network?.remove();
  });

  /** The app as Marathon would give it: without the tasks of some addresses, and with failing health checks of others. */
  async function say({ gone = [] as string[], unhealthy = [] as string[] } = {}): Promise<void> {
    const tasks = Object.entries(ZONES).flatMap(([zone, addresses]) =>
      addresses.map((address) => ({
        ...{ id: `web.${address}`, host: address, ports: [PORT], state: 'TASK_RUNNING', region: 'eu', zone },
        healthCheckResults: [{ alive: !unhealthy.includes(address) }],
      })),
    );
    const labels = { VIP_0: `${VIP}:${PORT}`, IPVS_TRAFFIC_DISTRIBUTION: 'PreferSameZone' };
    const app = {
      id: '/web',
      portDefinitions: [{ port: PORT, labels }],
      healthChecks: [{ protocol: 'HTTP' }],
      tasks: tasks.filter(({ host: address }) => !gone.includes(address)),
    };
    await writeFile(host.path('next.json'), JSON.stringify([app]));
    await rename(host.path('next.json'), host.path('apps.json'));
  }

  /** Resolves once the kernel sends new connections to these alone. */
  async function inRotation(addresses: readonly string[]): Promise<void> {
    const wanted = addresses.map((address) => `${address}:${PORT}`);
    await eventually(async () => {
      const weights = (await backendsOf('tcp', `${VIP}:${PORT}`)) ?? new Map<string, number>();
      const found = [...weights].flatMap(([backend, weight]) => (weight > 0 ? [backend] : []));
      if (found.sort().join() !== wanted.join()) throw new Error(`in rotation: ${found.join()}`);
      return true;
    });
  }

  /** Who answered in a while, and what failed since the client was last asked. */
  async function watched(): Promise<Taken & { readonly count: number; readonly inZone: number }> {
    const { failures: before } = await client.take();
    await sleep(WATCH_MS);
    const taken = await client.take();
    const counts = Object.entries(taken.answers);
    const count = counts.reduce((sum, [, one]) => sum + one, 0);
    const inZone = counts.reduce((sum, [from, one]) => (ZONES.a.includes(from) ? sum + one : sum), 0);
    return { answers: taken.answers, failures: [...before, ...taken.failures], count, inZone };
  }

  test('at most one connection in twenty leaves the zone, and both of its backends get some', async () => {
    await inRotation(ZONES.a);
    const { answers, failures, count, inZone } = await watched();
    process.stdout.write(`zones: ${count} connections, ${inZone} in the zone: ${JSON.stringify(answers)}\n`);
    expect(failures).toEqual([]);
    expect(count).toBeGreaterThan(50);
    expect(inZone / count).toBeGreaterThanOrEqual(0.95);
    for (const address of ZONES.a) expect(answers[address]).toBeGreaterThan(0);
  });

  test('no connection fails when the zone falls ill and dies, and the other zones take over', async () => {
    await client.take();
    await say({ unhealthy: ZONES.a });
    await inRotation([...ZONES.b, ...ZONES.c]);
    // What is on its way to a backend that was just taken out of rotation.
    await sleep(1_000);
    await backends.stopServing(ZONES.a);
    await say({ gone: ZONES.a });
    const { answers, failures, count, inZone } = await watched();
    process.stdout.write(`zones: ${count} connections after the zone died: ${JSON.stringify(answers)}\n`);
    expect(failures).toEqual([]);
    expect(count).toBeGreaterThan(50);
    expect(inZone).toBe(0);
  });

  test('the controller tells that no backend near is in rotation', async () => {
    const { vips } = JSON.parse((await controller.get('/v1/status')).body);
    expect(vips).toMatchObject([{ nearness: { tier: 'region', leftOut: 0 } }]);
  });
});
