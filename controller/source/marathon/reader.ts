import { ControllerError } from '../../errors.ts';
import { infoSchema } from '../../input/marathon-json.ts';
import { type App, appKey, rowKey } from '../../model/app.ts';
import type { Delta } from '../../model/delta.ts';
import type { Clock, Resolver } from '../../ports.ts';
import { convertDocuments } from '../document/convert.ts';
import { readAnswer } from '../document/document-bytes.ts';
import { type Documents, readDocuments } from '../document/documents.ts';
import { markUnlistedTasks } from '../document/unread.ts';
import { Feed } from '../feed.ts';
import type { LastGood } from '../last-good.ts';
import type { MarathonClient } from './client.ts';
import type { NamedEnd } from './events.ts';
import { KeptHealth } from './kept-health.ts';
import { type Ended, NamedEnds } from './named-ends.ts';
import { OlderVersionsReader } from './older-versions.ts';
import { APPS_PATH, appPath, INFO_PATH, PODS_PATH, podPath } from './paths.ts';

/** The Marathon to read, and what the reader uses besides it. */
export interface MarathonReaderOptions extends ReaderCallbacks {
  readonly client: MarathonClient;
  readonly clock: Clock;
  readonly resolver: Resolver;
  /** Overrides the framework name of `/v2/info`. */
  readonly framework?: string | undefined;
  /** How many older versions are read concurrently. */
  readonly inFlight: number;
  /** How long the last health result counts after Marathon lost it. */
  readonly healthHoldMs: number;
  /** Saved state for the first list. */
  readonly lastGood: LastGood;
}

/** Must not throw. */
export interface ReaderCallbacks {
  /** Called with an app or pod to be read again at `due`, although it may not have changed in Marathon. */
  readonly revisit: (id: string, due: number) => void;
  /** Called with the error of a part when the read as a whole succeeded. */
  readonly partFailed: (error: Error) => void;
}

/** When to read an app again whose missing tasks do not count yet. By then the list has usually been read. */
const REVISIT_MISSING_MS = 5_000;
/** When to retry a version that could not be read, or a host name that could not be resolved. */
const RETRY_MS = 30_000;

/** As which a Marathon without a framework name (before 0.8) registered. */
const DEFAULT_FRAMEWORK = 'marathon';

/** Reads one Marathon, as a whole or app by app, and returns what changed. */
export class MarathonReader {
  readonly #options: MarathonReaderOptions;
  readonly #older: OlderVersionsReader;
  readonly #keptHealth: KeptHealth;
  readonly feed = new Feed();
  readonly #ends = new NamedEnds();
  /**
   * Tasks missing in the read of a single app do not count until a list is read that began after this read; null when
   * they count. Infinite while there is no event stream.
   */
  #unsureSince: number | null = null;
  #framework: string | undefined;
  /** Whether the last answer had no framework name, and this was reported. */
  #isUnnamed = false;
  #hasPods = false;

  constructor(options: MarathonReaderOptions) {
    this.#options = options;
    this.#framework = options.framework;
    this.#keptHealth = new KeptHealth(options.healthHoldMs, options.clock);
    const { client, clock, inFlight, revisit, partFailed } = options;
    const unreadable = (id: string, error: Error) => {
      partFailed(error);
      revisit(id, clock.monotonic() + RETRY_MS);
    };
    this.#older = new OlderVersionsReader({ client, inFlight, unreadable });
  }

  /**
   * Reads the framework name. The answer also names the leader, to which an event stream is redirected: call this
   * before connecting to the stream.
   */
  async readInfo(signal: AbortSignal): Promise<void> {
    const json = await this.#options.client.get(INFO_PATH, signal);
    const info = infoSchema.safeParse(json);
    if (!info.success) throw this.#unexpected(INFO_PATH, json, 'name, version or marathon_config');
    const named = this.#options.framework || info.data.marathon_config?.framework_name;
    if (named) {
      this.#framework = named;
      this.#isUnnamed = false;
    } else await this.#keepFramework();
  }

  /** What Marathon leaves out changes nothing: another name would rename every VIP. */
  async #keepFramework(): Promise<void> {
    const { client, lastGood, partFailed } = this.#options;
    if (this.#framework === undefined) await lastGood.load();
    const [saved] = lastGood.apps;
    this.#framework ??= saved?.framework ?? DEFAULT_FRAMEWORK;
    if (this.#isUnnamed || this.#framework === DEFAULT_FRAMEWORK) return;
    this.#isUnnamed = true;
    const what = `the answer has no framework_name, and the last known one stays: "${this.#framework}"`;
    partFailed(
      new ControllerError('source', `GET ${client.name}${INFO_PATH}: ${what}; --framework sets another one`),
    );
  }

  /**
   * There is no event stream: Marathon may be changing its leader, and the new one answers before it has loaded
   * everything. Until a list has been read with the stream back, a task or app that is missing in the answer about a
   * single app is kept unless an event named it.
   */
  streamLost(): void {
    this.#unsureSince = Number.POSITIVE_INFINITY;
  }

  /** The event stream is back. The next list that begins shows what happened meanwhile. */
  expectList(): void {
    this.#unsureSince = this.feed.begin();
  }

  /** Takes a task, app or pod that an event named as ended. */
  takeEnd(end: NamedEnd): void {
    this.#ends.add(end, this.#known(end.id), this.feed.begun);
  }

  /** Reads everything. If any part fails, nothing is taken. `learnedAt` as in `Delta`. */
  async readAll(learnedAt: number, signal: AbortSignal): Promise<Delta> {
    const read = this.feed.begin();
    if (this.#framework === undefined) await this.readInfo(signal);
    const list = await this.#readApps(signal);
    const pods = await this.#readPods(signal);
    const documents: Documents = {
      apps: list.apps,
      pods: pods.pods,
      rejected: [...list.rejected, ...pods.rejected],
    };
    const { apps, rejected, unknown } = await this.#convert(documents, signal);
    this.#keptHealth.prune();
    const { tasks, apps: endedApps } = this.#ends.all();
    const ended = { tasks, apps: new Set(endedApps.map((id) => this.#keyOf(id))) };
    const about = { rejected, warnings: [], ...(unknown && { unknown }) };
    const delta = this.feed.list({ apps: [...apps.values()], ...about }, learnedAt, read, ended);
    this.#ends.usedByList((id) => this.#known(id), read);
    this.#older.prune((id) => this.#known(id) !== undefined);
    this.#options.lastGood.forget();
    if (this.#unsureSince !== null && read > this.#unsureSince) this.#unsureSince = null;
    return delta;
  }

  /**
   * Reads the app or pod with this id; if Marathon does not know it, it is gone. Resolves with null before the first
   * list.
   */
  async readOne(id: string, learnedAt: number, signal: AbortSignal): Promise<Delta | null> {
    const read = this.feed.begin();
    const documents = await this.#find(id, signal);
    const app = documents && (await this.#convert(documents, signal)).apps.get(id);
    if (app === undefined) throw this.#unexpected(appPath(id), documents, `the app or pod ${id}`);
    const key = app === null ? this.#keyOf(id) : appKey(app);
    const ended = this.#ends.of(id, app);
    const found = this.#unsureSince === null ? app : this.#withMissing(app, id, ended);
    const delta = this.feed.read(read, key, found, learnedAt, ended);
    this.#ends.used(id, this.#known(id), read);
    return delta;
  }

  /** Adds the tasks that are missing although no event named them, and schedules another read. */
  #withMissing(app: App | null, id: string, ended: Ended): App | null {
    const known = this.#known(id);
    if (known === undefined || ended === 'all') return app;
    const listed = new Set(app?.tasks.map((task) => task.id));
    const missing = known.tasks.filter((task) => !listed.has(task.id) && !ended.has(task.id));
    if (app !== null && missing.length === 0) return app;
    const { clock, revisit } = this.#options;
    revisit(id, clock.monotonic() + REVISIT_MISSING_MS);
    return app === null ? { ...known, tasks: missing } : { ...app, tasks: [...app.tasks, ...missing] };
  }

  #keyOf(id: string): string {
    return appKey({ framework: this.#framework ?? DEFAULT_FRAMEWORK, id });
  }

  #known(id: string): App | undefined {
    return this.feed.find(this.#keyOf(id));
  }

  async #find(id: string, signal: AbortSignal): Promise<Documents | null> {
    const paths = [appPath(id), podPath(id)];
    if (this.#known(id)?.kind === 'pod') paths.reverse();
    for (const path of paths) {
      const json = await this.#options.client.get(path, signal);
      if (json !== null) return this.#documents(path, json, `the app or pod ${id}`);
    }
    return null;
  }

  async #readApps(signal: AbortSignal): Promise<Documents> {
    const answer = await this.#answer(APPS_PATH, 'apps', signal);
    if (answer?.documents) return markUnlistedTasks(answer.documents);
    throw this.#unexpected(APPS_PATH, answer?.beginning ?? null, 'an object with a list `apps`');
  }

  async #readPods(signal: AbortSignal): Promise<Documents> {
    const answer = await this.#answer(PODS_PATH, 'pods', signal);
    // Marathon has had pods since 1.4. Once it has answered with pods, their absence is an error.
    if (answer === null && !this.#hasPods) return { apps: [], pods: [], rejected: [] };
    if (!answer?.documents) throw this.#unexpected(PODS_PATH, answer?.beginning ?? null, 'a list of pods');
    this.#hasPods = true;
    return answer.documents;
  }

  #answer(path: string, of: 'apps' | 'pods', signal: AbortSignal) {
    const { client } = this.#options;
    return client.get(path, signal, async (body) => ({
      documents: await readAnswer(body, of, client.name),
      beginning: body.toString('utf8', 0, 200),
    }));
  }

  #documents(path: string, json: unknown, expected: string): Documents {
    const documents = readDocuments(json, this.#options.client.name);
    if (documents === null) throw this.#unexpected(path, json, expected);
    return markUnlistedTasks(documents);
  }

  async #convert(documents: Documents, signal: AbortSignal) {
    const { clock, resolver, revisit, lastGood } = this.#options;
    const previous = (id: string) => this.#known(id);
    const versions = await this.#older.find(documents, previous, signal);
    const converted = await convertDocuments(documents, {
      framework: this.#framework ?? DEFAULT_FRAMEWORK,
      resolver,
      previous: (id) => previous(id) ?? lastGood.find(rowKey(this.#keyOf(id), false)),
      isUnknown: (part) => lastGood.isUnknown(part),
      recall: () => lastGood.load(),
      versions,
      adjust: (next) => {
        const { app, until } = this.#keptHealth.apply(previous(next.id), next);
        if (until !== null) revisit(app.id, until);
        return this.feed.known(app);
      },
    });
    signal.throwIfAborted();
    const unresolved = new Set(
      [...converted.agents].flatMap(([host, address]) => (address === null ? host : [])),
    );
    if (unresolved.size > 0) {
      for (const id of idsOn(unresolved, documents)) revisit(id, clock.monotonic() + RETRY_MS);
    }
    return converted;
  }

  #unexpected(path: string, json: unknown, expected: string): ControllerError {
    const what = json === null ? 'answered that it does not exist' : 'answered with something else';
    return new ControllerError(
      'source',
      `GET ${this.#options.client.name}${path}: expected ${expected}, but Marathon ${what}`,
    );
  }
}

function idsOn(hosts: ReadonlySet<string>, { apps, pods }: Documents): readonly string[] {
  const onHosts = (host: string | null | undefined) => Boolean(host && hosts.has(host));
  return [
    ...apps.filter(({ tasks }) => tasks?.some(({ host }) => onHosts(host))),
    ...pods.filter(({ instances }) => instances?.some(({ agentHostname }) => onHosts(agentHostname))),
  ].map(({ id }) => id);
}
