import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Inventory } from '../../../controller/inventory/inventory.ts';
import {
  type App,
  appKey,
  type Health,
  rowOf,
  type Task,
  type TaskState,
} from '../../../controller/model/app.ts';
import type { Snapshot } from '../../../controller/model/snapshot.ts';
import { app, port, snapshot, task, taskPort } from '../../support/builders.ts';
import { list } from '../../support/telling.ts';

const STATES: readonly TaskState[] = ['running', 'killing', 'staging', 'unreachable', 'gone'];
const HEALTHS: readonly Health[] = ['unchecked', 'healthy', 'unknown', 'unhealthy'];
const declared = port({ VIP_0: '/web:80' });

const someTask: fc.Arbitrary<Task> = fc
  .record({
    number: fc.nat(4),
    state: fc.constantFrom(...STATES),
    health: fc.constantFrom(...HEALTHS),
    name: fc.constantFrom(undefined, 'web'),
    endpoints: fc.constantFrom([], ['10.0.0.1:31000'], ['10.0.0.2:31001']),
  })
  .map(({ number, state, health, name, endpoints }) =>
    task(`web.${number}`, [taskPort(declared, ...endpoints)], {
      state,
      health,
      ...(name !== undefined && { name }),
    }),
  );

/** Few ids, so that most apps are listed twice. */
const someApp: fc.Arbitrary<App> = fc
  .record({
    id: fc.constantFrom('/a', '/b', '/c'),
    framework: fc.constantFrom('marathon', 'marathon', 'kafka'),
    fromTasks: fc.boolean(),
    tasks: fc.uniqueArray(someTask, { selector: ({ id }) => id, maxLength: 4 }),
  })
  .map(({ id, framework, fromTasks, tasks }) =>
    app(id, { framework, ports: [declared], tasks, ...(fromTasks && { fromTasks }) }),
  );

/** What becomes of a source's list; places are taken modulo its length. */
type Edit = (apps: readonly App[]) => readonly App[];
const place = fc.nat(9);
const edit: fc.Arbitrary<Edit> = fc.oneof(
  fc.tuple(place, someApp).map(
    ([at, come]): Edit =>
      (apps) =>
        apps.toSpliced(at, 0, come),
  ),
  fc.tuple(place, someApp).map(
    ([at, come]): Edit =>
      (apps) =>
        apps.toSpliced(at % (apps.length || 1), 1, come),
  ),
  // The same app with other tasks, at its place: what most changes are.
  fc.tuple(place, fc.uniqueArray(someTask, { selector: ({ id }) => id, maxLength: 4 })).map(
    ([at, tasks]): Edit =>
      (apps) =>
        apps.map((each, i) => (i === at % apps.length ? { ...each, tasks } : each)),
  ),
  place.map(
    (at): Edit =>
      (apps) =>
        apps.toSpliced(at % (apps.length || 1), 1),
  ),
  fc.constant<Edit>((apps) => apps.toReversed()),
  fc.constant<Edit>(() => []),
);

/** Some changes of the sources after which they are merged, and how many of them there are then. */
const step = fc.record({
  edits: fc.array(fc.tuple(fc.nat(2), edit), { maxLength: 3 }),
  sources: fc.constantFrom(2, 2, 3, 1),
});
const story = fc.array(step, { maxLength: 12 });

/** What the sources say after each step. */
function* published(steps: readonly (typeof step extends fc.Arbitrary<infer S> ? S : never)[]) {
  const lists: (readonly App[])[] = [[], [], []];
  for (const { edits, sources } of steps) {
    for (const [source, change] of edits) lists[source] = oneOfEach(change(lists[source] ?? []));
    yield lists.slice(0, sources).map((apps) => snapshot(...apps));
  }
}

test('whatever changed since, there are the apps that one finds who knows only which tasks were listed', () => {
  fc.assert(
    fc.property(story, (steps) => {
      const inventory = new Inventory();
      const said = [snapshot(), snapshot(), snapshot()];
      let listed: Listed = new Map();
      for (const snapshots of published(steps)) {
        publish(inventory, snapshots);
        let apps: readonly App[] = [];
        for (const source of said.keys()) {
          said[source] = snapshots[source] ?? snapshot();
          ({ apps, listed } = rebuilt(said, listed));
        }
        expect([...inventory.apps.values()].sort(byKey)).toEqual([...apps].sort(byKey));
      }
    }),
    { numRuns: 1_000 },
  );
});

test('when apps are merged, after each change or after many, makes no difference', () => {
  fc.assert(
    fc.property(story, (steps) => {
      const [often, once] = [new Inventory(), new Inventory()];
      for (const snapshots of published(steps)) {
        publish(often, snapshots);
        say(once, snapshots);
      }
      once.settle(() => false);
      expect([...once.apps.values()].sort(byKey)).toEqual([...often.apps.values()].sort(byKey));
    }),
    { numRuns: 1_000 },
  );
});

test('in whatever order sources are read first, there are the same apps, and as one finds who knows all at once', () => {
  const lists = fc.array(fc.array(someApp, { maxLength: 4 }).map(oneOfEach), { minLength: 3, maxLength: 3 });
  const order = fc.shuffledSubarray([0, 1, 2], { minLength: 3 });
  fc.assert(
    fc.property(lists, order, (lists, order) => {
      const inventory = new Inventory();
      for (const source of [0, 1, 2]) inventory.addSource(String(source));
      for (const source of order) {
        list(inventory, String(source), snapshot(...(lists[source] ?? [])));
        inventory.settle(() => false);
      }
      const rebuilt = Inventory.of(lists.map((apps) => snapshot(...apps)));
      expect([...inventory.apps.values()].sort(byKey)).toEqual([...rebuilt.apps.values()].sort(byKey));
    }),
  );
});

test('an app about which no source says anything new is the same object, and is no change', () => {
  fc.assert(
    fc.property(story, (steps) => {
      const inventory = new Inventory();
      for (const snapshots of published(steps)) {
        publish(inventory, snapshots);
        const before = new Map(inventory.apps);
        inventory.takeChanged();
        publish(inventory, snapshots);
        publish(
          inventory,
          snapshots.map((each) => ({ ...each, apps: [...each.apps, app('/new')] })),
        );
        const changed = new Set(inventory.takeChanged());
        for (const [key, was] of before) {
          expect(inventory.apps.get(key)).toBe(was);
          expect(changed.has(key)).toBe(false);
        }
        publish(inventory, snapshots);
      }
    }),
  );
});

/** A source has one row of an app at most, of each kind. */
function oneOfEach(apps: readonly App[]): readonly App[] {
  return [...new Map(apps.map((each) => [rowOf(each), each])).values()];
}

function publish(inventory: Inventory, snapshots: readonly Snapshot[]): void {
  say(inventory, snapshots);
  inventory.settle(() => false);
}

function say(inventory: Inventory, snapshots: readonly Snapshot[]): void {
  for (let source = 0; source < 3; source += 1)
    list(inventory, String(source), snapshots[source] ?? snapshot());
}

function byKey(a: App, b: App): number {
  return appKey(a) < appKey(b) ? -1 : 1;
}

type Listed = ReadonlyMap<string, ReadonlySet<string>>;

/** The rules of a merge, one after the other, of everything. */
function rebuilt(snapshots: readonly Snapshot[], before: Listed): { apps: readonly App[]; listed: Listed } {
  const all = snapshots.flatMap(({ apps }) => apps);
  const listed = new Map<string, ReadonlySet<string>>();
  const apps: App[] = [];
  for (const [key, same] of Map.groupBy(all, ({ framework, id }) => `${framework}${id}`)) {
    const defined = same.filter(({ fromTasks }) => !fromTasks);
    const mesos = same.filter(({ fromTasks }) => fromTasks);
    const defines = new Set(defined.flatMap(({ tasks }) => tasks.map(({ id }) => id)));
    const seen = mesos.flatMap(({ tasks }) => tasks.map(({ id }) => id));
    const known = new Set(seen.filter((id) => defines.has(id) || before.get(key)?.has(id)));
    if (mesos.length > 0) listed.set(key, known);
    const lives = ({ id }: Task) => defines.has(id) || !known.has(id);
    const all = distinct(defined.flatMap(({ tasks }) => tasks));
    const reports: readonly (readonly Task[])[] = [
      ...(defined.length > 0 ? [all] : []),
      ...mesos.map(({ tasks }) => tasks),
    ];
    const [first] = [...defined, ...mesos];
    const ports = distinct(defined.flatMap((each) => each.ports));
    const living: readonly (readonly Task[])[] = reports.map((each) => each.filter(lives));
    const added = ({ id }: Task) => defined.length > 0 && !defines.has(id);
    const tasks = living.reduce(together).map((each) => (added(each) ? { ...each, onlyIn: 'Mesos' } : each));
    if (first !== undefined) apps.push({ ...first, ports: defined.length > 0 ? ports : first.ports, tasks });
  }
  return { apps, listed };
}

function distinct<Item>(items: readonly Item[]): readonly Item[] {
  return [...new Map(items.map((item) => [JSON.stringify(item), item])).values()];
}

function together(tasks: readonly Task[], others: readonly Task[]): readonly Task[] {
  const both = tasks.map((each) => {
    const other = others.find(({ id }) => id === each.id);
    return other === undefined ? each : worse(each, other);
  });
  const ids = new Set(tasks.map(({ id }) => id));
  return [...both, ...others.filter(({ id, state }) => !ids.has(id) && state !== 'gone')];
}

function worse(defined: Task, seen: Task): Task {
  const worst = <T>(order: readonly T[], a: T, b: T) =>
    order[Math.max(order.indexOf(a), order.indexOf(b))] ?? a;
  const nowhere = defined.ports.some(({ endpoints }) => endpoints.length === 0);
  const name = defined.name ?? seen.name;
  return {
    ...defined,
    ...(name !== undefined && { name }),
    state: worst(STATES, defined.state, seen.state),
    health: worst(HEALTHS, defined.health, seen.health),
    ports: nowhere && seen.ports.length > 0 ? seen.ports : defined.ports,
  };
}
