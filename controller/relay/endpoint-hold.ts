import type { Inventory } from '../inventory/inventory.ts';
import { everyEndpoint } from '../inventory/task-index.ts';
import type { Holder } from '../loop/confirm.ts';
import { type App, appKey, type BackendKey, endpointKey, type Task } from '../model.ts';
import { isMass } from '../plan/mass.ts';

export interface Kept {
  /** What is to be published: what the sources say, and the tasks that are held. */
  readonly apps: readonly App[];
  /** How many endpoints of these are there only because they are held. */
  readonly held: number;
}

/** `FRAMEWORK ID`. */
type AppKey = string;
/** `FRAMEWORK ID TASK`. */
type TaskKey = string;

/**
 * Keeps tasks published that most apps lost at once, only because the sources do not mention them (rule 4): a Marathon
 * that is still loading may know its apps and not yet their tasks. On hosts that read what a relay publishes, an
 * endpoint that leaves its slice counts as said by name.
 *
 * Counts the endpoints of slices: a task at one address. Those that are replaced by as many in the same app are no loss.
 */
export class EndpointHold implements Holder<ReadonlySet<TaskKey>> {
  readonly #holdMs: number;
  /** What is published; null: not known yet. */
  #before: ReadonlyMap<AppKey, App> | null = null;
  /** What is held, since when. */
  #since: ReadonlyMap<TaskKey, number> = new Map();
  /** Tasks of which a source said that they ended, or that are missing although it was asked again. */
  readonly #accepted = new Set<TaskKey>();

  constructor(holdMs: number) {
    this.#holdMs = holdMs;
  }

  /** Takes what an earlier relay published, when nothing is known yet; before that nothing is held. */
  begin(published: readonly App[]): void {
    this.#before = byKey(published);
  }

  get begun(): boolean {
    return this.#before !== null;
  }

  /** A source said by name that what was at these endpoints is gone. */
  accept(gone: Iterable<BackendKey>): void {
    const all = new Set(gone);
    if (all.size === 0) return;
    for (const [key, { tasks }] of this.#before ?? [])
      for (const task of tasks) if (isAtAny(task, all)) this.#accepted.add(taskKey(key, task));
  }

  /** What is to be published now that the sources say that there are these apps. */
  keep(apps: readonly App[], now: number): Kept {
    const said = byKey(apps);
    const losses = this.#losses(said);
    let net = 0;
    for (const loss of losses.values()) net += loss.net;
    let published = 0;
    for (const app of this.#before?.values() ?? []) published += placesOfApp(app);
    const mass = isMass(net, published);

    const since = new Map<TaskKey, number>();
    const kept = new Map<AppKey, App>();
    let held = 0;
    for (const [key, { before, tasks }] of losses) {
      // What is held stays so until it is accepted, or there again: fewer than a mass may be left of it.
      const holding = tasks.filter((task) => mass || this.#since.has(taskKey(key, task)));
      if (holding.length === 0) continue;
      kept.set(key, withTasks(said.get(key), before, holding));
      for (const task of holding) {
        held += placesOf(task);
        since.set(taskKey(key, task), this.#since.get(taskKey(key, task)) ?? now);
      }
    }
    this.#since = since;
    this.#accepted.clear();
    const all = held === 0 ? apps : together(apps, said, kept);
    this.#before = byKey(all);
    return { apps: all, held };
  }

  /** What has been held for long enough to ask the sources once more. */
  due(now: number): ReadonlySet<TaskKey> {
    return new Set([...this.#since].filter(([, at]) => now - at >= this.#holdMs).map(([key]) => key));
  }

  /** Of what was due, what is still missing may go. The rest waits again. Returns how many are missing. */
  confirm(due: ReadonlySet<TaskKey>, { apps }: Inventory, now: number): number {
    const there = new Set(
      [...apps].flatMap(([key, { tasks }]) => tasks.filter(placesOf).map((task) => taskKey(key, task))),
    );
    const missing = [...due].filter((key) => !there.has(key));
    for (const key of missing) this.#accepted.add(key);
    this.#since = new Map([...this.#since].map(([key, at]) => [key, there.has(key) ? now : at]));
    return missing.length;
  }

  #losses(said: ReadonlyMap<AppKey, App>): ReadonlyMap<AppKey, Loss> {
    const losses = new Map<AppKey, Loss>();
    for (const [key, before] of this.#before ?? []) {
      const app = said.get(key);
      // Most apps are the same objects as before.
      if (app === before) continue;
      const current = new Map(app?.tasks.map((task) => [task.id, task]));
      const tasks = before.tasks.filter(
        (task) =>
          countsAsServing(task) && isMissing(current.get(task.id)) && !this.#accepted.has(taskKey(key, task)),
      );
      if (tasks.length === 0) continue;
      const net = sumOfPlaces(tasks) - gained(before, current.values());
      if (net > 0) losses.set(key, { before, tasks, net });
    }
    return losses;
  }
}

/** What one app lost without a word. */
interface Loss {
  readonly before: App;
  readonly tasks: readonly Task[];
  /** How many fewer endpoints it would have. */
  readonly net: number;
}

/** Not there, or running with nowhere to reach it. Of one that starts or ends the source has said so itself. */
function isMissing(now: Task | undefined): boolean {
  if (now === undefined) return true;
  const lives = now.state === 'running' || now.state === 'unreachable';
  return lives && placesOf(now) === 0;
}

function gained(before: App, now: Iterable<Task>): number {
  const had = new Set(before.tasks.filter(placesOf).map(({ id }) => id));
  return sumOfPlaces([...now].filter((task) => countsAsServing(task) && !had.has(task.id)));
}

/** One whose end was announced is no loss. */
function countsAsServing({ state, ports }: Task): boolean {
  return state !== 'killing' && placesOf({ state, ports }) > 0;
}

/** How many endpoints a task has in slices. */
function placesOf({ state, ports }: Pick<Task, 'state' | 'ports'>): number {
  if (state === 'gone') return 0;
  const places = ports.flatMap(({ endpoints }) => endpoints.filter(({ port }) => port > 0));
  return new Set(places.map(({ address }) => address)).size;
}

function sumOfPlaces(tasks: readonly Task[]): number {
  return tasks.reduce((sum, task) => sum + placesOf(task), 0);
}

const counted = new WeakMap<App, number>();

function placesOfApp(app: App): number {
  const places = counted.get(app) ?? sumOfPlaces(app.tasks.filter(countsAsServing));
  counted.set(app, places);
  return places;
}

function withTasks(now: App | undefined, before: App, held: readonly Task[]): App {
  if (now === undefined) return held.length === before.tasks.length ? before : { ...before, tasks: held };
  const missing = new Map(held.map((task) => [task.id, task]));
  const tasks = now.tasks.map((task) => {
    const ports = missing.get(task.id)?.ports;
    missing.delete(task.id);
    return ports === undefined ? task : { ...task, ports };
  });
  return { ...now, tasks: [...tasks, ...missing.values()] };
}

/** The apps that are there, with what each keeps, and those that only are there for what is held. */
function together(
  apps: readonly App[],
  said: ReadonlyMap<AppKey, App>,
  kept: ReadonlyMap<AppKey, App>,
): readonly App[] {
  const there = apps.map((app) => {
    const key = appKey(app);
    return said.get(key) === app ? (kept.get(key) ?? app) : app;
  });
  return [...there, ...[...kept].filter(([key]) => !said.has(key)).map(([, app]) => app)];
}

function isAtAny({ ports }: Task, endpoints: ReadonlySet<BackendKey>): boolean {
  return ports.some((port) => everyEndpoint(port).some((endpoint) => endpoints.has(endpointKey(endpoint))));
}

/** The first of two apps with one id and framework counts, as everywhere. */
function byKey(apps: readonly App[]): ReadonlyMap<AppKey, App> {
  const found = new Map<AppKey, App>();
  for (const app of apps) if (!found.has(appKey(app))) found.set(appKey(app), app);
  return found;
}

function taskKey(app: AppKey, { id }: Task): TaskKey {
  return `${app} ${id}`;
}
