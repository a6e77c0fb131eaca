import type { App, Health, Snapshot, Task, TaskState } from '../model.ts';

/** Makes one snapshot of what several sources say. */
export type Merge = (snapshots: readonly Snapshot[]) => Snapshot;

/**
 * Makes the function that brings sources together. A task that a Mesos source and another one both tell of, of one
 * framework and by one id, counts once: with the ports and labels of the definition, and with both verdicts on it, the
 * worse of which decides. What only Mesos knows of an app (Marathon was not reached since) is added to it.
 *
 * Everything that is as it was is the same object again, also the snapshot of a single source.
 */
export function createMerge(): Merge {
  const merged = new WeakMap<App, { readonly others: readonly App[]; readonly app: App }>();

  const combine = (first: App, others: readonly App[]): App => {
    if (others.length === 0) return first;
    const known = merged.get(first);
    if (known?.others.length === others.length && known.others.every((app, i) => app === others[i]))
      return known.app;
    const app = others.reduce(together, first);
    merged.set(first, { others, app });
    return app;
  };

  return (snapshots) => {
    const [only, another] = snapshots;
    if (only !== undefined && another === undefined) return only;
    return {
      apps: pairs(snapshots).flatMap(({ leading, following }) => {
        const [first, ...others] = leading;
        return first === undefined ? [] : [combine(first, following), ...others];
      }),
      rejected: snapshots.flatMap(({ rejected }) => rejected),
      warnings: snapshots.flatMap(({ warnings }) => warnings),
    };
  };
}

interface Pair {
  /** Apps by definition; where there are none, the first that was put together from tasks. */
  leading: App[];
  /** Those put together from tasks. */
  following: App[];
}

/** Apps of one framework and id, in the order in which they first come. */
function pairs(snapshots: readonly Snapshot[]): readonly Pair[] {
  const byIdentity = new Map<string, Pair>();
  for (const { apps } of snapshots) {
    for (const app of apps) {
      const key = `${app.framework} ${app.id}`;
      const pair = byIdentity.get(key) ?? { leading: [], following: [] };
      byIdentity.set(key, pair);
      (app.fromTasks ? pair.following : pair.leading).push(app);
    }
  }
  const all = [...byIdentity.values()];
  for (const pair of all) if (pair.leading.length === 0) pair.leading.push(...pair.following.splice(0, 1));
  return all;
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
