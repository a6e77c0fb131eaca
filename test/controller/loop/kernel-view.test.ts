import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { KernelView } from '../../../controller/loop/kernel-view.ts';
import type { Table } from '../../../controller/model/kernel.ts';
import { type ServiceAddress, serviceKey } from '../../../controller/model/service.ts';
import type { IpvsTable } from '../../../controller/ports.ts';
import { backend, service } from '../../support/builders.ts';
import { observedService, tableOf } from '../../support/observed.ts';

const at = (port: number): ServiceAddress => ({ protocol: 'tcp', address: '11.0.0.1', port });
const key = (port: number) => serviceKey(at(port));
const entry = (port: number, host = '10.0.0.1') =>
  observedService(service('11.0.0.1', port, [backend(host, 80)]));
const all = (...ports: readonly number[]): Table => tableOf(...ports.map((port) => entry(port)));
const MANY = [1, 2, 3, 4, 5, 6, 7, 8, 9];

/** What the kernel has, and what was asked of it. */
let kernel: Table;
let asked: string[];
/** The next read of the whole table waits for this. */
let hold: Promise<void>;
let view: KernelView;
/** The table that was read in the background last. */
let kept: Table;

beforeEach(() => {
  kernel = all(...MANY);
  asked = [];
  hold = Promise.resolve();
  const table: IpvsTable = {
    async observe(only) {
      asked.push(only === undefined ? 'all' : [...only].map(serviceKey).join(' '));
      if (only === undefined) {
        await hold;
        return kernel;
      }
      const keys = new Set([...only].map(serviceKey));
      return new Map([...kernel].filter(([each]) => keys.has(each)));
    },
    async observeInBackground(keep) {
      asked.push('beside');
      const before = kernel;
      await hold;
      kept = new Map(Array.from(before, ([each, service]) => [each, keep(service)]));
      return kept;
    },
    apply: async () => [],
    close: () => undefined,
  };
  view = new KernelView(table);
});

const remove = (port: number) => ({ op: 'remove-service', service: at(port) }) as const;

/** Begins to read in the background; the function that is returned ends it. */
function reading(): () => Promise<void> {
  let end = (): void => undefined;
  hold = new Promise((resolve) => {
    end = resolve;
  });
  const done = view.refreshInBackground();
  return async () => {
    end();
    await done;
    hold = Promise.resolve();
  };
}

describe('a large table', () => {
  /** Turns that others had. */
  let turns: number;
  let turning: NodeJS.Immediate;

  beforeEach(() => {
    kernel = all(...Array.from({ length: 1_000 }, (_, index) => index + 1));
    turns = 0;
    const turn = () => {
      turns += 1;
      turning = setImmediate(turn);
    };
    turn();
    // Each look at the clock finds the turn over.
    let now = 0;
    jest.spyOn(performance, 'now').mockImplementation(() => {
      now += 1_000;
      return now;
    });
  });
  afterEach(() => {
    jest.restoreAllMocks();
    clearImmediate(turning);
  });

  test('is taken over in slices', async () => {
    await view.readAll();
    expect(view.table.size).toBe(1_000);
    expect(turns).toBeGreaterThan(10);
  });

  test('that was read in the background is taken over in slices too, including removed services', async () => {
    await view.readAll();
    kernel = all(1);
    await reading()();
    turns = 0;
    expect(await view.readAll()).toBe(false);
    expect([...view.table.keys()]).toEqual([key(1)]);
    expect(turns).toBeGreaterThan(10);
  });
});

describe('a table that was read in the background', () => {
  beforeEach(async () => {
    await view.readAll();
    view.takeDifferences();
    asked.length = 0;
  });

  test('is used by the next full pass, which does not read again', async () => {
    const end = reading();
    await end();
    kernel = all();
    expect(await view.readAll()).toBe(false);
    expect([...view.table.keys()]).toEqual(MANY.map(key));
    expect(asked).toEqual(['beside']);
  });

  test('shows changes that others made meanwhile', async () => {
    kernel = new Map([...kernel, [key(3), entry(3, '10.9.9.9')]]);
    const was = view.table.get(key(3));
    await reading()();
    await view.readAll();
    expect([...(view.table.get(key(3))?.backends.keys() ?? [])]).toEqual(['10.9.9.9:80']);
    expect(view.takeDifferences()).toEqual(new Map([[key(3), { was, ours: false }]]));
  });

  test('does not undo writes of passes since it began', async () => {
    const end = reading();
    const steps = [remove(1), { op: 'add-service', service: { ...entry(20) } }] as const;
    view.markWritten(steps);
    view.accept(steps, []);
    await end();
    await view.readAll();
    expect(new Set(view.table.keys())).toEqual(new Set([...MANY.slice(1), 20].map(key)));
    expect(view.takeDifferences().size).toBe(0);
  });

  test('leaves the same objects where nothing differs, and others where a count does, which is no difference', async () => {
    const before = new Map(view.table);
    kernel = new Map([
      ...all(...MANY.slice(0, 8)),
      [
        key(9),
        {
          ...entry(9),
          backends: new Map(
            [...entry(9).backends].map(([each, found]) => [each, { ...found, activeConnections: 1 }]),
          ),
        },
      ],
    ]);
    await reading()();
    await view.readAll();
    expect(MANY.filter((port) => view.table.get(key(port)) !== before.get(key(port)))).toEqual([9]);
    expect([...(view.table.get(key(9))?.backends.values() ?? [])]).toMatchObject([{ activeConnections: 1 }]);
    expect(view.takeDifferences().size).toBe(0);
  });

  test('is known already while it is read, where nothing differs: nothing else is kept for as long as that takes', async () => {
    const before = new Map(view.table);
    kernel = new Map([...all(...MANY), [key(3), entry(3, '10.9.9.9')]]);
    await reading()();
    expect(MANY.filter((port) => kept.get(key(port)) !== before.get(key(port)))).toEqual([3]);
  });

  test('counts for one pass only', async () => {
    await reading()();
    await view.readAll();
    expect(await view.readAll()).toBe(true);
  });

  test('does not count after an error: then the table is read again', async () => {
    await reading()();
    view.forget();
    expect(await view.readAll()).toBe(true);
    expect(asked).toEqual(['beside', 'all']);
  });

  test('that could not be read is read by the pass, which says why', async () => {
    hold = Promise.reject(new Error('no memory'));
    await view.refreshInBackground();
    await expect(view.readAll()).rejects.toThrow('no memory');
  });

  test('does not tell of what is stale: that is read again', async () => {
    await reading()();
    view.markStale([at(2)]);
    kernel = new Map([...kernel].filter(([each]) => each !== key(2)));
    await view.readAll();
    expect(view.table.has(key(2))).toBe(false);
    expect(asked).toEqual(['beside', key(2)]);
  });
});

describe('a stale service', () => {
  beforeEach(async () => {
    await view.readAll();
    view.takeDifferences();
    asked.length = 0;
  });

  test('is read before the next pass, once, without the rest of the table', async () => {
    view.markStale([at(4), at(4), at(5)]);
    kernel = new Map([...kernel, [key(4), entry(4, '10.9.9.9')]]);
    await view.reread([]);
    expect([...view.takeDifferences().keys()]).toEqual([key(4)]);
    await view.reread([]);
    expect(view.takeDifferences().size).toBe(0);
    expect(asked).toEqual([`${key(4)} ${key(5)}`]);
  });

  test('makes the whole table be read where it is a large part of that', async () => {
    view.markStale(MANY.slice(0, 3).map(at));
    await view.reread([]);
    view.markStale([at(20)]);
    await view.reread([]);
    expect(asked).toEqual(['all', key(20)]);
  });

  test('may differ by a write of ours that failed: that is told with the difference', async () => {
    view.markWritten([remove(4)]);
    view.accept([], [remove(4)]);
    view.markStale([at(4), at(5)]);
    kernel = all(1, 2, 3, 6, 7, 8, 9);
    await view.reread([]);
    const differences = view.takeDifferences();
    expect([...differences].map(([each, { ours }]) => [each, ours])).toEqual([
      [key(4), true],
      [key(5), false],
    ]);
  });
});
