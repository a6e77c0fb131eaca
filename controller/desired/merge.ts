import type { App, Health, Snapshot, Task, TaskState } from '../model.ts';

/** Makes one snapshot of what several sources say. */
export type Merge = (snapshots: readonly Snapshot[]) => Snapshot;

/**
 * Makes the function that brings sources together. A task that a Mesos source and another one both tell of, of one app
 * and by one id, counts once: with the ports and labels of the definition, and with both verdicts on it, the worse of
 * which decides. A task that only Mesos knows (Marathon was not reached since) is added to its app, unless Marathon has
 * listed it before: then it has ended on Marathon's word, whatever a Mesos that is out of reach said last.
 *
 * Everything that is as it was is the same object again, also the snapshot of a single source.
 */
export function createMerge(): Merge {
  const combine = createCombination();
  /** Tasks in Mesos's words that a definition's source has listed, by app. */
  let listed: ReadonlyMap<string, ReadonlySet<string>> = new Map();

  return (snapshots) => {
    const [only, another] = snapshots;
    if (only !== undefined && another === undefined) return only;
    const now = new Map<string, ReadonlySet<string>>();
    const apps = [...pairsOf(snapshots)].flatMap(([key, { defined, fromTasks }]) => {
      const [first, ...others] = [...defined.slice(0, 1), ...fromTasks];
      if (first === undefined || fromTasks.length === 0) return defined;
      const current = idsOf(defined);
      const before = listed.get(key) ?? NONE;
      const seen = new Set([...idsOf(fromTasks)].filter((id) => current.has(id) || before.has(id)));
      if (seen.size > 0) now.set(key, seen);
      const ended = new Set([...seen].filter((id) => !current.has(id)));
      return [combine(first, others, ended), ...defined.slice(1)];
    });
    listed = now;
    return {
      apps,
      rejected: snapshots.flatMap(({ rejected }) => rejected),
      warnings: snapshots.flatMap(({ warnings }) => warnings),
    };
  };
}

const NONE: ReadonlySet<string> = new Set();

function idsOf(apps: readonly App[]): ReadonlySet<string> {
  return new Set(apps.flatMap(({ tasks }) => tasks.map(({ id }) => id)));
}

/** Apps of one framework and id. */
interface Pair {
  readonly defined: App[];
  readonly fromTasks: App[];
}

/** By framework and id, in the order in which they first come. */
function pairsOf(snapshots: readonly Snapshot[]): ReadonlyMap<string, Pair> {
  const pairs = new Map<string, Pair>();
  for (const { apps } of snapshots) {
    for (const app of apps) {
      const key = `${app.framework} ${app.id}`;
      const pair = pairs.get(key) ?? { defined: [], fromTasks: [] };
      pairs.set(key, pair);
      (app.fromTasks ? pair.fromTasks : pair.defined).push(app);
    }
  }
  return pairs;
}

type Combine = (first: App, others: readonly App[], ended: ReadonlySet<string>) => App;

/** Makes the function that puts apps together, without tasks that have ended; it remembers what it made. */
function createCombination(): Combine {
  interface Made {
    readonly others: readonly App[];
    readonly ended: ReadonlySet<string>;
    readonly app: App;
  }
  const known = new WeakMap<App, Made>();
  return (first, others, ended) => {
    if (others.length === 0 && ended.size === 0) return first;
    const before = known.get(first);
    if (before !== undefined && sameList(before.others, others) && sameSet(before.ended, ended))
      return before.app;
    const app = [first, ...others].map((each) => without(each, ended)).reduce(together);
    known.set(first, { others, ended, app });
    return app;
  };
}

function without(app: App, ended: ReadonlySet<string>): App {
  if (ended.size === 0) return app;
  return { ...app, tasks: app.tasks.filter(({ id }) => !ended.has(id)) };
}

function sameList(a: readonly App[], b: readonly App[]): boolean {
  return a.length === b.length && a.every((app, i) => app === b[i]);
}

function sameSet(a: ReadonlySet<string>, b: ReadonlySet<string>): boolean {
  return a.size === b.size && [...a].every((id) => b.has(id));
}

function together(app: App, other: App): App {
  const others = new Map(other.tasks.map((task) => [task.id, task]));
  const tasks = app.tasks.map((task) => {
    const same = others.get(task.id);
    others.delete(task.id);
    return same === undefined ? task : oneTask(task, same);
  });
  // What has ended by one's word and is not known to the other is of no use.
  const added = [...others.values()].filter(({ state }) => state !== 'gone');
  return { ...app, tasks: [...tasks, ...added] };
}

function oneTask(defined: Task, seen: Task): Task {
  const state = worse(STATES, defined.state, seen.state);
  const health = worse(HEALTHS, defined.health, seen.health);
  // The version that it runs could not be read, or its agent not be found: what the task itself carries is as good.
  const placed = defined.ports.every(({ endpoints }) => endpoints.length > 0);
  const ports = placed || seen.ports.length === 0 ? defined.ports : seen.ports;
  const name = defined.name ?? seen.name;
  return { ...defined, ...(name !== undefined && { name }), state, health, ports };
}

/** From serving to not at all. */
const STATES: readonly TaskState[] = ['running', 'killing', 'staging', 'unreachable', 'gone'];
const HEALTHS: readonly Health[] = ['unchecked', 'healthy', 'unknown', 'unhealthy'];

function worse<Verdict>(order: readonly Verdict[], a: Verdict, b: Verdict): Verdict {
  return order.indexOf(a) >= order.indexOf(b) ? a : b;
}
