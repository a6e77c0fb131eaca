import { beforeEach, expect, test } from '@jest/globals';
import { firstDelta, Inventory } from '../../../controller/inventory/inventory.ts';
import { Sources } from '../../../controller/loop/sources.ts';
import { appKey } from '../../../controller/model/app.ts';
import type { Snapshot } from '../../../controller/model/snapshot.ts';
import type { AppSource } from '../../../controller/ports.ts';
import { snapshot, web } from '../../support/builders.ts';
import { SILENT_OBSERVER } from '../../support/silent-observer.ts';
import { Telling } from '../../support/telling.ts';

const source = (name: string): AppSource => ({
  name,
  read: async () => snapshot(),
  follow: async () => undefined,
});

const first = web('/web', { VIP_0: '/web:80' }, '10.0.0.1:31000', '10.0.0.2:31000');
const fewer = web('/web', { VIP_0: '/web:80' }, '10.0.0.1:31000');
const other = web('/other', { VIP_0: '/other:80' }, '10.0.0.3:31000');

let inventory: Inventory;
const sourcesOf = (...names: readonly string[]) => new Sources(names.map(source), SILENT_OBSERVER, inventory);
const sayingTo = (sources: Sources) => {
  const tellings = new Map(['a', 'b'].map((name) => [name, new Telling()]));
  return (name: string, all: Snapshot, complete: boolean) => {
    const delta = tellings.get(name)?.delta(all, complete, 0);
    if (delta) sources.read(name, delta);
  };
};
const apps = () => {
  inventory.settle(() => false);
  return [...inventory.apps.values()];
};
beforeEach(() => {
  inventory = new Inventory();
});

test('what sources say is known once every one has said something', () => {
  const sources = sourcesOf('a', 'b');
  const says = sayingTo(sources);
  says('a', snapshot(first), true);
  expect([sources.known, sources.complete]).toEqual([false, false]);
  says('b', snapshot(other), true);
  expect([sources.known, sources.complete]).toEqual([true, true]);
  expect(apps()).toEqual([first, other]);
});

test('what a source says by name has ended is told once', () => {
  const sources = sourcesOf('a', 'b');
  const says = sayingTo(sources);
  says('a', snapshot(first), true);
  says('b', snapshot(other), true);
  expect(sources.takeEnded()).toEqual({ endpoints: [], apps: [] });
  says('a', snapshot(fewer), false);
  expect(apps()).toEqual([fewer, other]);
  expect(sources.takeEnded()).toEqual({ endpoints: [{ endpoint: '10.0.0.2:31000', source: 'a' }], apps: [] });
  says('a', snapshot(), false);
  expect(sources.takeEnded()).toEqual({
    endpoints: [{ endpoint: '10.0.0.1:31000', source: 'a' }],
    apps: [fewer],
  });
  expect(sources.takeEnded()).toEqual({ endpoints: [], apps: [] });
});

test('while nothing can be saved, what came and went does not add up: then everything is saved', () => {
  const sources = sourcesOf('a');
  sources.read('a', { upserts: [first], removed: [], complete: true, learnedAt: 0 });
  expect([...sources.takeUnsaved()].map(({ change }) => change)).toEqual([null]);
  for (let n = 0; n < 20_001; n += 1) {
    const removed = [{ key: `marathon /job-${n}`, fromTasks: false, how: 'named' as const }];
    sources.read('a', { upserts: [], removed, complete: false, learnedAt: 0 });
    if (n === 10) {
      const [unsaved] = sources.takeUnsaved();
      expect(unsaved?.change?.removed).toHaveLength(11);
      if (unsaved !== undefined) sources.notSaved(unsaved);
    }
  }
  expect([...sources.takeUnsaved()].map(({ change, all }) => [change, all().apps])).toEqual([
    [null, [first]],
  ]);
});

test('a source may name more ended tasks at once than a call may have arguments', () => {
  const sources = sourcesOf('a');
  const many = Array.from({ length: 20 }, (_, app) =>
    web(
      `/app-${app}`,
      {},
      ...Array.from({ length: 10_000 }, (_, task) => `10.${app}.${task >> 8}.${task & 255}:80`),
    ),
  );
  const learnedAt = 0;
  sources.read('a', { ...firstDelta(snapshot(...many)), learnedAt });
  const removed = many.map((app) => ({ key: appKey(app), fromTasks: false, how: 'named' as const }));
  sources.read('a', { upserts: [], removed, complete: false, learnedAt });
  expect(sources.takeEnded().endpoints).toHaveLength(200_000);
});
