/** When counters are read, and which earlier ones they are compared with. */

import { expect, test } from '@jest/globals';
import type { KernelReading, ServiceCounters } from '../../../controller/model/counters.ts';
import { createStatusBoard } from '../../../controller/status/board.ts';
import { SpreadWatch } from '../../../controller/status/spread-watch.ts';
import { backend, service } from '../../support/builders.ts';
import { FakeClock, settled } from '../../support/fake-clock.ts';
import { desiredOf } from '../../support/observed.ts';
import { passOf } from './passes.ts';
import { readingOf, traffic } from './status-world.ts';

const KEY = 'tcp/11.0.0.1:80';
const WEB = service('11.0.0.1', 80, [backend('10.0.0.1', 80), backend('10.0.0.2', 80)], { name: 'web' });
const MINUTE = 60_000;

function watched() {
  const clock = new FakeClock();
  const got = new Map<string, number>([
    ['10.0.0.1:80', 100],
    ['10.0.0.2:80', 100],
  ]);
  const reads: number[] = [];
  const open = new Map<string, number>();
  const counters = {
    async read(): Promise<KernelReading> {
      reads.push(clock.monotonic());
      const entries = [...got].map(([key, connections]) => [
        key,
        {
          activeConnections: open.get(key) ?? 0,
          inactiveConnections: 0,
          traffic: { ...traffic, connections },
        },
      ]);
      const connections = [...got.values()].reduce((a, b) => a + b, 0);
      const counted: ServiceCounters = {
        traffic: { ...traffic, connections },
        backends: new Map(entries as [string, never][]),
      };
      const services = got.size === 0 ? new Map() : new Map([[KEY, counted]]);
      const { kernel } = readingOf(services) as { kernel: KernelReading };
      return kernel;
    },
    close: () => undefined,
  };
  const board = createStatusBoard({ sources: [], dryRun: false, clock });
  board.passed(passOf({ desired: desiredOf(WEB), over: { finishedAt: clock.monotonic() } }));
  const watch = new SpreadWatch(counters, () => board.current().vips, clock);
  const connect = (key: string, count: number) => got.set(key, (got.get(key) ?? 0) + count);
  return { clock, got, reads, open, watch, connect, board };
}

test('each read of the counters measures the spread since the first', async () => {
  const { clock, watch, connect } = watched();
  const from = clock.monotonic();
  await watch.read([KEY]);
  expect(watch.spreads.get(KEY)).toBeUndefined();
  connect('10.0.0.1:80', 90);
  connect('10.0.0.2:80', 10);
  await clock.advance(2_000);
  await watch.read([KEY]);
  expect(watch.spreads.get(KEY)).toMatchObject({ since: from, connections: 100, most: { ofShare: 1.8 } });
});

test('counters are read every minute, and compared with those of five to ten minutes before', async () => {
  const { clock, reads, watch, connect } = watched();
  const stop = new AbortController();
  const running = watch.run(stop.signal);
  await settled();
  expect(reads).toHaveLength(1);
  connect('10.0.0.1:80', 1_000);
  connect('10.0.0.2:80', 1_000);
  await clock.advance(5 * MINUTE);
  expect(reads).toHaveLength(6);
  expect(watch.spreads.get(KEY)).toMatchObject({ connections: 2_000, most: { ofShare: 1 } });
  connect('10.0.0.1:80', 100);
  await clock.advance(4 * MINUTE);
  expect(watch.spreads.get(KEY)?.connections).toBe(2_100);
  await clock.advance(MINUTE);
  expect(watch.spreads.get(KEY)).toMatchObject({ connections: 100, most: { ofShare: 2 } });
  await clock.advance(5 * MINUTE);
  expect(watch.spreads.has(KEY)).toBe(false);
  stop.abort();
  await running;
});

test('a new VIP is compared from then on', async () => {
  const { clock, watch, connect, board, got } = watched();
  const counted = [...got];
  got.clear();
  const stop = new AbortController();
  const running = watch.run(stop.signal);
  await clock.advance(2 * MINUTE);
  for (const [key, connections] of counted) got.set(key, connections);
  board.passed(passOf({ desired: desiredOf(WEB), over: { finishedAt: clock.monotonic() } }));
  await clock.advance(MINUTE);
  const from = clock.monotonic();
  connect('10.0.0.1:80', 60);
  connect('10.0.0.2:80', 60);
  await clock.advance(MINUTE);
  expect(watch.spreads.get(KEY)).toMatchObject({ since: from, connections: 120 });
  // After an idle hour it is still compared with counters of minutes ago.
  await clock.advance(60 * MINUTE);
  connect('10.0.0.1:80', 60);
  await clock.advance(MINUTE);
  const { since = 0, connections } = watch.spreads.get(KEY) ?? {};
  expect(connections).toBe(60);
  expect(clock.monotonic() - since).toBeLessThanOrEqual(10 * MINUTE);
  stop.abort();
  await running;
});

test('a new backend is compared after a whole span', async () => {
  const { clock, got, watch, connect, board } = watched();
  const stop = new AbortController();
  const running = watch.run(stop.signal);
  await clock.advance(2 * MINUTE);
  const more = { ...WEB, backends: new Map(WEB.backends).set('10.0.0.3:80', backend('10.0.0.3', 80)) };
  board.passed(passOf({ desired: desiredOf(more), over: { finishedAt: clock.monotonic() } }));
  got.set('10.0.0.3:80', 0);
  for (const key of got.keys()) connect(key, 60);
  await clock.advance(MINUTE);
  expect(watch.spreads.get(KEY)?.backends).toBe(2);
  await clock.advance(3 * MINUTE);
  for (const key of got.keys()) connect(key, 60);
  await clock.advance(5 * MINUTE);
  expect(watch.spreads.get(KEY)).toMatchObject({ backends: 3, connections: 180, most: { ofShare: 1 } });
  stop.abort();
  await running;
});

test('a backend that was full is compared again after a whole span', async () => {
  const { clock, open, watch, connect, board } = watched();
  const limited = { ...backend('10.0.0.2', 80), upperThreshold: 4, lowerThreshold: 3 };
  const other = backend('10.0.0.3', 80);
  const web = service('11.0.0.1', 80, [backend('10.0.0.1', 80), limited, other], { name: 'web' });
  board.passed(passOf({ desired: desiredOf(web), over: { finishedAt: clock.monotonic() } }));
  connect('10.0.0.3:80', 0);
  const stop = new AbortController();
  const running = watch.run(stop.signal);
  await clock.advance(MINUTE);
  open.set('10.0.0.2:80', 4);
  connect('10.0.0.1:80', 60);
  connect('10.0.0.3:80', 60);
  await clock.advance(MINUTE);
  open.delete('10.0.0.2:80');
  await clock.advance(MINUTE);
  expect(watch.spreads.get(KEY)).toMatchObject({ backends: 2, connections: 120, most: { ofShare: 1 } });
  await clock.advance(7 * MINUTE);
  for (const key of ['10.0.0.1:80', '10.0.0.2:80', '10.0.0.3:80']) connect(key, 60);
  await clock.advance(MINUTE);
  expect(watch.spreads.get(KEY)).toMatchObject({ backends: 3, connections: 180, most: { ofShare: 1 } });
  stop.abort();
  await running;
});

test('a failed read keeps the last spreads and is retried; slow reads are made less often', async () => {
  const { clock, reads, watch } = watched();
  const failing = new SpreadWatch(
    { read: () => Promise.reject(new Error('EPERM')), close: () => undefined },
    () => new Map(),
    clock,
  );
  await expect(failing.read([])).rejects.toThrow('EPERM');
  const slow = new SpreadWatch(
    {
      async read(services) {
        await clock.sleep(2_000);
        return await watch.read(services);
      },
      close: () => undefined,
    },
    () => new Map(),
    clock,
  );
  const stop = new AbortController();
  const running = [slow.run(stop.signal), failing.run(stop.signal)];
  await clock.advance(2_000 + 399_000);
  expect(reads).toHaveLength(1);
  await clock.advance(4_000);
  expect(reads).toHaveLength(2);
  stop.abort();
  await Promise.all(running);
});
