import { asError, ControllerError } from '../../errors.ts';
import type { MarathonApp, MarathonPodStatus } from '../../input/marathon-json.ts';
import type { App } from '../../model/app.ts';
import { Pace } from '../../pace.ts';
import { isOutdated } from '../document/apps.ts';
import type { OlderVersions } from '../document/convert.ts';
import { type Documents, readDocuments } from '../document/documents.ts';
import { definePod, instanceVersion } from '../document/pods.ts';
import { type Definition, declaresVip, defineApp } from '../document/ports.ts';
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

type Versions = Map<string, Definition | 'gone' | 'unreadable'>;

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
interface Subject extends Pick<App, 'id' | 'kind'> {
  readonly newest: { readonly from: string; readonly to: string };
  readonly define: () => Definition;
  readonly outdated: ReadonlySet<string>;
}

/**
 * Finds the older versions that tasks run during a deployment. It remembers the versions that were the newest when they
 * were read; it reads others from Marathon, once, and only when a VIP may depend on them.
 */
export class OlderVersionsReader {
  readonly #options: OlderVersionsOptions;
  readonly #known = { app: new KnownVersions<Definition>(), pod: new KnownVersions<Definition>() };

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
    const found = new Map<MarathonApp | MarathonPodStatus, { newest?: Definition; versions?: Versions }>();
    for (const item of [...apps, ...pods].filter((each) => !isLost(each))) {
      const own: { newest?: Definition; versions?: Versions } = {};
      const subject = 'spec' in item ? podSubject(item) : appSubject(item);
      const define = () => {
        own.newest ??= subject.define();
        return own.newest;
      };
      const known = this.#known[subject.kind];
      const versions = lookUp({ ...subject, define }, known, previous(item.id), wanted);
      if (versions.size > 0) own.versions = versions;
      found.set(item, own);
      await pace.restIfDue();
    }
    await concurrently(wanted, this.#options.inFlight, (one) => this.#read(one, signal));
    return found;
  }

  /** Forgets apps and pods that no longer exist. */
  prune(exists: (id: string) => boolean): void {
    this.#known.app.pruneApps(exists);
    this.#known.pod.pruneApps(exists);
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
function lookUp(
  { id, kind, newest, define, outdated }: Subject,
  store: KnownVersions<Definition>,
  previous: App | undefined,
  wanted: Wanted[],
): Versions {
  store.prune(id, [newest.from, ...outdated]);
  store.remember(id, newest.from, newest.to, define);
  const versions: Versions = new Map();
  for (const version of outdated) {
    const known = store.find(id, version);
    if (known !== undefined) versions.set(version, known);
    else if (mayHaveVips(previous) || declaresVip(define())) {
      versions.set(version, 'unreadable');
      const take = (documents: Documents | null) => {
        const definition = documents === null ? 'gone' : definitionIn(documents, kind);
        if (definition === undefined) return false;
        versions.set(version, definition);
        store.remember(id, version, version, () => definition);
        return true;
      };
      const path = kind === 'app' ? appVersionPath(id, version) : podVersionPath(id, version);
      wanted.push({ id, path, take });
    }
  }
  return versions;
}

/** The definition of the first app or pod in a document; undefined if there is none or it cannot be read. */
function definitionIn({ apps: [app], pods: [pod] }: Documents, kind: App['kind']): Definition | undefined {
  if (kind === 'app') return app === undefined || isLost(app) ? undefined : defineApp(app);
  return pod === undefined || isLost(pod) ? undefined : definePod(pod.spec, pod);
}

/** An app without an earlier conversion may have had any labels. */
function mayHaveVips(previous: App | undefined): boolean {
  if (previous === undefined) return true;
  const hasVip = (ports: App['ports']) => declaresVip({ ports: ports.map((port) => ({ port })) });
  return hasVip(previous.ports) || previous.tasks.some((task) => hasVip(task.ports));
}

function appSubject(app: MarathonApp): Subject {
  const to = app.version ?? '';
  const outdated = new Set<string>();
  for (const task of app.tasks ?? []) if (task.version && isOutdated(task, app)) outdated.add(task.version);
  const newest = { from: app.versionInfo?.lastConfigChangeAt ?? to, to };
  return { id: app.id, kind: 'app', newest, define: () => defineApp(app), outdated };
}

function podSubject(pod: MarathonPodStatus): Subject {
  const newest = pod.spec.version ?? '';
  const outdated = new Set<string>();
  for (const instance of pod.instances ?? []) {
    const version = instanceVersion(instance);
    if (version !== undefined && newest !== '' && version !== newest) outdated.add(version);
  }
  const define = () => definePod(pod.spec, pod);
  return { id: pod.id, kind: 'pod', newest: { from: newest, to: newest }, define, outdated };
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
