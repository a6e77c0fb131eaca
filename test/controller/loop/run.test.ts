import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type RunOptions, run, type WakeReason } from '../../../controller/loop/run.ts';
import type { Snapshot } from '../../../controller/model/snapshot.ts';
import type { PassStatus } from '../../../controller/pass-status.ts';
import type { AppSource, Observer, SourceListener } from '../../../controller/ports.ts';
import { Latch } from '../../../controller/time.ts';
import { app, port, snapshot, task, taskPort, web } from '../../support/builders.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { Telling } from '../../support/telling.ts';
import { World } from '../../support/world.ts';

const VIP = 'tcp/11.134.217.55:5555';
const mine = (...endpoints: readonly string[]) =>
  snapshot(web('/my-service', { VIP_0: '/my-service:5555' }, ...endpoints));
const OPTIONS: RunOptions = { resyncMs: 30_000, settleMs: 50, restoreAfterMs: 5_000, dryRun: false };

/** A source whose word the test gives. */
class TestSource implements AppSource {
  readonly name: string;
  #listener: SourceListener | undefined;
  readonly #telling = new Telling();
  #clock: FakeClock;

  constructor(name: string, clock: FakeClock) {
    this.name = name;
    this.#clock = clock;
  }

  follow(listener: SourceListener, signal: AbortSignal): Promise<void> {
    this.#listener = listener;
    return new Promise((resolve) => signal.addEventListener('abort', () => resolve()));
  }

  /** What it answers when it is asked beside the stream; null: it cannot be asked. */
  answer: Snapshot | null = null;
  asked = 0;

  async read(): Promise<Snapshot> {
    this.asked += 1;
    if (this.answer === null) throw new Error('connection refused');
    return this.answer;
  }

  says(what: Snapshot, complete = true): void {
    const delta = this.#telling.delta(what, complete, this.#clock.monotonic());
    if (delta !== null) this.#listener?.changed(delta);
  }

  fails(): void {
    this.#listener?.failed(new Error('503'));
  }
}

let world: World;
let clock: FakeClock;
let sources: TestSource[];
let stop: AbortController;
let ended: Promise<void>;
let wake: Latch<WakeReason>;
let passes: PassStatus[];

beforeEach(() => {
  clock = new FakeClock();
  world = new World(clock);
  passes = [];
});
afterEach(async () => {
  stop.abort();
  await ended;
});

function start(names: readonly string[] = ['one'], options: Partial<RunOptions> = {}): void {
  sources = names.map((name) => new TestSource(name, clock));
  stop = new AbortController();
  wake = new Latch();
  const observer: Observer = {
    moved: () => undefined,
    sourceRead: () => undefined,
    sourceFailed: () => undefined,
    passed: (pass) => passes.push(pass),
    repaired: () => undefined,
  };
  const ports = { ...world.ports(), sources, observer };
  ended = run(ports, world.start().reconciler, { ...OPTIONS, ...options }, wake, stop.signal);
}

function source(index = 0): TestSource {
  const found = sources[index];
  if (found === undefined) throw new Error(`no source ${index}`);
  return found;
}

describe('no pass before every source was read (rule 2)', () => {
  test('nothing is written until every source has been read completely once', async () => {
    start(['one', 'two']);
    await clock.advance(1_000);
    source(0).says(mine('10.0.0.1:31000'));
    source(1).says(snapshot(), false);
    await clock.advance(4_000);
    expect(world.done()).toEqual([]);
    source(1).says(snapshot());
    await clock.advance(100);
    expect(world.backends(VIP)).toEqual(['10.0.0.1:31000 w1']);
  });
});

describe('a read that finds no change', () => {
  test('starts no pass', async () => {
    start(['one'], { resyncMs: 1_000_000 });
    source().says(mine('10.0.0.1:31000'));
    await clock.advance(1_000);
    const before = passes.length;
    for (const complete of [true, false]) {
      source().says(mine('10.0.0.1:31000'), complete);
      await clock.advance(1_000);
    }
    expect(passes).toHaveLength(before);
    source().says(mine('10.0.0.1:31000', '10.0.0.2:31000'));
    await clock.advance(100);
    expect(passes).toHaveLength(before + 1);
  });

  test('starts a pass if it is the first read, even of an empty source', async () => {
    start();
    source().says(snapshot());
    await clock.advance(100);
    expect(passes).toHaveLength(1);
  });
});

describe('a backend in slow start', () => {
  test('wakes the loop for each step on time, and no more once it has its full weight', async () => {
    const slow = (...endpoints: readonly string[]) =>
      snapshot(web('/my-service', { VIP_0: '/my-service:5555', IPVS_SLOW_START_SECONDS: '5' }, ...endpoints));
    start(['one'], { resyncMs: 1_000_000 });
    source().says(slow('10.0.0.1:31000'));
    await clock.advance(1_000);
    source().says(slow('10.0.0.1:31000', '10.0.0.2:31000'));
    await clock.advance(6_000);
    const [began = 0, ...steps] = passes.slice(1).map(({ startedAt }) => startedAt);
    expect(world.backends(VIP)).toEqual(['10.0.0.1:31000 w100', '10.0.0.2:31000 w100']);
    expect(steps).toHaveLength(9);
    for (const [i, at] of steps.entries()) {
      const late = at - began - ((i + 1) * 5_000) / 9;
      expect(late).toBeGreaterThanOrEqual(0);
      expect(late).toBeLessThan(100);
    }
    const before = passes.length;
    await clock.advance(10_000);
    expect(passes).toHaveLength(before);
  });
});

describe('fail static (rule 3)', () => {
  test('a source that fails changes nothing: its last good state stays', async () => {
    start();
    source().says(mine('10.0.0.1:31000'));
    await clock.advance(100);
    source().fails();
    await clock.advance(120_000);
    expect(world.backends(VIP)).toEqual(['10.0.0.1:31000 w1']);
  });

  test('its last good state is saved on disk and used after a restart', async () => {
    start();
    source().says(mine('10.0.0.1:31000'));
    await clock.advance(6_000);
    stop.abort();
    await ended;

    world.kernel = new Map(); // The host was rebooted.
    start();
    await clock.advance(4_000);
    expect(world.kernel.size).toBe(0);
    await clock.advance(2_000);
    expect(world.backends(VIP)).toEqual(['10.0.0.1:31000 w1']);
  });

  test('the first state of a source is saved at once, later changes every few seconds', async () => {
    start();
    source().says(mine('10.0.0.1:31000'));
    await clock.advance(100);
    expect(world.stored.get('one')?.snapshot.apps[0]?.tasks).toHaveLength(1);
    source().says(mine('10.0.0.1:31000', '10.0.0.2:31000'));
    await clock.advance(4_000);
    expect(world.stored.get('one')?.snapshot.apps[0]?.tasks).toHaveLength(1);
    await clock.advance(2_000);
    expect(world.stored.get('one')?.snapshot.apps[0]?.tasks).toHaveLength(2);
  });

  test('a disk that hangs during the first save stops nothing', async () => {
    const hanging = Promise.withResolvers<void>();
    world.store.saveSource = () => hanging.promise;
    start();
    source().says(mine('10.0.0.1:31000'));
    await clock.advance(100);
    source().says(mine('10.0.0.1:31000', '10.0.0.2:31000'));
    await clock.advance(10_000);
    expect(world.backends(VIP)).toEqual(['10.0.0.1:31000 w1', '10.0.0.2:31000 w1']);
    hanging.resolve();
  });

  test('with saved state alone nothing is removed; once the source has been read it is', async () => {
    start();
    source().says(mine('10.0.0.1:31000', '10.0.0.2:31000'));
    await clock.advance(6_000);
    stop.abort();
    await ended;
    world.stored.set('one', { snapshot: mine('10.0.0.1:31000'), savedAt: 0 });

    start();
    await clock.advance(60_000);
    expect(world.backends(VIP)).toEqual(['10.0.0.1:31000 w1', '10.0.0.2:31000 w1']);
    source().says(mine('10.0.0.1:31000'));
    await clock.advance(100);
    expect(world.backends(VIP)).toEqual(['10.0.0.1:31000 w1']);
  });
});

describe('when passes are made', () => {
  test('the first change after a quiet period is applied at once', async () => {
    start();
    source().says(mine('10.0.0.1:31000'));
    await clock.advance(100);
    source().says(mine('10.0.0.1:31001'));
    await clock.advance(0);
    expect(world.backends(VIP)).toEqual(['10.0.0.1:31001 w1']);
  });

  test('the second of two changes waits for half of the settle time, later ones for all of it', async () => {
    start();
    source().says(mine('10.0.0.1:31000'));
    await clock.advance(100);
    const appliedAfter: number[] = [];
    for (const port of [31001, 31002, 31003]) {
      source().says(mine(`10.0.0.1:${port}`));
      let waited = 0;
      for (await clock.advance(0); world.backends(VIP)[0] !== `10.0.0.1:${port} w1`; waited += 1) {
        await clock.advance(1);
      }
      appliedAfter.push(waited);
    }
    expect(appliedAfter).toEqual([0, 25, 50]);
  });

  test('changes during the settle time cause one more pass, which reports when each was detected', async () => {
    start();
    source().says(mine('10.0.0.1:31000'));
    await clock.advance(100);
    passes.length = 0;
    for (const port of [31001, 31002, 31003, 31004]) {
      source().says(mine(`10.0.0.1:${port}`));
      await clock.advance(5);
    }
    await clock.advance(100);
    expect(passes.map(({ changesSince }) => changesSince.length)).toEqual([1, 3]);
    expect(world.backends(VIP)).toEqual(['10.0.0.1:31004 w1']);
  });

  test('a thousand changes within half a second cause at most a dozen passes', async () => {
    start();
    source().says(mine('10.0.0.1:30999'));
    await clock.advance(100);
    passes.length = 0;
    for (let half = 0; half < 500; half += 1) {
      source().says(mine(`10.0.0.1:${31_000 + half}`));
      source().says(mine(`10.0.0.1:${32_000 + half}`));
      await clock.advance(1);
    }
    await clock.advance(100);
    expect(passes.length).toBeLessThanOrEqual(12);
    expect(passes.flatMap(({ changesSince }) => changesSince)).toHaveLength(1_000);
    expect(world.backends(VIP)).toEqual(['10.0.0.1:32499 w1']);
  });

  test('the whole table is read and corrected at each resync, and at once on request', async () => {
    start();
    source().says(mine('10.0.0.1:31000'));
    await clock.advance(100);
    const remove = {
      op: 'remove-service',
      service: { protocol: 'tcp', address: '11.134.217.55', port: 5555 },
    } as const;

    world.meddle(remove);
    await clock.advance(20_000);
    expect(world.kernel.size).toBe(0);
    await clock.advance(12_000);
    expect(world.kernel.size).toBe(1);

    world.meddle(remove);
    wake.set('resync');
    await clock.advance(1);
    expect(world.kernel.size).toBe(1);
  });

  test('a change does not wait for the regular read, whose result does not undo it', async () => {
    start();
    source().says(mine('10.0.0.1:31000'));
    await clock.advance(100);
    const lasts = Promise.withResolvers<void>();
    world.readingTakes = lasts.promise;
    await clock.advance(31_000);
    source().says(mine('10.0.0.2:31000'));
    await clock.advance(1);
    expect(world.backends(VIP)).toEqual(['10.0.0.2:31000 w1']);

    world.done();
    lasts.resolve();
    await clock.advance(1);
    expect(passes.map(({ kind }) => kind)).toEqual(['full', 'changes', 'full']);
    expect(world.done()).toEqual([]);
    expect(world.backends(VIP)).toEqual(['10.0.0.2:31000 w1']);
    await clock.advance(31_000);
    expect(passes.at(-1)).toMatchObject({ kind: 'full', drift: [] });
  });

  test('after a failed read of the kernel the next pass follows soon', async () => {
    world.unreadable = 'EPERM';
    start();
    source().says(mine('10.0.0.1:31000'));
    await clock.advance(100);
    expect(passes.at(-1)?.error).toBe('EPERM');
    world.unreadable = null;
    await clock.advance(4_000);
    expect(world.backends(VIP)).toEqual(['10.0.0.1:31000 w1']);
  });

  test('a kernel that cannot be read is retried with pauses, even while a failed step is due for its retry', async () => {
    world.refuse = () => 'busy';
    start();
    source().says(mine('10.0.0.1:31000'));
    await clock.advance(100);
    world.unreadable = 'EPERM';
    await clock.advance(300);
    const reads = world.reads;
    await clock.advance(10_000);
    expect(world.reads - reads).toBeLessThan(8);
    expect(world.reads - reads).toBeGreaterThan(3);
  });

  test('a failed step is retried although nothing changes', async () => {
    world.refuse = () => 'busy';
    start();
    source().says(mine('10.0.0.1:31000'));
    await clock.advance(100);
    world.refuse = () => null;
    await clock.advance(3_000);
    expect(world.backends(VIP)).toEqual(['10.0.0.1:31000 w1']);
  });
});

test('two sources of one app that learn at different times that its tasks moved leave no stale backend', async () => {
  const c = port({ VIP_0: '/c:80' });
  const d = port({ VIP_0: '/d:80' }, { at: 'portDefinitions[1]' });
  const defined = (read: string, atC: string, atD: string) =>
    snapshot(
      app('/web', {
        ports: [c, d],
        warnings: [read],
        tasks: [task('t', [taskPort(c, atC), taskPort(d, atD)])],
      }),
    );
  const forwards = () => [...world.kernel].flatMap(([, { backends }]) => [...backends.keys()]).sort();
  const say = async (one: Snapshot, two: Snapshot) => {
    source(0).says(one);
    source(1).says(two);
    await clock.advance(200);
  };
  start(['marathon', 'file']);
  await clock.advance(100);
  await say(defined('1', '10.0.0.1:1', '10.0.0.1:2'), defined('1', '10.0.0.1:1', '10.0.0.1:2'));
  await say(defined('2', '10.0.0.1:1', '10.0.0.1:2'), defined('2', '10.0.0.1:1', '10.0.0.1:2'));
  await say(defined('3', '10.0.0.9:1', '10.0.0.1:2'), defined('3', '10.0.0.1:1', '10.0.0.9:2'));
  expect(forwards()).toEqual(['10.0.0.1:1', '10.0.0.1:2', '10.0.0.9:1', '10.0.0.9:2']);
  await say(defined('4', '10.0.0.9:1', '10.0.0.9:2'), defined('4', '10.0.0.9:1', '10.0.0.9:2'));
  expect(forwards()).toEqual(['10.0.0.9:1', '10.0.0.9:2']);
  source(0).says(snapshot(), false);
  source(1).says(snapshot(), false);
  await clock.advance(200);
  expect(world.kernel.size).toBe(0);
});

describe.each([-600_000, 600_000])('the machine’s clock is stepped by %d ms', (step) => {
  test('changes are applied as fast as usual, and interface and routes are checked as often', async () => {
    start();
    source().says(mine('10.0.0.1:31000'));
    await clock.advance(3_000);
    clock.step(step);
    const before = world.repairs;
    await clock.advance(2_000);
    expect(world.repairs - before).toBe(2);
    source().says(mine('10.0.0.2:31000'));
    await clock.advance(100);
    expect(world.backends(VIP)).toEqual(['10.0.0.2:31000 w1']);
  });

  test('the whole table is read as often as usual, a failed step retried, and a mass removal held as long', async () => {
    const two = snapshot(
      web('/a', { VIP_0: '/a:1' }, '10.0.0.1:1'),
      web('/b', { VIP_0: '/b:1' }, '10.0.0.2:1'),
    );
    start();
    source().says(two);
    await clock.advance(1_000);
    world.refuse = () => 'busy';
    source().says(snapshot(...two.apps, web('/c', { VIP_0: '/c:1' }, '10.0.0.3:1')));
    await clock.advance(100);
    world.refuse = () => null;
    source().answer = snapshot();
    source().says(snapshot());
    await clock.advance(100);
    expect(passes.at(-1)?.held).toMatchObject({ vips: 2 });
    const reads = world.reads;

    clock.step(step);
    await clock.advance(50_000);
    expect(world.reads - reads).toBeGreaterThanOrEqual(1);
    expect(world.kernel.size).toBe(2);
    await clock.advance(12_000);
    expect(world.kernel.size).toBe(0);
  });
});

test('an interface or route that someone removes is restored between passes, within two seconds', async () => {
  start();
  source().says(mine('10.0.0.1:31000'));
  await clock.advance(3_000);
  const before = world.repairs;
  await clock.advance(2_000);
  expect(world.repairs).toBeGreaterThan(before);
});

test('a change does not wait for the check of interface and routes, and does not prevent it', async () => {
  start();
  source().says(mine('10.0.0.1:31000'));
  await clock.advance(3_000);
  const before = world.repairs;
  for (let port = 31_001; port <= 31_100; port += 1) {
    source().says(mine(`10.0.0.1:${port}`));
    await clock.advance(30);
  }
  expect(world.repairs - before).toBeGreaterThanOrEqual(2);
  expect(world.repairs - before).toBeLessThanOrEqual(3);
});

test('a change does not wait for one that takes long, nor for the regular one', async () => {
  start();
  source().says(mine('10.0.0.1:31000'));
  await clock.advance(100);
  world.done();
  world.repairs = 0;
  const lasts = Promise.withResolvers<void>();
  world.lookingTakes = lasts.promise;
  for (const port of [31_001, 31_002, 31_003]) {
    await clock.advance(15_000);
    source().says(mine(`10.0.0.1:${port}`));
    await clock.advance(100);
    expect(world.backends(VIP)).toEqual([`10.0.0.1:${port} w1`]);
  }
  expect(passes.map(({ kind }) => kind)).toEqual(['full', 'changes', 'changes', 'changes']);
  expect(world.repairs).toBe(0);

  lasts.resolve();
  await clock.advance(1);
  expect(passes.at(-1)).toMatchObject({ kind: 'full', error: null });
  expect(world.done().filter((line) => line === 'reach')).toHaveLength(1);
  expect(world.repairs).toBe(1);
});

test('the log says once why a source fails, and when it is read again', async () => {
  start();
  const told = () => world.logged.splice(0).filter(({ message }) => message.startsWith('source'));
  for (let times = 0; times < 5; times += 1) {
    source().fails();
    await clock.advance(1_000);
  }
  expect(told()).toEqual([
    {
      level: 'warn',
      message: 'source failed: its last good state stays',
      fields: { source: 'one', error: '503' },
    },
  ]);
  await clock.advance(60_000);
  source().fails();
  expect(told()).toHaveLength(1);
  source().says(mine('10.0.0.1:31000'));
  source().says(mine('10.0.0.1:31000'));
  expect(told()).toEqual([{ level: 'info', message: 'source read', fields: { source: 'one', apps: 1 } }]);
});

test('nothing is removed at the end (rule 5)', async () => {
  start();
  source().says(mine('10.0.0.1:31000'));
  await clock.advance(100);
  stop.abort();
  await ended;
  expect(world.backends(VIP)).toEqual(['10.0.0.1:31000 w1']);
});

describe('the mass-removal brake (rule 4)', () => {
  const two = snapshot(
    web('/a', { VIP_0: '/a:80' }, '10.0.0.1:80'),
    web('/b', { VIP_0: '/b:80' }, '10.0.0.2:80'),
  );
  const emptied = async () => {
    start();
    source().says(two);
    await clock.advance(100);
    source().says(snapshot());
    await clock.advance(100);
    expect(passes.at(-1)?.held).toMatchObject({ vips: 2 });
  };

  test('a held removal is applied once the source, read again after a minute, still lacks the backends', async () => {
    await emptied();
    source().answer = snapshot();
    await clock.advance(58_000);
    expect(source().asked).toBe(0);
    await clock.advance(5_000);
    expect(source().asked).toBe(1);
    expect(world.kernel.size).toBe(0);
    expect(passes.at(-1)?.held).toBeNull();
  });

  test('it stays held while the source cannot be read, which is tried every ten seconds', async () => {
    await emptied();
    await clock.advance(95_000);
    expect(source().asked).toBe(4);
    expect(world.kernel.size).toBe(2);
    expect(world.logged.map(({ message }) => message)).toContain(
      'mass removal stays held: the sources cannot be read again',
    );
    source().answer = snapshot();
    await clock.advance(12_000);
    expect(world.kernel.size).toBe(0);
  });

  test('if the source lists the backends again, they stay, and a new removal waits another minute', async () => {
    await emptied();
    source().answer = two;
    await clock.advance(62_000);
    expect(source().asked).toBe(1);
    await clock.advance(50_000);
    expect(source().asked).toBe(1);
    expect(world.kernel.size).toBe(2);
  });

  test('an app whose deletion a source reports by name is removed at once', async () => {
    start();
    source().says(two);
    await clock.advance(100);
    source().says(snapshot(), false);
    await clock.advance(100);
    expect(world.kernel.size).toBe(0);
  });

  test('so does a task whose end was announced before a list lacks it', async () => {
    start();
    const [a, b] = two.apps;
    const ending = (app: typeof a) =>
      app === undefined
        ? []
        : [{ ...app, tasks: app.tasks.map((one) => ({ ...one, state: 'killing' as const })) }];
    source().says(two);
    await clock.advance(100);
    source().says(snapshot(...ending(a), ...ending(b)), false);
    source().says(snapshot());
    await clock.advance(100);
    expect(world.kernel.size).toBe(0);
  });
});
