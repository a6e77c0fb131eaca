import { asError, ControllerError } from '../../errors.ts';
import type { MarathonApp, MarathonPodStatus } from '../../input/marathon-json.ts';
import type { App } from '../../model/app.ts';
import { Pace } from '../../pace.ts';
import { isOutdated } from '../document/apps.ts';
import type { OlderVersions } from '../document/convert.ts';
import { type Documents, readDocuments } from '../document/documents.ts';
import type { Conversion } from '../document/placement.ts';
import { definePod, instanceVersion, type PodDefinition } from '../document/pods.ts';
import { type AppDefinition, declaresVip, defineApp } from '../document/ports.ts';
import { isLost } from '../document/unread.ts';
import type { MarathonClient } from './client.ts';
import { KnownVersions } from './known-versions.ts';
import { appVersionPath, podVersionPath } from './paths.ts';

export interface OlderVersionsOptions {
  readonly client: MarathonClient;
  /** How many versions are read concurrently. */
  readonly inFlight: number;
  /** Called with the id of an app or pod when a version of it could not be read. */
  readonly unreadable: (id: string, error: Error) => void;
}

type Versions<Definition> = Map<string, Definition | 'gone' | 'unreadable'>;

/** A version that must be read from Marathon. */
interface Wanted {
  readonly id: string;
  readonly path: string;
  /**
   * Takes the answer; null when Marathon has deleted the version. Returns whether the answer was a definition of it.
   */
  readonly take: (documents: Documents | null) => boolean;
}

/** What is needed to find the older versions of one app or pod. */
interface Subject<Definition> {
  readonly id: string;
  readonly newest: { readonly from: string; readonly to: string; readonly define: () => Definition };
  readonly outdated: ReadonlySet<string>;
  readonly store: KnownVersions<Definition>;
  readonly path: (id: string, version: string) => string;
  readonly defined: (documents: Documents) => Definition | undefined;
}

/**
 * Finds the older versions that tasks run during a deployment. It remembers the versions that were the newest when they
 * were read; it reads others from Marathon, once, and only when a VIP may depend on them.
 */
export class OlderVersionsReader {
  readonly #options: OlderVersionsOptions;
  readonly #apps = new KnownVersions<AppDefinition>();
  readonly #pods = new KnownVersions<PodDefinition>();

  constructor(options: OlderVersionsOptions) {
    this.#options = options;
  }

  /**
   * Finds every older version that a task in these documents runs. `previous`: an app or pod as last converted. A
   * version that cannot be read is `unreadable` this time; rejects only when `signal` aborts.
   */
  async find(
    { apps, pods }: Pick<Documents, 'apps' | 'pods'>,
    previous: (id: string) => App | undefined,
    signal: AbortSignal,
  ): Promise<OlderVersions> {
    const wanted: Wanted[] = [];
    const pace = new Pace();
    const ofApps = new Map<string, Conversion<AppDefinition>['versions']>();
    const newest = new Map<MarathonApp, AppDefinition>();
    const define = (app: MarathonApp) => {
      const definition = newest.get(app) ?? defineApp(app);
      newest.set(app, definition);
      return definition;
    };
    for (const app of apps.filter((each) => !isLost(each))) {
      const versions = lookUp(appSubject(app, this.#apps, define), previous(app.id), wanted);
      if (versions.size > 0) ofApps.set(app.id, versions);
      await pace.restIfDue();
    }
    const ofPods = new Map<string, Conversion<PodDefinition>['versions']>();
    for (const pod of pods.filter((each) => !isLost(each))) {
      const versions = lookUp(podSubject(pod, this.#pods), previous(pod.id), wanted);
      if (versions.size > 0) ofPods.set(pod.id, versions);
    }
    await concurrently(wanted, this.#options.inFlight, (one) => this.#read(one, signal));
    return { apps: ofApps, pods: ofPods, newest };
  }

  /** Forgets apps and pods that no longer exist. */
  prune(exists: (id: string) => boolean): void {
    this.#apps.pruneApps(exists);
    this.#pods.pruneApps(exists);
  }

  async #read({ id, path, take }: Wanted, signal: AbortSignal): Promise<void> {
    try {
      const json = await this.#options.client.get(path, signal);
      if (take(json === null ? null : (readDocuments(json, path) ?? NO_DOCUMENTS))) return;
      const message = `GET ${this.#options.client.name}${path}: expected a definition of ${id}, got something else`;
      this.#options.unreadable(id, new ControllerError('source', message));
    } catch (error) {
      signal.throwIfAborted();
      this.#options.unreadable(id, asError(error));
    }
  }
}

const NO_DOCUMENTS: Documents = { apps: [], pods: [], rejected: [] };

/** Returns the known versions. The others are added to `wanted`, and are `unreadable` until they are read. */
function lookUp<Definition extends AppDefinition | PodDefinition>(
  { id, newest, outdated, store, path, defined }: Subject<Definition>,
  previous: App | undefined,
  wanted: Wanted[],
): Versions<Definition> {
  store.prune(id, [newest.from, ...outdated]);
  store.remember(id, newest.from, newest.to, newest.define);
  const versions: Versions<Definition> = new Map();
  for (const version of outdated) {
    const known = store.find(id, version);
    if (known !== undefined) versions.set(version, known);
    else if (mayHaveVips(previous) || declaresVip(newest.define())) {
      versions.set(version, 'unreadable');
      const take = (documents: Documents | null) => {
        const definition = documents === null ? 'gone' : defined(documents);
        if (definition === undefined) return false;
        versions.set(version, definition);
        store.remember(id, version, version, () => definition);
        return true;
      };
      wanted.push({ id, path: path(id, version), take });
    }
  }
  return versions;
}

/** An app without an earlier conversion may have had any labels. */
function mayHaveVips(previous: App | undefined): boolean {
  if (previous === undefined) return true;
  const hasVip = (ports: App['ports']) => declaresVip({ ports: ports.map((port) => ({ port })) });
  return hasVip(previous.ports) || previous.tasks.some((task) => hasVip(task.ports));
}

function appSubject(
  app: MarathonApp,
  store: KnownVersions<AppDefinition>,
  define: (app: MarathonApp) => AppDefinition,
): Subject<AppDefinition> {
  const to = app.version ?? '';
  const outdated = new Set<string>();
  for (const task of app.tasks ?? []) if (task.version && isOutdated(task, app)) outdated.add(task.version);
  return {
    id: app.id,
    newest: { from: app.versionInfo?.lastConfigChangeAt ?? to, to, define: () => define(app) },
    outdated,
    store,
    path: appVersionPath,
    defined: ({ apps: [app] }) => (app === undefined || isLost(app) ? undefined : defineApp(app)),
  };
}

function podSubject(pod: MarathonPodStatus, store: KnownVersions<PodDefinition>): Subject<PodDefinition> {
  const newest = pod.spec.version ?? '';
  const outdated = new Set<string>();
  for (const instance of pod.instances ?? []) {
    const version = instanceVersion(instance);
    if (version !== undefined && newest !== '' && version !== newest) outdated.add(version);
  }
  return {
    id: pod.id,
    newest: { from: newest, to: newest, define: () => definePod(pod.spec, pod.unread) },
    outdated,
    store,
    path: podVersionPath,
    defined: ({ pods: [pod] }) =>
      pod === undefined || isLost(pod) ? undefined : definePod(pod.spec, pod.unread),
  };
}

/**
 * Runs `job` for every item, at most `limit` at once. After a failure it starts no more, and rejects with the first
 * failure once all running jobs have ended.
 */
export async function concurrently<Item>(
  items: Iterable<Item>,
  limit: number,
  job: (item: Item) => Promise<void>,
): Promise<void> {
  const queue = [...items];
  const failures: unknown[] = [];
  const worker = async () => {
    for (let item = queue.shift(); item !== undefined && failures.length === 0; item = queue.shift()) {
      await job(item).catch((error: unknown) => failures.push(error));
    }
  };
  await Promise.all(Array.from({ length: limit }, worker));
  if (failures.length > 0) throw failures[0];
}
