/** What a backend that comes to a VIP gets of its connections, counted by the client, on a real kernel. */

import type { ChildProcess } from 'node:child_process';
import { rename, writeFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { eventually, IN_LAB, type RunningController, TestHost } from '../support/host.ts';
import { createNetwork, type Network } from '../support/network.ts';
import { ended, inNamespace } from './in-namespace.ts';
import { backendsOf } from './kernel.ts';

jest.setTimeout(600_000);
const inLab = IN_LAB ? describe : describe.skip;
const LONG = process.env['TRAFFIC'] === 'long';

const AGENT = '10.9.0.2';
const PORTS = [8_001, 8_002, 8_003, 8_004];
const NEWCOMER = 8_004;
const RATE = 100;
const SLOW_START_SECONDS = 12;
/** Until the three that are there have as many connections as they are going to have, if those are held. */
const WARM_UP_MS = 5_000;

/** When it was opened, in milliseconds since the epoch, and to which backend. */
type Connection = readonly [at: number, port: number];

interface Case {
  readonly labels: Readonly<Record<string, string>>;
  /** How long a client holds its connection. */
  readonly holdMs: number;
  readonly watchMs: number;
}

inLab('of 100 connections a second to a VIP of three, a fourth backend gets', () => {
  let host: TestHost;
  let network: Network;
  let controller: RunningController;
  let listeners: ChildProcess;
  let vips = 0;

  beforeAll(async () => {
    host = await TestHost.open();
    network = await createNetwork({
      here: { bridges: { agents: ['10.9.0.1/24'], containers: ['172.17.0.1/16'] } },
      namespaces: {
        agents: { on: 'agents', addresses: [`${AGENT}/24`], routes: ['default via 10.9.0.1'] },
        container: { on: 'containers', addresses: ['172.17.0.2/16'], routes: ['default via 172.17.0.1'] },
      },
    });
    listeners = inNamespace('agents', 'listeners-main.ts', AGENT, ...PORTS.map(String));
    await writeFile(host.path('apps.json'), '[]');
    controller = await host.start('--source', `file=${host.path('apps.json')}`, '--dns-listen', 'off');
    await controller.ready();
  });
  afterAll(async () => {
    if (listeners !== undefined) await ended(listeners);
    await host?.close();
    await network?.remove();
  });

  /** What the client saw from the moment at which the fourth backend came into the kernel. */
  async function newcomer({ labels, holdMs, watchMs }: Case): Promise<readonly Connection[]> {
    vips += 1;
    const address = `192.168.77.${vips}`;
    const deploy = async (ports: readonly number[]) => {
      const tasks = ports.map((port) => ({
        id: `app.${port}`,
        host: AGENT,
        ports: [port],
        state: 'TASK_RUNNING',
      }));
      const app = {
        id: '/app',
        portDefinitions: [{ port: 0, labels: { VIP_0: `${address}:80`, ...labels } }],
        tasks,
      };
      await writeFile(host.path('new'), JSON.stringify([app]));
      await rename(host.path('new'), host.path('apps.json'));
      await eventually(async () => (await backendsOf('tcp', `${address}:80`))?.size === ports.length);
    };
    await deploy(PORTS.filter((port) => port !== NEWCOMER));
    const client = inNamespace('container', 'connections-main.ts', address, '80', `${RATE}`, `${holdMs}`);
    const told = client.stdout === null ? Promise.reject(new Error('no stdout')) : text(client.stdout);
    await sleep(WARM_UP_MS);
    await deploy(PORTS);
    await sleep(watchMs);
    await ended(client);
    const all: readonly Connection[] = JSON.parse(await told);
    expect(all.filter(([, port]) => port === 0)).toEqual([]);
    return all.slice(all.findIndex(([, port]) => port === NEWCOMER));
  }

  const held = { holdMs: 3_000, watchMs: 16_000 };

  test('more than twice its share in a second without slow start, which is what this test must be able to see', async () => {
    const seen = await newcomer({ labels: {}, holdMs: 3_000, watchMs: 4_000 });
    expect(tell('wlc, held for 3 s, no slow start', seen)).toBeGreaterThan(2);
  });

  test('no more than twice its share in any second with slow start', async () => {
    const labels = { IPVS_SLOW_START_SECONDS: `${SLOW_START_SECONDS}` };
    const seen = await newcomer({ labels, ...held });
    expect(tell('wlc, held for 3 s, slow start', seen)).toBeLessThanOrEqual(2);
    const weights = await backendsOf('tcp', `192.168.77.${vips}:80`);
    expect([...(weights?.values() ?? [])]).toEqual([100, 100, 100, 100]);
  });

  // What docs/slow-start.md says of connections that last for milliseconds.
  (LONG ? test : test.skip)(
    'all of them with wlc where connections are short, and its weight with wrr',
    async () => {
      const slow = { IPVS_SLOW_START_SECONDS: `${SLOW_START_SECONDS}` };
      const short = { holdMs: 0, watchMs: 16_000 };
      tell('wlc, short, no slow start', await newcomer({ labels: {}, ...short }));
      tell('wlc, short, slow start', await newcomer({ labels: slow, ...short }));
      tell('wrr, short, no slow start', await newcomer({ labels: { IPVS_SCHEDULER: 'wrr' }, ...short }));
      const seen = await newcomer({ labels: { IPVS_SCHEDULER: 'wrr', ...slow }, ...short });
      expect(tell('wrr, short, slow start', seen)).toBeLessThanOrEqual(1.3);
    },
  );
});

/** How many times its share the newcomer gets in the second in which it gets most; prints what it gets in each second. */
function tell(what: string, seen: readonly Connection[]): number {
  const most = Math.max(...sharesIn(seen));
  const start = seen[0]?.[0] ?? 0;
  const seconds = Map.groupBy(seen, ([at]) => Math.floor((at - start) / 1_000));
  const each = [...seconds.values()].map(
    (all) => `${all.filter(([, port]) => port === NEWCOMER).length}/${all.length}`,
  );
  process.stdout.write(`${what}: at most ${most.toFixed(2)} times its share; ${each.join(' ')}\n`);
  return most;
}

/**
 * The newcomer's part of the connections of each second that begins with one of them, 1 where it is as great as those of the
 * others. Seconds in which the lab had no time for most of the clients count for nothing.
 */
function sharesIn(seen: readonly Connection[]): readonly number[] {
  const seconds: { readonly all: number; readonly mine: number }[] = [];
  let to = 0;
  let mine = 0;
  for (const [from, [at, port]] of seen.entries()) {
    for (; to < seen.length && (seen[to]?.[0] ?? 0) < at + 1_000; to += 1)
      if (seen[to]?.[1] === NEWCOMER) mine += 1;
    if (to === seen.length) break;
    seconds.push({ all: to - from, mine });
    if (port === NEWCOMER) mine -= 1;
  }
  const usual = seconds.map(({ all }) => all).toSorted((a, b) => a - b)[Math.floor(seconds.length / 2)] ?? 0;
  const busy = seconds.filter(({ all }) => all > (usual * 2) / 3);
  return busy.map(({ all, mine }) => (mine / all) * PORTS.length);
}
