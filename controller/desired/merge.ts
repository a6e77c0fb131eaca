import { type App, appKey, type Health, type Snapshot, type Task, type TaskState } from '../model.ts';
import { Portion } from '../parts.ts';
import { foldDefinitions } from './fold.ts';
import { inSamePlaces } from './grouping.ts';

/**
 * Makes one snapshot of what several sources say, in parts of a few milliseconds at most, between which whoever asks for
 * them may do other things. One that was begun must be brought to its end before another one begins.
 */
export type Merge = (snapshots: readonly Snapshot[]) => Generator<undefined, Snapshot>;

/**
 * Makes the function that brings sources together. In the result each framework and id has one app: what several sources
 * define, or several documents of one, is folded into one (`foldDefinitions`). A task that a Mesos source and another one both tell of, of one app
 * and by one id, counts once: with the ports and labels of the definition, and with both verdicts on it, the worse of
 * which decides. A task that only Mesos knows (Marathon was not reached since) is added to its app, unless Marathon has
 * listed it before: then it has ended on Marathon's word, whatever a Mesos that is out of reach said last.
 *
 * Everything that is as it was is the same object again, also the snapshot of a single source that tells of no app twice,
 * and tasks are looked at only in apps that are not.
 */
export function createMerge(): Merge {
  const combine = createCombination();
  const arrange = createArrangement();
  const tellsNoneTwice = createUniqueness();

  const merge = (group: Group, members: readonly App[]): void => {
    const fromTasks = members.filter((app) => app.fromTasks);
    const defined = members.filter((app) => !app.fromTasks);
    if (!sameList(group.defined, defined)) group.folded = folded(defined);
    group.defined = defined;
    const [first, ...others] = [...group.folded, ...fromTasks];
    group.members = members;
    if (first === undefined || fromTasks.length === 0) {
      group.listed = NONE;
      group.merged = group.folded;
      return;
    }
    const current = idsOf(defined);
    const before = group.listed;
    group.listed = new Set([...idsOf(fromTasks)].filter((id) => current.has(id) || before.has(id)));
    const ended = new Set([...group.listed].filter((id) => !current.has(id)));
    group.merged = [combine(first, others, ended)];
  };

  return function* (snapshots) {
    const [only, another] = snapshots;
    if (only !== undefined && another === undefined && tellsNoneTwice(only.apps)) return only;
    const lists = snapshots.map(({ apps }) => apps);
    const apps: App[] = [];
    const portion = new Portion(PART);
    for (const group of yield* arrange(lists)) {
      const members = group.places.flatMap(({ source, at }) => lists[source]?.[at] ?? []);
      const known = sameList(group.members, members);
      // A group that is as it was would give the same again, with the same tasks listed.
      if (!known) merge(group, members);
      apps.push(...group.merged);
      if (portion.add(known ? KNOWN : costOf(members))) yield;
    }
    const agents = agentsOf(snapshots);
    return {
      apps,
      rejected: snapshots.flatMap(({ rejected }) => rejected),
      warnings: snapshots.flatMap(({ warnings }) => warnings),
      ...(agents !== undefined && { agents }),
    };
  };
}

function agentsOf(snapshots: readonly Snapshot[]): readonly string[] | undefined {
  const lists = snapshots.flatMap(({ agents }) => (agents === undefined ? [] : [agents]));
  return lists.length > 1 ? [...new Set(lists.flat())].sort() : lists[0];
}

/** So many new apps and tasks are one part: a millisecond or less. */
const PART = 512;
/** What an app costs that is as it was, or of which only the place is looked at. */
const KNOWN = 0.5;
const NONE: ReadonlySet<string> = new Set();

function costOf(apps: readonly App[]): number {
  return apps.reduce((cost, { tasks }) => cost + 1 + tasks.length, 0);
}

function idsOf(apps: readonly App[]): ReadonlySet<string> {
  return new Set(apps.flatMap(({ tasks }) => tasks.map(({ id }) => id)));
}

/** Apps of one framework and id. */
interface Group {
  /** Where they stand now. */
  places: Place[];
  /** What they were last, which of them are definitions, and what that gave. */
  members: readonly App[];
  defined: readonly App[];
  /** The app of all definitions; empty where there is none. */
  folded: readonly App[];
  merged: readonly App[];
  /** Tasks in Mesos's words that a definition's source has listed. */
  listed: ReadonlySet<string>;
}

function emptyGroup(): Group {
  return { places: [], members: [], defined: [], folded: [], merged: [], listed: NONE };
}

function folded([first, ...others]: readonly App[]): readonly App[] {
  return first === undefined ? [] : [foldDefinitions([first, ...others])];
}

interface Place {
  readonly source: number;
  readonly at: number;
}

type Lists = readonly (readonly App[])[];

/**
 * Makes the function that finds the groups in the order in which they first come. A group stays the same object as long
 * as it has an app. Since a source tells of the same apps in the same order again, most calls find all in its place.
 */
function createArrangement(): (lists: Lists) => Generator<undefined, Iterable<Group>> {
  let last: Lists = [];
  let groups: ReadonlyMap<string, Group> = new Map();
  return function* (lists) {
    const inPlace =
      lists.length === last.length && lists.every((list, source) => inSamePlaces(last[source] ?? [], list));
    if (!inPlace) groups = yield* rearranged(groups, lists);
    last = lists;
    return groups.values();
  };
}

function* rearranged(
  before: ReadonlyMap<string, Group>,
  lists: Lists,
): Generator<undefined, ReadonlyMap<string, Group>> {
  const groups = new Map<string, Group>();
  const portion = new Portion(PART);
  for (const [source, list] of lists.entries()) {
    for (const [at, app] of list.entries()) {
      const key = appKey(app);
      const place = { source, at };
      const begun = groups.get(key);
      if (begun !== undefined) begun.places.push(place);
      else {
        const group = before.get(key) ?? emptyGroup();
        group.places = [place];
        groups.set(key, group);
      }
      if (portion.add(KNOWN)) yield;
    }
  }
  return groups;
}

/** Makes the function that says whether a source tells of each app once; it remembers the answer while apps stay in place. */
function createUniqueness(): (apps: readonly App[]) => boolean {
  let last: readonly App[] = [];
  let unique = true;
  return (apps) => {
    if (!inSamePlaces(last, apps)) unique = new Set(apps.map(appKey)).size === apps.length;
    last = apps;
    return unique;
  };
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
    const seen = others.get(task.id);
    return seen === undefined ? task : oneTask(task, seen);
  });
  // Only now: definitions that disagree on a task have it more than once.
  for (const { id } of app.tasks) others.delete(id);
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
  const agent = defined.agent ?? seen.agent;
  const addresses = [...new Set([...(defined.addresses ?? []), ...(seen.addresses ?? [])])];
  return {
    ...defined,
    ...(name !== undefined && { name }),
    ...(agent !== undefined && { agent }),
    ...(addresses.length > 0 && { addresses }),
    state,
    health,
    ports,
  };
}

/** From serving to not at all. */
const STATES: readonly TaskState[] = ['running', 'killing', 'staging', 'unreachable', 'gone'];
const HEALTHS: readonly Health[] = ['unchecked', 'healthy', 'unknown', 'unhealthy'];

function worse<Verdict>(order: readonly Verdict[], a: Verdict, b: Verdict): Verdict {
  return order.indexOf(a) >= order.indexOf(b) ? a : b;
}
