import { ControllerError } from '../../errors.ts';
import type { App, Rejection, Snapshot } from '../../model.ts';
import type { Clock, Resolver } from '../../ports.ts';
import { convertDocuments, toSnapshot } from '../document/convert.ts';
import { type Documents, readAnswer, readDocuments } from '../document/documents.ts';
import { infoSchema } from '../document/schema.ts';
import type { MarathonClient } from './client.ts';
import { HealthHold } from './health-hold.ts';
import { OlderVersionsReader } from './older-versions.ts';
import { APPS_PATH, appPath, INFO_PATH, PODS_PATH, podPath } from './paths.ts';

export interface MarathonReaderOptions extends ReaderCallbacks {
  readonly client: MarathonClient;
  readonly clock: Clock;
  readonly resolver: Resolver;
  /** Overrides what `/v2/info` says. */
  readonly framework?: string | undefined;
  /** How many requests at once for older versions. */
  readonly inFlight: number;
  /** How long vanished health results count on. */
  readonly healthHoldMs: number;
}

export interface ReaderCallbacks {
  /**
   * Called with an app or pod that should be read again at `due` although nothing may have changed in
   * Marathon.
   */
  readonly revisit: (id: string, due: number) => void;
  /** Called with what failed although the read as a whole did not. */
  readonly partFailed: (error: Error) => void;
}

/** After how long a version or a host name that could not be found out is tried again. */
const RETRY_MS = 30_000;

/** The last good word of one Marathon, and how to renew it: as a whole, or one app. */
export class MarathonReader {
  readonly #options: MarathonReaderOptions;
  readonly #older: OlderVersionsReader;
  readonly #hold: HealthHold;
  #apps = new Map<string, App>();
  #rejected: readonly Rejection[] = [];
  #snapshot: Snapshot | undefined;
  #framework: string | undefined;
  #hasPods = false;
  /** Counts reads in the order in which they begin. */
  #begun = 0;
  /** The last list that was taken over. */
  #listed = 0;
  /** Which read decided on an app since that list. */
  readonly #decided = new Map<string, number>();

  constructor(options: MarathonReaderOptions) {
    this.#options = options;
    this.#framework = options.framework;
    this.#hold = new HealthHold(options.healthHoldMs, options.clock);
    const { client, clock, inFlight, revisit, partFailed } = options;
    const unreadable = (id: string, error: Error) => {
      partFailed(error);
      revisit(id, clock.monotonic() + RETRY_MS);
    };
    this.#older = new OlderVersionsReader({ client, inFlight, unreadable });
  }

  /** Whether everything was read at least once. */
  get complete(): boolean {
    return this.#snapshot !== undefined;
  }

  /** How many apps and pods are known. */
  get size(): number {
    return this.#apps.size;
  }

  /**
   * Asks what framework this Marathon is. The answer also names the leader, to which an event stream is
   * redirected: whoever connects to the stream calls this first.
   */
  async readInfo(signal: AbortSignal): Promise<void> {
    const json = await this.#options.client.get(INFO_PATH, signal);
    const info = infoSchema.safeParse(json);
    if (!info.success) throw this.#unexpected(INFO_PATH, json, 'name, version or marathon_config');
    this.#framework = this.#options.framework || info.data.marathon_config?.framework_name || 'marathon';
  }

  /**
   * Reads everything; nothing is taken over when a part of it fails. Of an app that was read by itself since this began, that
   * read counts: of two reads the one that began later knows more, whichever is answered first.
   */
  async readAll(signal: AbortSignal): Promise<Snapshot> {
    const revision = ++this.#begun;
    if (this.#framework === undefined) await this.readInfo(signal);
    const list = await this.#readApps(signal);
    const pods = await this.#readPods(signal);
    const documents: Documents = {
      apps: list.apps,
      pods: pods.pods,
      malformed: [...list.malformed, ...pods.malformed],
      rejected: [...list.rejected, ...pods.rejected],
    };
    const converted = await this.#convert(documents, signal);
    if (revision < this.#listed) return this.#publish();
    this.#hold.prune();
    const apps = new Map(converted.apps);
    for (const [id, decided] of this.#decided) {
      if (decided < revision) this.#decided.delete(id);
      else this.#set(apps, id, this.#apps.get(id));
    }
    this.#listed = revision;
    this.#older.prune((id) => apps.has(id));
    this.#apps = apps;
    this.#rejected = converted.rejected;
    return this.#publish();
  }

  /**
   * Reads one app or pod, whichever has this id; one that Marathon does not know is gone. What a list says counts where that
   * began later and is here already.
   */
  async readOne(id: string, signal: AbortSignal): Promise<Snapshot> {
    const revision = ++this.#begun;
    const documents = await this.#find(id, signal);
    const known = documents && (await this.#convert(documents, signal)).apps.get(id);
    if (documents !== null && known === undefined) {
      throw this.#unexpected(appPath(id), documents, `the app or pod ${id}`);
    }
    if (revision > (this.#decided.get(id) ?? this.#listed)) {
      this.#set(this.#apps, id, known ?? undefined);
      this.#decided.set(id, revision);
    }
    return this.#publish();
  }

  #set(apps: Map<string, App>, id: string, app: App | undefined): void {
    if (app === undefined) apps.delete(id);
    else apps.set(id, app);
  }

  async #find(id: string, signal: AbortSignal): Promise<Documents | null> {
    const paths = [appPath(id), podPath(id)];
    if (this.#apps.get(id)?.kind === 'pod') paths.reverse();
    for (const path of paths) {
      const json = await this.#options.client.get(path, signal);
      if (json !== null) return this.#documents(path, json, `the app or pod ${id}`);
    }
    return null;
  }

  async #readApps(signal: AbortSignal): Promise<Documents> {
    const answer = await this.#answer(APPS_PATH, 'apps', signal);
    if (answer?.documents) return answer.documents;
    throw this.#unexpected(APPS_PATH, answer?.beginning, 'an object with a list `apps`');
  }

  async #readPods(signal: AbortSignal): Promise<Documents> {
    const answer = await this.#answer(PODS_PATH, 'pods', signal);
    // Marathon had no pods before 1.4. One that had them before has them still.
    if (answer === null && !this.#hasPods) return { apps: [], pods: [], malformed: [], rejected: [] };
    if (!answer?.documents) throw this.#unexpected(PODS_PATH, answer?.beginning, 'a list of pods');
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
    return documents;
  }

  async #convert(documents: Documents, signal: AbortSignal) {
    const { clock, resolver, revisit } = this.#options;
    const previous: ReadonlyMap<string, App> = this.#apps;
    const versions = await this.#older.find(documents, previous, signal);
    const converted = await convertDocuments(documents, {
      framework: this.#framework ?? 'marathon',
      resolver,
      previous,
      versions,
      adjust: (before, next) => {
        const { app, until } = this.#hold.apply(before, next);
        if (until !== null) revisit(app.id, until);
        return app;
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

  #publish(): Snapshot {
    const next = { apps: [...this.#apps.values()], rejected: this.#rejected, warnings: [] };
    this.#snapshot = toSnapshot(this.#snapshot, next);
    return this.#snapshot;
  }

  #unexpected(path: string, json: unknown, expected: string): ControllerError {
    const what = json === null || json === undefined ? 'says that it does not exist' : 'gives something else';
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
