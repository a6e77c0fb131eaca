import { expect, test } from '@jest/globals';
import { Watch } from '../../../controller/eject/watch.ts';
import type { EjectionReport, ProbeResult } from '../../../controller/ejection.ts';
import { type Backend, endpointKey, type Service } from '../../../controller/model.ts';
import type { Counted, CountersRead } from '../../../controller/ports.ts';
import { WEIGHT_1, WLC } from '../../support/builders.ts';
import { FakeClock } from '../../support/fake-clock.ts';

const KEY = 'tcp/11.0.0.1:80';

function backend(address: string): Backend {
  const of = { app: '/web', task: address, reason: 'running', drainSeconds: 300 };
  return { address, port: 80, ...WEIGHT_1, ...of };
}

function service(...addresses: readonly string[]): Service {
  const backends = new Map(addresses.map((address) => [`${address}:80`, backend(address)]));
  const called = { name: 'web', framework: 'marathon', fqdn: null, apps: ['/web'] };
  return { protocol: 'tcp', family: 'ipv4', address: '11.0.0.1', port: 80, ...WLC, ...called, backends };
}

/** Clients connect all the time; 10.0.0.1 sends nothing back. */
function watch(
  mode: EjectionReport['mode'],
  results: Record<string, ProbeResult>,
  cost: (read: number) => number = () => 0,
  entries = 10_000,
) {
  const clock = new FakeClock();
  const services = new Map([[KEY, service('10.0.0.1', '10.0.0.2', '10.0.0.3')]]);
  let reads = 0;
  let used = 0;
  const counted = (address: string, read: number): Counted => {
    const replies = address === '10.0.0.1' ? 0 : read;
    return {
      connections: read,
      inPackets: 3 * read,
      inBytes: 300 * read,
      outPackets: replies,
      outBytes: 600 * replies,
    };
  };
  const counters = {
    async read(): Promise<CountersRead> {
      reads += 1;
      const cpu = cost(reads);
      used += cpu;
      if (cpu > 0) await clock.sleep(cpu);
      const found = [...(services.get(KEY)?.backends.values() ?? [])].map(({ address, port }) => {
        const [before, after, last] = [reads - 2, reads - 1, reads].map((read) => counted(address, read));
        if (before === undefined || after === undefined || last === undefined)
          throw new Error('three readings');
        return [endpointKey({ address, port }), { readings: [before, after, last], isInARow: true }] as const;
      });
      return { services: new Map([[KEY, new Map(found)]]), left: 0, entries };
    },
    close: () => undefined,
  };
  const prober = {
    probe: async ({ address }: { address: string }, attempts: number) =>
      Array.from({ length: attempts }, () => results[address] ?? 'connected'),
  };
  const log = { debug() {}, info() {}, warn() {}, error() {} };
  const ports = { counters, prober, clock, log, cpuMs: () => used };
  const watching = new Watch(ports, { mode, services: () => services, hostAddresses: () => new Set() });
  const stop = new AbortController();
  let told = 0;
  const running = watching.run(() => {
    told += 1;
  }, stop.signal);
  const end = async () => {
    stop.abort();
    await clock.advance(10_000);
    await running;
  };
  return { watching, clock, services, told: () => told, reads: () => reads, end };
}

test('a backend that gives clients and probes no answer is ejected, and whoever makes passes is told', async () => {
  const { watching, clock, told, end } = watch('on', { '10.0.0.1': 'refused' });
  await clock.advance(3_000);
  expect([...watching.ejections.keys()]).toEqual(['tcp/10.0.0.1:80']);
  expect(told()).toBeGreaterThan(0);
  expect([...watching.takeChanged()]).toEqual(['tcp/10.0.0.1:80']);
  expect(watching.report()).toMatchObject({ mode: 'on', blind: null, ejected: { refused: 1 } });
  await end();
});

test('where it only observes, the backend is told of and stays in rotation', async () => {
  const { watching, clock, end } = watch('observe', { '10.0.0.1': 'refused' });
  await clock.advance(3_000);
  expect(watching.ejections.size).toBe(0);
  expect([...watching.report().ejections.keys()]).toEqual(['tcp/10.0.0.1:80']);
  await end();
});

test('a backend that the sources do not name any more is forgotten', async () => {
  const { watching, clock, services, end } = watch('on', { '10.0.0.1': 'refused' });
  await clock.advance(3_000);
  services.set(KEY, service('10.0.0.2', '10.0.0.3'));
  await clock.advance(1_000);
  expect(watching.ejections.size).toBe(0);
  await end();
});

test('counters that cost more than a fiftieth of a processor are read more rarely, and that is told', async () => {
  const { watching, clock, reads, end } = watch('on', {}, () => 100);
  await clock.advance(2_000);
  const before = reads();
  await clock.advance(40_000);
  expect(reads() - before).toBeLessThanOrEqual(8);
  expect(watching.report().behind).toMatch(
    /^a read of the counters takes 100 ms, so they are read every 5 s$/,
  );
  await end();
});

test('reads of which most cost much are made more rarely, though some happen to be cheap', async () => {
  const { clock, reads, end } = watch('on', {}, (read) => (read % 5 < 2 ? 1 : 40));
  await clock.advance(5_000);
  const before = reads();
  await clock.advance(40_000);
  expect(reads() - before).toBeLessThanOrEqual(22);
  await end();
});

test('a read that happens to cost much, as the first one does, keeps none of the next ones waiting', async () => {
  const { clock, reads, end } = watch('on', {}, (read) => (read % 4 === 1 ? 200 : 1));
  await clock.advance(20_000);
  expect(reads()).toBeGreaterThan(60);
  await end();
});

test('a small table is read often, however long that seems to take on a busy machine', async () => {
  const { watching, clock, reads, end } = watch('on', {}, () => 100, 5);
  await clock.advance(20_000);
  expect(reads()).toBeGreaterThan(60);
  expect(watching.report().behind).toBeNull();
  await end();
});
