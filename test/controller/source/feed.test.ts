import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type App, appKey, rowKey, rowOf } from '../../../controller/model/app.ts';
import { type Delta, isEmpty } from '../../../controller/model/delta.ts';
import type { Snapshot } from '../../../controller/model/snapshot.ts';
import { Pace } from '../../../controller/pace.ts';
import { Feed } from '../../../controller/source/feed.ts';
import { app, port, snapshot, task, taskPort, web } from '../../support/builders.ts';
import '../../properties.ts';

const IDS = ['/a', '/b', '/c'];
const version = (id: string, number: number): App => web(id, { VIP_0: `${id}:80`, VERSION: String(number) });
const keyOf = (id: string) => appKey(version(id, 0));

/** The apps by id, or in any order. */
const sorted = ({ apps }: Pick<Snapshot, 'apps'>) => [...apps].sort((a, b) => (rowOf(a) < rowOf(b) ? -1 : 1));

/** The rows of whoever applies the deltas of a source. */
class Listener {
  readonly rows = new Map<string, App>();
  about: Omit<Snapshot, 'apps'> | undefined;

  take(delta: Delta | null): void {
    for (const { key, fromTasks } of delta?.removed ?? []) this.rows.delete(rowKey(key, fromTasks));
    for (const each of delta?.upserts ?? []) this.rows.set(rowOf(each), each);
    if (delta?.about !== undefined) this.about = delta.about;
  }

  get snapshot(): Snapshot {
    return { rejected: [], warnings: [], ...this.about, apps: [...this.rows.values()] };
  }
}

/** What happens: an app changes (null: it goes), a read begins, or one that began is answered. */
const happening = fc.oneof(
  fc.record({ what: fc.constant('change' as const), id: fc.constantFrom(...IDS), gone: fc.boolean() }),
  fc.record({ what: fc.constant('begin' as const), of: fc.constantFrom('all' as const, ...IDS) }),
  fc.record({ what: fc.constant('answer' as const), which: fc.nat(9) }),
);

test('in whatever order reads begin and end, the rows end as the newest reads say', () => {
  fc.assert(
    fc.property(fc.array(happening, { maxLength: 30 }), (story) => {
      const feed = new Feed();
      const listener = new Listener();
      const source = new Map<string, App>(IDS.map((id) => [id, version(id, 0)]));
      /** What the last read of each app found that began. */
      const newest = new Map<string, App | undefined>();
      const answers: (() => Delta | null)[] = [];
      const begin = (of: string) => {
        const read = feed.begin();
        const found = new Map(source);
        for (const id of of === 'all' ? IDS : [of]) newest.set(id, found.get(id));
        answers.push(() =>
          of === 'all'
            ? feed.list(snapshot(...found.values()), 0, read)
            : feed.read(read, keyOf(of), found.get(of) ?? null, 0),
        );
      };
      const answer = (which: number) => {
        const [one] = answers.splice(which % (answers.length || 1), 1);
        listener.take(one?.() ?? null);
      };
      let changes = 0;
      begin('all');
      for (const each of story) {
        changes += 1;
        if (each.what === 'begin') begin(each.of);
        else if (each.what === 'answer') answer(each.which);
        else if (each.gone) source.delete(each.id);
        else source.set(each.id, version(each.id, changes));
      }
      while (answers.length > 0) answer(story.length);
      const wanted = [...newest.values()].filter((each) => each !== undefined);
      expect(sorted(feed.snapshot)).toEqual(sorted({ apps: wanted }));
      expect(sorted(listener.snapshot)).toEqual(sorted({ apps: wanted }));
    }),
    { numRuns: 2_000 },
  );
});

const someApp: fc.Arbitrary<App> = fc
  .record({ id: fc.constantFrom(...IDS), fromTasks: fc.boolean(), number: fc.nat(2) })
  .map(({ id, fromTasks, number }) => ({ ...version(id, number), ...(fromTasks && { fromTasks }) }));
const someSnapshot: fc.Arbitrary<Snapshot> = fc
  .record({
    apps: fc.uniqueArray(someApp, { selector: rowOf }),
    warnings: fc.uniqueArray(fc.constantFrom('one', 'other')),
  })
  .map(({ apps, warnings }) => ({ apps, rejected: [], warnings }));
const change = fc.oneof(
  someSnapshot.map((all) => (feed: Feed) => feed.list(structuredClone(all), 0)),
  fc
    .tuple(fc.array(fc.tuple(fc.constantFrom(...IDS), fc.option(someApp))), fc.boolean(), someSnapshot)
    .map(([changes, complete, { apps: _apps, ...about }]) => (feed: Feed) => {
      const entries = changes.map(([id, now]) => [keyOf(id), now && { ...now, id }] as const);
      return feed.update(new Map(entries), { complete, learnedAt: 0, about });
    }),
);

test('its deltas, one applied after the other, make its snapshot, and have nothing that is as it was', () => {
  fc.assert(
    fc.property(fc.array(change, { maxLength: 12 }), (story) => {
      const feed = new Feed();
      const listener = new Listener();
      for (const step of story) {
        const had = new Map(listener.rows);
        const delta = step(feed);
        listener.take(delta);
        if (!feed.isListed) continue;
        expect(sorted(listener.snapshot)).toEqual(sorted(feed.snapshot));
        expect({ ...listener.snapshot, apps: [] }).toEqual({ ...feed.snapshot, apps: [] });
        for (const each of delta?.upserts ?? []) expect(each).not.toEqual(had.get(rowOf(each)));
        for (const { key, fromTasks } of delta?.removed ?? [])
          expect(had.has(rowKey(key, fromTasks))).toBe(true);
      }
    }),
    { numRuns: 1_000 },
  );
});

test('nothing is published before the first list, and what was read until then is published with it', () => {
  const feed = new Feed();
  const list = feed.begin();
  expect(feed.read(feed.begin(), keyOf('/a'), version('/a', 1), 0)).toBeNull();
  expect(feed.read(feed.begin(), keyOf('/b'), null, 0)).toBeNull();
  const delta = feed.list(snapshot(version('/a', 0), version('/b', 0), version('/c', 0)), 7, list);
  expect(delta).toMatchObject({ complete: true, learnedAt: 7, removed: [], about: { rejected: [] } });
  expect(sorted({ apps: delta.upserts })).toEqual([version('/a', 1), version('/c', 0)]);
});

test('in complete changes, what only events changed is named, and what a list changed is missing', () => {
  const feed = new Feed();
  const at = (id: string, ...ids: readonly string[]) => app(id, { tasks: ids.map((each) => task(each, [])) });
  const before = [at('/a', 'a.1'), at('/b', 'b.1', 'b.2', 'same'), at('/c', 'c.1', 'same'), at('/d', 'd.1')];
  feed.list(snapshot(...before), 0);
  const changes = new Map([
    [keyOf('/a'), null],
    [keyOf('/b'), at('/b', 'b.1')],
    [keyOf('/c'), at('/c')],
    [keyOf('/d'), null],
  ]);
  const listed = new Set([keyOf('/c'), keyOf('/d')]);
  const delta = feed.update(changes, { complete: true, listed, learnedAt: 0 });
  expect(delta?.removed.map(({ key, how }) => [key, how])).toEqual([
    [keyOf('/a'), 'named'],
    [keyOf('/d'), 'missing'],
  ]);
  // The id in both may be the task that the list lacks.
  expect(delta?.endedTasks).toEqual(new Set(['a.1', 'b.1', 'b.2']));
  expect(delta).toMatchObject({ complete: true });
  expect(delta).not.toHaveProperty('listed');
});

test('what is in a list no more is missing, and what the source says of one app is published by name', () => {
  const feed = new Feed();
  feed.list(snapshot(version('/a', 0), version('/b', 0), version('/c', 0)), 0);
  const { removed, complete } = feed.list(snapshot(version('/a', 0), version('/c', 0)), 0);
  expect({ removed, complete }).toEqual({
    removed: [{ key: keyOf('/b'), fromTasks: false, how: 'missing' }],
    complete: true,
  });
  expect(feed.read(feed.begin(), keyOf('/a'), null, 3)).toEqual({
    upserts: [],
    removed: [{ key: keyOf('/a'), fromTasks: false, how: 'named' }],
    complete: false,
    learnedAt: 3,
  });
  expect(feed.update(new Map([[keyOf('/c'), null]]), { complete: true, learnedAt: 0 })?.removed).toEqual([
    { key: keyOf('/c'), fromTasks: false, how: 'missing' },
  ]);
});

test('what a source says again is no change, and stays the same object', () => {
  const feed = new Feed();
  const listener = app('/a', {
    tasks: [task('a.1', [taskPort(version('/a', 0).ports[0] as never, '10.0.0.1:80')])],
  });
  const [first] = feed.list(snapshot(listener), 0).upserts;
  expect(isEmpty(feed.list(snapshot(structuredClone(listener)), 0))).toBe(true);
  expect(feed.known(structuredClone(listener))).toBe(first);
  expect(feed.read(feed.begin(), keyOf('/a'), structuredClone(listener), 0)).toEqual({
    upserts: [],
    removed: [],
    complete: false,
    learnedAt: 0,
  });
  expect(feed.snapshot.apps[0]).toBe(first);
});

test('many apps are compared in turns, and those that are equal are the ones that were published', async () => {
  const feed = new Feed();
  const apps = Array.from({ length: 50 }, (_, index) =>
    app(`/${index}`, { ports: [port({ VIP_0: '/x:80' })] }),
  );
  feed.list(snapshot(...apps), 0);
  const other = app('/0', { ports: [port({ VIP_0: '/y:80' })] });
  const changes = new Map(structuredClone(apps).map((each): [string, App | null] => [appKey(each), each]));
  changes.set(appKey(other), other);
  let turns = 0;
  let isDone = false;
  const count = () => {
    turns += 1;
    if (!isDone) setImmediate(count);
  };
  count();
  await feed.compareInTurns(changes, new Pace(0));
  isDone = true;
  expect(turns).toBeGreaterThan(apps.length);
  expect([...changes.values()].slice(1).every((each, index) => each === apps[index + 1])).toBe(true);
  expect(feed.update(changes, { complete: true, learnedAt: 0 })?.upserts).toEqual([other]);
});
