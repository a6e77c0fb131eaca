/** What the API can do to apps and pods: change the catalogue, start a deployment, tell the scheduler. */

import { Catalogue, type Entry, runSpecOf } from './catalogue.ts';
import { type Action, type ActionType, Deployments } from './deployments.ts';
import { conflict, notFound, unknownApp, unknownPod } from './errors.ts';
import type { EventBus } from './events.ts';
import type { Instance } from './instance.ts';
import { type JsonObject, objectAt, without } from './json.ts';
import { absoluteId, normaliseApp, normalisePod } from './normalise.ts';
import type { Scheduler } from './scheduler.ts';

/** Who asked, for the events that a write gives. */
export interface Caller {
  readonly clientIp: string;
  readonly uri: string;
}

export interface Started {
  readonly version: string;
  readonly deploymentId: string;
  /** true when the deployment succeeded, false when it was cancelled. */
  readonly done: Promise<boolean>;
}

export interface AppWrite {
  readonly definition: JsonObject;
  readonly restart?: boolean;
}

const FIRST_SERVICE_PORT = 10_000;
const LAST_SERVICE_PORT = 20_000;

export class Operations {
  readonly catalogue = new Catalogue();
  readonly deployments: Deployments;
  readonly scheduler: Scheduler;
  readonly #events: EventBus;
  #nextServicePort = FIRST_SERVICE_PORT;

  constructor(scheduler: Scheduler, events: EventBus) {
    this.scheduler = scheduler;
    this.#events = events;
    this.deployments = new Deployments(events, (id) => scheduler.settled(id));
    scheduler.onChange = (id) => this.deployments.recheck(id);
  }

  createApp(raw: JsonObject, caller: Caller, force = false): Started & { entry: Entry } {
    const id = absoluteId(String(raw['id']));
    if (this.catalogue.has(id)) throw conflict(`An app with id [${id}] already exists.`);
    const started = this.writeApps([{ definition: raw }], caller, force);
    return { ...started, entry: this.app(id) };
  }

  /** Writes whole definitions of apps, in one deployment. */
  writeApps(writes: readonly AppWrite[], caller: Caller, force: boolean): Started {
    const definitions = writes.map(({ definition }) => normaliseApp(definition, () => this.#servicePort()));
    this.deployments.claim(definitions.map(idOf), force);

    const actions = definitions.map((definition, index) =>
      this.#put('app', definition, writes[index]?.restart ?? false),
    );
    for (const appDefinition of definitions)
      this.#events.publish('api_post_event', { ...caller, appDefinition });
    return this.#start(actions);
  }

  deleteApps(ids: readonly string[], caller: Caller, force: boolean): Started {
    const entries = ids.map((id) => this.app(id));
    this.deployments.claim(ids, force);
    const actions = entries.map((entry) => this.#remove(entry));
    for (const { definition } of entries) {
      this.#events.publish('api_post_event', { ...caller, appDefinition: definition });
    }
    return this.#start(actions);
  }

  restartApp(id: string, caller: Caller, force: boolean): Started {
    return this.writeApps([{ definition: this.app(id).definition, restart: true }], caller, force);
  }

  writePod(raw: JsonObject, caller: Caller, force: boolean): Started & { entry: Entry } {
    const definition = normalisePod(raw);
    const id = idOf(definition);
    const created = !this.catalogue.has(id);
    this.deployments.claim([id], force);
    const action = this.#put('pod', definition, false);
    this.#events.publish(created ? 'pod_created_event' : 'pod_updated_event', { ...caller });
    return { ...this.#start([action]), entry: this.pod(id) };
  }

  deletePod(id: string, caller: Caller, force: boolean): Started {
    const entry = this.pod(id);
    this.deployments.claim([id], force);
    const action = this.#remove(entry);
    this.#events.publish('pod_deleted_event', { ...caller });
    return this.#start([action]);
  }

  /** Ends instances; with `scale` no others take their place. */
  killInstances(
    instances: readonly Instance[],
    scale: boolean,
    caller: Caller,
    force: boolean,
  ): Started | null {
    if (!scale) {
      for (const instance of instances) this.scheduler.tasks.kill(instance);
      return null;
    }
    // Before the app is scaled, so that these are the ones that go.
    const writes = this.#scaledDown(instances);
    this.deployments.claim(
      writes.map(({ definition }) => idOf(definition)),
      force,
    );
    for (const instance of instances) this.scheduler.tasks.kill(instance);
    return this.writeApps(writes, caller, true);
  }

  /** Starts the deployment that undoes one; null when it is only to be forgotten. */
  cancelDeployment(id: string, force: boolean, caller: Caller): Started | null {
    const actions = this.deployments.get(id);
    if (!actions) throw notFound(`DeploymentPlan ${id} does not exist`);
    this.deployments.cancel(id);
    if (force) return null;
    const restored = actions.map((action) => this.#restore(action));
    this.#events.publish('api_post_event', { ...caller, appDefinition: {} });
    return this.#start(restored);
  }

  app(id: string): Entry {
    const entry = this.catalogue.get('app', id);
    if (!entry) throw unknownApp(id);
    return entry;
  }

  pod(id: string): Entry {
    const entry = this.catalogue.get('pod', id);
    if (!entry) throw unknownPod(id);
    return entry;
  }

  #put(kind: Entry['kind'], definition: JsonObject, restart: boolean): Action {
    const id = idOf(definition);
    const before = this.catalogue.get(kind, id)?.definition ?? null;
    const { entry, change } = this.catalogue.put(kind, id, definition, restart);
    this.scheduler.want(runSpecOf(entry));
    const types: Record<typeof change, ActionType> = {
      created: 'StartApplication',
      config: 'RestartApplication',
      scaled: 'ScaleApplication',
    };
    return { kind, id, type: types[change], before };
  }

  #remove(entry: Entry): Action {
    this.catalogue.remove(entry.id);
    this.scheduler.stop(entry.id);
    return { kind: entry.kind, id: entry.id, type: 'StopApplication', before: entry.definition };
  }

  #restore({ kind, id, before }: Action): Action {
    if (before !== null) return this.#put(kind, before, false);
    return this.#remove(kind === 'app' ? this.app(id) : this.pod(id));
  }

  #start(actions: readonly Action[]): Started {
    const version = this.catalogue.newVersion();
    this.#events.publish('group_change_success', { groupId: '/', version });
    const { id, done } = this.deployments.start(version, actions);
    return { version, deploymentId: id, done };
  }

  #scaledDown(instances: readonly Instance[]): readonly AppWrite[] {
    const ids = new Set(instances.map(({ spec }) => spec.id));
    return [...ids].map((id) => {
      const { definition } = this.app(id);
      const killed = instances.filter(({ spec }) => spec.id === id).length;
      const wanted = Number(definition['instances'] ?? 1);
      return { definition: { ...definition, instances: Math.max(0, wanted - killed) } };
    });
  }

  #servicePort(): number {
    const port = this.#nextServicePort;
    this.#nextServicePort = port === LAST_SERVICE_PORT ? FIRST_SERVICE_PORT : port + 1;
    return port;
  }
}

/** A PUT with partialUpdate takes the given keys over the present definition. */
export function merged(before: JsonObject | undefined, update: JsonObject): JsonObject {
  if (!before) return update;
  const strategy = { ...objectAt(before, 'upgradeStrategy'), ...objectAt(update, 'upgradeStrategy') };
  return { ...before, ...without(update, 'version', 'versionInfo'), upgradeStrategy: strategy };
}

function idOf(definition: JsonObject): string {
  return String(definition['id']);
}
