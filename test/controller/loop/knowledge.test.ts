import { beforeEach, describe, expect, test } from '@jest/globals';
import { Knowledge } from '../../../controller/loop/knowledge.ts';
import { type ServiceAddress, serviceKey, type Table } from '../../../controller/model.ts';
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
let knowledge: Knowledge;
/** The table that was read beside passes last. */
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
    async observeBeside(keep) {
      asked.push('beside');
      const before = kernel;
      await hold;
      kept = new Map(Array.from(before, ([each, service]) => [each, keep(service)]));
      return kept;
    },
    apply: async () => [],
    close: () => undefined,
  };
  knowledge = new Knowledge(table);
});

const remove = (port: number) => ({ op: 'remove-service', service: at(port) }) as const;

/** Begins to read beside passes; the function that is returned ends it. */
function reading(): () => Promise<void> {
  let end = (): void => undefined;
  hold = new Promise((resolve) => {
    end = resolve;
  });
  const done = knowledge.readBeside();
  return async () => {
    end();
    await done;
    hold = Promise.resolve();
  };
}

describe('what was read beside passes', () => {
  beforeEach(async () => {
    knowledge.believe((await knowledge.whole()).table);
    asked.length = 0;
  });

  test('is what the next full pass works on, without reading', async () => {
    const end = reading();
    await end();
    kernel = all();
    const { table, fresh } = await knowledge.whole();
    expect([...table.keys()]).toEqual(MANY.map(key));
    expect(fresh).toBe(false);
    expect(asked).toEqual(['beside']);
  });

  test('shows what others changed meanwhile', async () => {
    kernel = new Map([...kernel, [key(3), entry(3, '10.9.9.9')]]);
    await reading()();
    const { table } = await knowledge.whole();
    expect([...(table.get(key(3))?.backends.keys() ?? [])]).toEqual(['10.9.9.9:80']);
  });

  test('does not undo what passes wrote since it began', async () => {
    const end = reading();
    knowledge.touch([remove(1), { op: 'add-service', service: { ...entry(20) } }]);
    const without = new Map([...all(...MANY.slice(1)), [key(20), entry(20)]]);
    knowledge.believe(without);
    await end();
    const { table } = await knowledge.whole();
    expect(new Set(table.keys())).toEqual(new Set(without.keys()));
  });

  test('leaves the same objects where nothing differs, and others where a count does', async () => {
    const before = knowledge.believed;
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
    const { table } = await knowledge.whole();
    expect(MANY.filter((port) => table.get(key(port)) !== before?.get(key(port)))).toEqual([9]);
    expect([...(table.get(key(9))?.backends.values() ?? [])]).toMatchObject([{ activeConnections: 1 }]);
  });

  test('is known already while it is read, where nothing differs: nothing else is kept for as long as that takes', async () => {
    const before = knowledge.believed;
    kernel = new Map([...all(...MANY), [key(3), entry(3, '10.9.9.9')]]);
    await reading()();
    expect(MANY.filter((port) => kept.get(key(port)) !== before?.get(key(port)))).toEqual([3]);
  });

  test('counts for one pass only', async () => {
    await reading()();
    knowledge.believe((await knowledge.whole()).table);
    expect((await knowledge.whole()).fresh).toBe(true);
  });

  test('is not believed after an error: then the table is read again', async () => {
    await reading()();
    knowledge.forget();
    const { fresh } = await knowledge.whole();
    expect(fresh).toBe(true);
    expect(asked).toEqual(['beside', 'all']);
  });

  test('that could not be read is read by the pass, which says why', async () => {
    hold = Promise.reject(new Error('no memory'));
    await knowledge.readBeside();
    await expect(knowledge.whole()).rejects.toThrow('no memory');
  });

  test('does not tell of what is doubtful: that is read again', async () => {
    await reading()();
    knowledge.doubt([at(2)]);
    kernel = new Map([...kernel].filter(([each]) => each !== key(2)));
    const { table } = await knowledge.whole();
    expect(table.has(key(2))).toBe(false);
    expect(asked).toEqual(['beside', key(2)]);
  });
});

describe('what is doubtful', () => {
  beforeEach(async () => {
    knowledge.believe((await knowledge.whole()).table);
    asked.length = 0;
  });

  test('is read before the next pass, once, and nothing else', async () => {
    knowledge.doubt([at(4), at(4), at(5)]);
    kernel = new Map([...kernel, [key(4), entry(4, '10.9.9.9')]]);
    const before = knowledge.believed;
    const { table } = await knowledge.recent();
    expect(MANY.filter((port) => table.get(key(port)) !== before?.get(key(port)))).toEqual([4]);
    expect((await knowledge.recent()).table).toBe(before);
    expect(asked).toEqual([`${key(4)} ${key(5)}`]);
  });

  test('makes the whole table be read where it is a large part of that', async () => {
    knowledge.doubt(MANY.slice(0, 3).map(at));
    await knowledge.recent();
    knowledge.doubt([at(20)]);
    await knowledge.recent();
    expect(asked).toEqual(['all', key(20)]);
  });
});
