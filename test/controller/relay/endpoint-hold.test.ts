import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Inventory } from '../../../controller/inventory/inventory.ts';
import type { App, Task } from '../../../controller/model/app.ts';
import { EndpointHold } from '../../../controller/relay/endpoint-hold.ts';
import '../../properties.ts';
import { app, port, snapshot, task, taskPort, web } from '../../support/builders.ts';

const HOLD_MS = 60_000;
const declared = port({ VIP_0: 'web:80' });
const at = (address: string) => [taskPort(declared, `${address}:80`)];
/** `APP.N` at `10.APP.0.N`, of each of the numbers. */
const tasks = (of: number, ...numbers: readonly number[]): readonly Task[] =>
  numbers.map((n) => task(`${of}.${n}`, at(`10.${of}.0.${n}`)));
const appOf = (of: number, all: readonly Task[]): App => app(`/${of}`, { ports: [declared], tasks: all });
const upTo = (count: number, from = 0) => Array.from({ length: count }, (_, i) => from + i);

/** A brake that knows what is published. */
function holding(...apps: readonly App[]): EndpointHold {
  const hold = new EndpointHold(HOLD_MS);
  hold.begin(apps);
  return hold;
}

const idsOf = (apps: readonly App[]) => apps.flatMap((each) => each.tasks.map(({ id }) => id));

describe('endpoints of a relay (rule 4)', () => {
  test('more than half and more than ten, or all of two or more, are held; fewer are removed at once', () => {
    const held = (before: number, left: number) =>
      holding(appOf(1, tasks(1, ...upTo(before)))).keep([appOf(1, tasks(1, ...upTo(left)))], 0).held;
    expect(held(30, 14)).toBe(16);
    expect(held(30, 15)).toBe(0);
    expect(held(12, 2)).toBe(0);
    expect(held(2, 0)).toBe(2);
    expect(held(1, 0)).toBe(0);
  });

  test('apps without their tasks keep them as they were', () => {
    const before = [appOf(1, tasks(1, 1, 2)), appOf(2, tasks(2, 1))];
    const { apps, held } = holding(...before).keep([appOf(1, []), appOf(2, [])], 0);
    expect(apps).toEqual(before);
    expect(held).toBe(3);
  });

  test('so does an app that is no longer listed', () => {
    const before = [appOf(1, tasks(1, 1, 2)), appOf(2, tasks(2, 1))];
    expect(holding(...before).keep([], 0).apps).toEqual(before);
  });

  test.each(['unreachable', 'staging'] as const)(
    'so does an app whose tasks are %s without endpoints, with their current state',
    (state) => {
      const nowhere = { ...declared, endpoints: [] };
      const said = appOf(
        1,
        tasks(1, 1, 2).map((one) => ({ ...one, state, ports: [nowhere] })),
      );
      const { apps } = holding(appOf(1, tasks(1, 1, 2))).keep([said], 0);
      expect(apps[0]?.tasks).toEqual(tasks(1, 1, 2).map((one) => ({ ...one, state })));
    },
  );

  test('nothing is held before the published objects are known', () => {
    expect(new EndpointHold(HOLD_MS).keep([], 0)).toEqual({ apps: [], held: 0 });
  });

  test('new tasks of an app are published along with held ones', () => {
    const { apps, held } = holding(appOf(1, tasks(1, 1, 2, 3)), appOf(2, tasks(2, ...upTo(20)))).keep(
      [appOf(1, tasks(1, 7)), appOf(2, [])],
      0,
    );
    expect(idsOf(apps).slice(0, 4)).toEqual(['1.7', '1.1', '1.2', '1.3']);
    expect(held).toBe(23);
  });

  test('endpoints replaced by as many in their own app are no loss', () => {
    const hold = holding(appOf(1, tasks(1, ...upTo(20))));
    expect(hold.keep([appOf(1, tasks(1, ...upTo(20, 100)))], 0).held).toBe(0);
    // Those of another app are.
    expect(hold.keep([appOf(1, []), appOf(2, tasks(2, ...upTo(20)))], 0).held).toBe(20);
  });

  test('named ends are never held: an announced end, a state, an event', () => {
    const all = tasks(1, ...upTo(20));
    const killing = all.map((one): Task => ({ ...one, state: 'killing' }));
    expect(holding(appOf(1, killing)).keep([appOf(1, [])], 0).held).toBe(0);
    const gone = all.map((one): Task => ({ ...one, state: 'gone' }));
    expect(holding(appOf(1, all)).keep([appOf(1, gone)], 0).held).toBe(0);
    const hold = holding(appOf(1, all));
    hold.accept(upTo(20).map((n) => `10.1.0.${n}:80`));
    expect(hold.keep([appOf(1, [])], 0).held).toBe(0);
  });

  test('a named end concerns that task, not the next one at its endpoint', () => {
    const hold = holding(appOf(1, tasks(1, 1, 2)));
    hold.accept(['10.1.0.1:80', '10.1.0.2:80']);
    const next = appOf(1, [task('new-1', at('10.1.0.1')), task('new-2', at('10.1.0.2'))]);
    hold.keep([next], 0);
    expect(hold.keep([appOf(1, [])], 0).held).toBe(2);
  });

  test('after a minute the sources are read again; what is still missing is removed, the rest waits again', () => {
    const hold = holding(appOf(1, tasks(1, 1, 2)), appOf(2, tasks(2, 1)));
    const empty = [appOf(1, []), appOf(2, [])];
    hold.keep(empty, 1_000);
    expect(hold.due(60_999).size).toBe(0);
    hold.keep(empty, 61_000);
    const due = hold.due(61_000);
    expect(due.size).toBe(3);
    expect(hold.confirm(due, Inventory.of([snapshot(appOf(1, tasks(1, 1)), appOf(2, []))]), 61_000)).toBe(2);
    // Too few are left for a mass removal, but they stay held.
    expect(idsOf(hold.keep(empty, 61_000).apps)).toEqual(['1.1']);
    expect(hold.due(120_999).size).toBe(0);
    const again = hold.due(121_000);
    expect(hold.confirm(again, Inventory.of([snapshot(...empty)]), 121_000)).toBe(1);
    expect(hold.keep(empty, 121_000)).toEqual({ apps: empty, held: 0 });
  });

  test('while a source has an unknown part, every missing task is held, and nothing is confirmed', () => {
    const hold = holding(appOf(1, tasks(1, ...upTo(30))));
    const said = [appOf(1, tasks(1, ...upTo(29)))];
    expect(hold.keep(said, 0, false).held).toBe(1);
    const due = hold.due(60_000);
    const unknown = { ...snapshot(...said), unknown: [{ part: 'b.json', reason: 'expected JSON' }] };
    expect(hold.confirm(due, Inventory.of([unknown]), 60_000)).toBe(0);
    expect(hold.due(119_999).size).toBe(0);
    expect(hold.confirm(hold.due(120_000), Inventory.of([snapshot(...said)]), 120_000)).toBe(1);
    expect(hold.keep(said, 120_000)).toEqual({ apps: said, held: 0 });
  });

  test('what is back is no longer held, and an unchanged app stays the same object', () => {
    const before = [appOf(1, tasks(1, 1, 2)), appOf(2, tasks(2, 1))];
    const hold = holding(...before);
    hold.keep([], 0);
    const back = hold.keep(before, 1_000);
    expect(back.held).toBe(0);
    expect(back.apps[0]).toBe(before[0]);
    expect(hold.due(1_000_000).size).toBe(0);
  });

  test('a task with two ports is one endpoint, as in a slice', () => {
    const two = task('t', [taskPort(declared, '10.0.0.1:80'), taskPort(declared, '10.0.0.1:81')]);
    expect(holding(app('/web', { ports: [declared], tasks: [two] })).keep([app('/web')], 0).held).toBe(0);
  });

  test('of two apps with the same id and framework the first counts', () => {
    const twice = [web('/a', {}, '10.0.0.1:1', '10.0.0.2:1'), web('/a', {}, '10.9.0.1:1')];
    const hold = holding(...twice);
    expect(hold.keep(twice, 0)).toEqual({ apps: twice, held: 0 });
    expect(hold.keep([], 0).apps).toEqual(twice.slice(0, 1));
  });
});

describe('for arbitrary sources', () => {
  const numbers = fc.uniqueArray(fc.nat(20), { maxLength: 20 });
  const words = fc.array(fc.tuple(fc.option(numbers), fc.option(numbers)), { minLength: 1, maxLength: 8 });
  const said = (word: readonly (readonly number[] | null)[]) =>
    word.flatMap((some, i) => (some === null ? [] : [appOf(i + 1, tasks(i + 1, ...some))]));

  test('everything that they list is published, and otherwise only what was published before', () => {
    fc.assert(
      fc.property(words, (all) => {
        const hold = holding();
        let before = new Set<string>();
        for (const word of all) {
          const apps = said(word);
          const kept = hold.keep(apps, 0);
          const now = idsOf(kept.apps);
          expect(new Set(now).size).toBe(now.length);
          expect(now).toEqual(expect.arrayContaining(idsOf(apps)));
          expect(now.filter((id) => !before.has(id) && !idsOf(apps).includes(id))).toEqual([]);
          expect(kept.held).toBe(now.length - idsOf(apps).length);
          before = new Set(now);
        }
      }),
    );
  });

  test('no mass removal of endpoints is made without reading the sources again', () => {
    fc.assert(
      fc.property(words, (all) => {
        const hold = holding();
        let before: readonly string[] = [];
        for (const word of all) {
          const now = idsOf(hold.keep(said(word), 0).apps);
          const lost = before.length - now.length;
          expect(lost > 10 && lost > before.length / 2).toBe(false);
          expect(before.length >= 2 && now.length === 0).toBe(false);
          before = now;
        }
      }),
    );
  });

  test('exactly that is published once it was confirmed', () => {
    fc.assert(
      fc.property(words, (all) => {
        const hold = holding();
        for (const word of all) hold.keep(said(word), 0);
        const last = said(all.at(-1) ?? []);
        hold.confirm(hold.due(HOLD_MS), Inventory.of([snapshot(...last)]), HOLD_MS);
        expect(hold.keep(last, HOLD_MS)).toEqual({ apps: last, held: 0 });
      }),
    );
  });
});
