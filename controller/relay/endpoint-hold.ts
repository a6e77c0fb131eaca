import type { Inventory } from '../inventory/inventory.ts';
import { endpointsOf } from '../inventory/task-index.ts';
import type { Holder } from '../loop/confirm.ts';
import { type App, appKey, type Task } from '../model/app.ts';
import type { BackendKey } from '../model/endpoint.ts';
import { isMass } from '../plan/mass.ts';

export interface Kept {
  /** The apps to publish: as the sources say, plus held tasks. */
  readonly apps: readonly App[];
  /** Number of endpoints that are published only because they are held. */
  readonly held: number;
}

/** `FRAMEWORK ID`. */
type AppKey = string;
/** `FRAMEWORK ID TASK`. */
type TaskKey = string;

/**
 * The mass-removal brake for endpoints (rule 4): keeps tasks published that are missing from most apps at once, since a
 * Marathon that is still loading may know its apps and not yet their tasks. Hosts do not hold these: for them an endpoint
 * that leaves its slice by an event was named by the source.
 *
 * Counts endpoints as slices do, one for each address of a task. Endpoints replaced by as many in the same app are no loss.
 */
export class EndpointHold implements Holder<ReadonlySet<TaskKey>> {
  readonly #holdMs: number;
  /** The apps as published; null until known. */
  #before: ReadonlyMap<AppKey, App> | null = null;
  /** Held tasks, with the time since when. */
  #since: ReadonlyMap<TaskKey, number> = new Map();
  /** Tasks that a source reported as ended, or that were still missing when it was read again. */
  readonly #accepted = new Set<TaskKey>();

  constructor(holdMs: number) {
    this.#holdMs = holdMs;
  }

  /** Sets what an earlier relay published. Before this call nothing is held. */
  begin(published: readonly App[]): void {
    this.#before = byKey(published);
  }

  get begun(): boolean {
    return this.#before !== null;
  }

  /** Accepts the loss of the tasks at these endpoints, which a source named as gone. */
  accept(gone: Iterable<BackendKey>): void {
    const all = new Set(gone);
    if (all.size === 0) return;
    for (const [key, { tasks }] of this.#before ?? [])
      for (const task of tasks) if (isAtAny(task, all)) this.#accepted.add(taskKey(key, task));
  }

  /** Returns what to publish for the apps of the sources. `isWhole` as in `RemovalHold`. */
  keep(apps: readonly App[], now: number, isWhole = true): Kept {
    const current = byKey(apps);
    const losses = this.#losses(current);
    let net = 0;
    for (const loss of losses.values()) net += loss.net;
    let published = 0;
    for (const app of this.#before?.values() ?? []) published += endpointCountOf(app);
    const mass = !isWhole || isMass(net, published);

    const since = new Map<TaskKey, number>();
    const kept = new Map<AppKey, App>();
    let held = 0;
    for (const [key, { before, tasks }] of losses) {
      // Held tasks stay held until they are accepted or back, even if too few are left to count as a mass removal.
      const holding = tasks.filter((task) => mass || this.#since.has(taskKey(key, task)));
      if (holding.length === 0) continue;
      kept.set(key, withTasks(current.get(key), before, holding));
      for (const task of holding) {
        held += endpointCount(task);
        since.set(taskKey(key, task), this.#since.get(taskKey(key, task)) ?? now);
      }
    }
    this.#since = since;
    this.#accepted.clear();
    const all = held === 0 ? apps : merge(apps, current, kept);
    this.#before = byKey(all);
    return { apps: all, held };
  }

  /** Returns the tasks held for long enough to read the sources again. */
  due(now: number): ReadonlySet<TaskKey> {
    return new Set([...this.#since].filter(([, at]) => now - at >= this.#holdMs).map(([key]) => key));
  }

  /**
   * Accepts the loss of due tasks that are still missing; all others wait again. Sources with an unknown part confirm nothing.
   * Returns how many are confirmed.
   */
  confirm(due: ReadonlySet<TaskKey>, { apps, unknown }: Inventory, now: number): number {
    if (unknown.length > 0) {
      this.#since = new Map([...this.#since].map(([key, at]) => [key, due.has(key) ? now : at]));
      return 0;
    }
    const present = new Set(
      [...apps].flatMap(([key, { tasks }]) => tasks.filter(endpointCount).map((task) => taskKey(key, task))),
    );
    const missing = [...due].filter((key) => !present.has(key));
    for (const key of missing) this.#accepted.add(key);
    this.#since = new Map([...this.#since].map(([key, at]) => [key, present.has(key) ? now : at]));
    return missing.length;
  }

  #losses(apps: ReadonlyMap<AppKey, App>): ReadonlyMap<AppKey, Loss> {
    const losses = new Map<AppKey, Loss>();
    for (const [key, before] of this.#before ?? []) {
      const app = apps.get(key);
      // Most apps are the same objects as before.
      if (app === before) continue;
      const current = new Map(app?.tasks.map((task) => [task.id, task]));
      const tasks = before.tasks.filter(
        (task) =>
          countsAsServing(task) && isMissing(current.get(task.id)) && !this.#accepted.has(taskKey(key, task)),
      );
      if (tasks.length === 0) continue;
      const net = totalEndpoints(tasks) - gained(before, current.values());
      if (net > 0) losses.set(key, { before, tasks, net });
    }
    return losses;
  }
}

/** The tasks of an app that disappeared without being reported as ended. */
interface Loss {
  readonly before: App;
  readonly tasks: readonly Task[];
  /** The number of endpoints lost, minus those gained. */
  readonly net: number;
}

/** Whether a task is absent, or has no endpoint although its end was not announced. */
function isMissing(now: Task | undefined): boolean {
  if (now === undefined) return true;
  const ends = now.state === 'killing' || now.state === 'gone';
  return !ends && endpointCount(now) === 0;
}

function gained(before: App, now: Iterable<Task>): number {
  const had = new Set(before.tasks.filter(endpointCount).map(({ id }) => id));
  return totalEndpoints([...now].filter((task) => countsAsServing(task) && !had.has(task.id)));
}

/** A task whose end was announced does not count. */
function countsAsServing({ state, ports }: Task): boolean {
  return state !== 'killing' && endpointCount({ state, ports }) > 0;
}

/** The number of endpoints that a task has in slices. */
function endpointCount({ state, ports }: Pick<Task, 'state' | 'ports'>): number {
  if (state === 'gone') return 0;
  const usable = ports.flatMap(({ endpoints }) => endpoints.filter(({ port }) => port > 0));
  return new Set(usable.map(({ address }) => address)).size;
}

function totalEndpoints(tasks: readonly Task[]): number {
  return tasks.reduce((sum, task) => sum + endpointCount(task), 0);
}

const counted = new WeakMap<App, number>();

function endpointCountOf(app: App): number {
  const count = counted.get(app) ?? totalEndpoints(app.tasks.filter(countsAsServing));
  counted.set(app, count);
  return count;
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

/** Merges the apps of the sources with the held tasks, and adds apps that exist only for their held tasks. */
function merge(
  apps: readonly App[],
  current: ReadonlyMap<AppKey, App>,
  kept: ReadonlyMap<AppKey, App>,
): readonly App[] {
  const merged = apps.map((app) => {
    const key = appKey(app);
    return current.get(key) === app ? (kept.get(key) ?? app) : app;
  });
  return [...merged, ...[...kept].filter(([key]) => !current.has(key)).map(([, app]) => app)];
}

function isAtAny({ ports }: Task, endpoints: ReadonlySet<BackendKey>): boolean {
  return ports.some((port) => endpointsOf(port).some((endpoint) => endpoints.has(endpoint)));
}

/** Of two apps with the same id and framework the first counts. */
function byKey(apps: readonly App[]): ReadonlyMap<AppKey, App> {
  const found = new Map<AppKey, App>();
  for (const app of apps) if (!found.has(appKey(app))) found.set(appKey(app), app);
  return found;
}

function taskKey(app: AppKey, { id }: Task): TaskKey {
  return `${app} ${id}`;
}
