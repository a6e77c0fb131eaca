import { describe, expect, test } from '@jest/globals';
import { Watch, type WatchPorts } from '../../../controller/eject/watch.ts';
import type { ConnectionsExtent } from '../../../controller/model/connection-entry.ts';
import type { Counted, CountedDestination } from '../../../controller/model/counters.ts';
import type { EjectionReport, ProbeResult } from '../../../controller/model/ejection.ts';
import { endpointKey } from '../../../controller/model/endpoint.ts';
import { type Backend, type Service, serviceKey } from '../../../controller/model/service.ts';
import { WEIGHT_1, WLC } from '../../support/builders.ts';
import { FakeClock } from '../../support/fake-clock.ts';

function backend(address: string, task = address): Backend {
  const of = { app: '/web', task, reason: 'running', drainSeconds: 300 };
  return { address, port: 80, ...WEIGHT_1, ...of };
}

function service(...addresses: readonly string[]): Service {
  const backends = new Map(addresses.map((address) => [`${address}:80`, backend(address)]));
  const called = { name: 'web', framework: 'marathon', fqdn: null, apps: ['/web'] };
  return { protocol: 'tcp', family: 'ipv4', address: '11.0.0.1', port: 80, ...WLC, ...called, backends };
}

const KEY = 'tcp/11.0.0.1:80';
/** The address of that VIP, and of others with the same backends. */
const [VIP, OTHER_VIP] = ['0B000001', '0B000002'];
const DEAD = '10.0.0.1';
const NO_COST = () => 0;

interface Options {
  readonly mode?: EjectionReport['mode'];
  /** What a probe of each backend finds. */
  readonly results?: Record<string, ProbeResult>;
  readonly connections?: ConnectionsExtent | 'unreadable';
  /** Processor time of each read. */
  readonly tableCost?: () => number;
  readonly countersCost?: (read: number) => number;
  /** How much of the counters is read each time. */
  readonly entries?: number;
  /** The VIPs that clients connect to, as the table writes their addresses, in its order. */
  readonly vips?: readonly string[];
  /** Further desired services. */
  readonly also?: readonly Service[];
}

/** Clients connect all the time; 10.0.0.1 gives no answer. */
function watch({
  mode = 'on',
  results = { [DEAD]: 'refused' },
  connections = 'all',
  tableCost = NO_COST,
  countersCost = NO_COST,
  entries = 10_000,
  vips = [VIP],
  also = [],
}: Options = {}) {
  const clock = new FakeClock();
  const services = new Map([[KEY, service(DEAD, '10.0.0.2', '10.0.0.3')]]);
  for (const one of also) services.set(serviceKey(one), one);
  const reads = { connections: 0, counters: 0 };
  let used = 0;
  const take = async (cost: number) => {
    used += cost;
    if (cost > 0) await clock.sleep(cost);
  };
  const addresses = () => [...(services.get(KEY)?.backends.values() ?? [])].map(({ address }) => address);
  const table = new Map<string, string>();
  const ports: WatchPorts = {
    connections: {
      async read() {
        reads.connections += 1;
        const cost = tableCost();
        await take(cost);
        if (connections === 'unreadable') throw new Error('permission denied');
        for (const vip of vips)
          for (const address of addresses())
            table.set(keyOf(reads.connections, address, vip), address === DEAD ? 'SYN_RECV' : 'ESTABLISHED');
        return { tcp: new Map(table), extent: connections, bytes: 1 << 20, cpuFrom: used - cost };
      },
      close: () => undefined,
    },
    counters: {
      async read() {
        reads.counters += 1;
        await take(countersCost(reads.counters));
        const found = addresses().map((address) => {
          const at = [reads.counters - 2, reads.counters - 1, reads.counters] as const;
          const [before, after, last] = at;
          const readings: CountedDestination = [
            counted(address, before),
            counted(address, after),
            counted(address, last),
          ];
          return [endpointKey({ address, port: 80 }), readings] as const;
        });
        return { services: new Map([[KEY, new Map(found)]]), left: 0, entries };
      },
      close: () => undefined,
    },
    prober: {
      probe: async ({ address }, attempts) =>
        Array.from({ length: attempts }, () => results[address] ?? 'connected'),
    },
    log: { debug() {}, info() {}, warn() {}, error() {} },
    clock,
    cpuMs: () => used,
  };
  const watching = new Watch(ports, { mode, services: () => services, hostAddresses: () => new Set() });
  const stop = new AbortController();
  let told = 0;
  const running = watching.run(() => {
    told += 1;
  }, stop.signal);
  const end = async () => {
    stop.abort();
    await clock.advance(60_000);
    await running;
  };
  const leave = (...left: readonly string[]) => services.set(KEY, service(...left));
  return { watching, clock, services, leave, told: () => told, reads, end };
}

/** A new connection of that number to a VIP, as the kernel writes it. */
function keyOf(client: number, backend: string, vip: string): string {
  const number = client.toString(16).toUpperCase().padStart(8, '0');
  return `TCP ${number} 8000 ${vip} 0050 0A00000${backend.at(-1)} 0050`;
}

function counted(address: string, connections: number): Counted {
  const replies = address === DEAD ? 0 : connections;
  return {
    connections,
    inPackets: connections,
    inBytes: 100 * connections,
    outPackets: replies,
    outBytes: 600 * replies,
  };
}

test('a backend that answers neither clients nor probes is ejected, and causes a pass', async () => {
  const { watching, clock, told, end } = watch();
  await clock.advance(700);
  expect([...watching.ejections.keys()]).toEqual(['tcp/10.0.0.1:80']);
  expect(told()).toBeGreaterThan(0);
  expect([...watching.takeChanged()]).toEqual(['tcp/10.0.0.1:80']);
  expect(watching.report()).toMatchObject({ mode: 'on', blind: null, behind: null, ejected: { refused: 1 } });
  await end();
});

test.each([
  ['of another program', []],
  ['whose app is never ejected', [{ eject: false }]],
  ['where it is out of rotation', [{ weight: 0 }]],
] as const)('a VIP %s, which the table lists first, does not hide its failure', async (_, others) => {
  const also = others.map((what): Service => {
    const backends = new Map([[`${DEAD}:80`, { ...backend(DEAD), ...what }]]);
    return { ...service(), address: '11.0.0.2', backends };
  });
  const { watching, clock, end } = watch({ vips: [OTHER_VIP, VIP], also });
  await clock.advance(700);
  expect([...watching.ejections.keys()]).toEqual(['tcp/10.0.0.1:80']);
  await end();
});

test('connections to VIPs of other programs alone make no backend a suspect', async () => {
  const { watching, clock, end } = watch({ vips: [OTHER_VIP] });
  await clock.advance(700);
  expect(watching.report()).toMatchObject({ suspects: 0 });
  expect(watching.ejections.size).toBe(0);
  await end();
});

test('where it only observes, the backend is told of and stays in rotation', async () => {
  const { watching, clock, end } = watch({ mode: 'observe' });
  await clock.advance(3_000);
  expect(watching.ejections.size).toBe(0);
  expect([...watching.report().ejections.keys()]).toEqual(['tcp/10.0.0.1:80']);
  await end();
});

test('a backend that the sources do not name any more is forgotten', async () => {
  const { watching, clock, leave, end } = watch();
  await clock.advance(3_000);
  leave('10.0.0.2', '10.0.0.3');
  await clock.advance(1_000);
  expect(watching.ejections.size).toBe(0);
  await end();
});

test('another task at the address of an ejected backend is not ejected in the pass that brings it', async () => {
  const { watching, clock, services, end } = watch({ connections: 'unreadable' });
  while (watching.ejections.size === 0) await clock.advance(1_000);
  watching.takeChanged();
  const { backends, ...rest } = service(DEAD, '10.0.0.2', '10.0.0.3');
  services.set(KEY, { ...rest, backends: new Map(backends).set(`${DEAD}:80`, backend(DEAD, 'new')) });
  expect([...watching.takeChanged()]).toEqual([`tcp/${DEAD}:80`]);
  expect(watching.ejections.size).toBe(0);
  await end();
});

test('it is forgotten within a second, however rarely connections and counters are read', async () => {
  const { watching, clock, leave, told, end } = watch({ connections: 'unreadable', countersCost: () => 400 });
  while (watching.ejections.size === 0) await clock.advance(1_000);
  await clock.advance(1_000);
  leave('10.0.0.2', '10.0.0.3');
  const before = told();
  await clock.advance(1_100);
  expect(watching.ejections.size).toBe(0);
  expect(told()).toBeGreaterThan(before);
  await end();
});

test('where the table of connections cannot be read, the counters tell of the backend, and that is told', async () => {
  const { watching, clock, end } = watch({ connections: 'unreadable' });
  await clock.advance(10_000);
  expect([...watching.ejections.keys()]).toEqual(['tcp/10.0.0.1:80']);
  expect(watching.report().behind).toBe("the kernel's connection table cannot be read: permission denied");
  await end();
});

test.each([
  ['waiting', null],
  [
    'beginning',
    'the connection table is too large to read whole: failures may be detected some seconds late',
  ],
] as const)(
  'a part of a large table (%s) tells of the backend as soon, and where that leaves out much it is told',
  async (connections, behind) => {
    const { watching, clock, reads, end } = watch({ connections });
    await clock.advance(700);
    expect([...watching.ejections.keys()]).toEqual(['tcp/10.0.0.1:80']);
    expect(watching.report().behind).toBe(behind);
    await clock.advance(19_300);
    // The counters tell of what is in the rest.
    expect(reads.counters).toBeGreaterThan(30);
    await end();
  },
);

test('connections and counters that cost much are read more rarely, and that is told', async () => {
  const { watching, clock, reads, end } = watch({
    results: {},
    tableCost: () => 45,
    countersCost: () => 100,
  });
  await clock.advance(20_000);
  const before = { ...reads };
  await clock.advance(60_000);
  // 1.2 % and 0.5 % of a processor.
  expect(reads.connections - before.connections).toBeLessThanOrEqual(17);
  expect(reads.counters - before.counters).toBeLessThanOrEqual(4);
  expect(watching.report().behind).toBe(
    'reading the connection table takes 45 ms, so it happens only every 4 s; reading the counters takes 100 ms, so it happens only every 20 s',
  );
  await end();
});

test.each([
  ['all', 5],
  ['waiting', 7],
  ['beginning', 12],
] as const)(
  'the less of the table is read (%s), the more often are the counters',
  async (connections, most) => {
    const { watching, clock, reads, end } = watch({
      results: {},
      connections,
      tableCost: () => 45,
      countersCost: () => 100,
    });
    await clock.advance(100_000);
    const before = reads.counters;
    await clock.advance(100_000);
    expect(reads.counters - before).toBeLessThanOrEqual(most);
    expect(reads.counters - before).toBeGreaterThanOrEqual(most - 1);
    expect(watching.report().behind).toMatch(/reading the counters takes 100 ms/);
    await end();
  },
);

test('counters get what the table does not need', async () => {
  const { clock, reads, end } = watch({ results: {}, countersCost: () => 100 });
  await clock.advance(20_000);
  const before = reads.counters;
  await clock.advance(60_000);
  expect(reads.counters - before).toBeGreaterThanOrEqual(9);
  await end();
});

describe('counters alone', () => {
  const alone = { results: {}, connections: 'unreadable' } as const;

  test('are read more rarely where most reads cost much, though some happen to be cheap', async () => {
    const { clock, reads, end } = watch({ ...alone, countersCost: (read) => (read % 5 < 2 ? 1 : 40) });
    await clock.advance(10_000);
    const before = reads.counters;
    await clock.advance(40_000);
    expect(reads.counters - before).toBeLessThanOrEqual(22);
    await end();
  });

  test('are not kept waiting by a read that happens to cost much, as the first one does', async () => {
    const { clock, reads, end } = watch({ ...alone, countersCost: (read) => (read % 4 === 1 ? 200 : 1) });
    await clock.advance(20_000);
    expect(reads.counters).toBeGreaterThan(30);
    await end();
  });

  test('of a small table are read often, however long that seems to take on a busy machine', async () => {
    const { watching, clock, reads, end } = watch({ ...alone, countersCost: () => 100, entries: 5 });
    await clock.advance(20_000);
    expect(reads.counters).toBeGreaterThan(30);
    expect(watching.report().behind).not.toMatch(/counters/);
    await end();
  });
});
