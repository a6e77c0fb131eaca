import type { Delta } from '../../delta.ts';
import { ControllerError } from '../../errors.ts';
import { infoSchema } from '../../marathon-json.ts';
import { type App, appKey, rowKey } from '../../model.ts';
import type { Clock, Resolver } from '../../ports.ts';
import { convertDocuments } from '../document/convert.ts';
import { readAnswer } from '../document/document-bytes.ts';
import { type Documents, readDocuments } from '../document/documents.ts';
import { Feed } from '../feed.ts';
import type { LastGood } from '../last-good.ts';
import type { MarathonClient } from './client.ts';
import { KeptHealth } from './kept-health.ts';
import { OlderVersionsReader } from './older-versions.ts';
import { APPS_PATH, appPath, INFO_PATH, PODS_PATH, podPath } from './paths.ts';

export interface MarathonReaderOptions extends ReaderCallbacks {
  readonly client: MarathonClient;
  readonly clock: Clock;
  readonly resolver: Resolver;
  /** Overrides that of `/v2/info`. */
  readonly framework?: string | undefined;
  /** How many requests at once for older versions. */
  readonly inFlight: number;
  /** How long vanished health results count on. */
  readonly healthHoldMs: number;
  /** For the first list. */
  readonly lastGood: LastGood;
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

/** Reads one Marathon, as a whole or one app, and returns what changed. */
export class MarathonReader {
  readonly #options: MarathonReaderOptions;
  readonly #older: OlderVersionsReader;
  readonly #keptHealth: KeptHealth;
  readonly feed = new Feed();
  #framework: string | undefined;
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
   * Asks what framework this Marathon is. The answer also names the leader, to which an event stream is
   * redirected: whoever connects to the stream calls this first.
   */
  async readInfo(signal: AbortSignal): Promise<void> {
    const json = await this.#options.client.get(INFO_PATH, signal);
    const info = infoSchema.safeParse(json);
    if (!info.success) throw this.#unexpected(INFO_PATH, json, 'name, version or marathon_config');
    this.#framework = this.#options.framework || info.data.marathon_config?.framework_name || 'marathon';
  }

  /** Reads everything; nothing is taken over when a part of it fails. `learnedAt` as in `Delta`. */
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
    const { apps, rejected } = await this.#convert(documents, signal);
    this.#keptHealth.prune();
    const delta = this.feed.list({ apps: [...apps.values()], rejected, warnings: [] }, learnedAt, read);
    this.#older.prune((id) => this.#known(id) !== undefined);
    this.#options.lastGood.forget();
    return delta;
  }

  /** Reads one app or pod, whichever has this id; one that Marathon does not know is gone. null before all was read once. */
  async readOne(id: string, learnedAt: number, signal: AbortSignal): Promise<Delta | null> {
    const read = this.feed.begin();
    const documents = await this.#find(id, signal);
    const app = documents && (await this.#convert(documents, signal)).apps.get(id);
    if (app === undefined) throw this.#unexpected(appPath(id), documents, `the app or pod ${id}`);
    return this.feed.read(read, app === null ? this.#keyOf(id) : appKey(app), app, learnedAt);
  }

  #keyOf(id: string): string {
    return appKey({ framework: this.#framework ?? 'marathon', id });
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
    if (answer?.documents) return answer.documents;
    throw this.#unexpected(APPS_PATH, answer?.beginning ?? null, 'an object with a list `apps`');
  }

  async #readPods(signal: AbortSignal): Promise<Documents> {
    const answer = await this.#answer(PODS_PATH, 'pods', signal);
    // Marathon had no pods before 1.4. One that had them before has them still.
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
    return documents;
  }

  async #convert(documents: Documents, signal: AbortSignal) {
    const { clock, resolver, revisit, lastGood } = this.#options;
    const previous = (id: string) => this.#known(id);
    const versions = await this.#older.find(documents, previous, signal);
    const converted = await convertDocuments(documents, {
      framework: this.#framework ?? 'marathon',
      resolver,
      previous: (id) => previous(id) ?? lastGood.find(rowKey(this.#keyOf(id), false)),
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
    const what = json === null ? 'says that it does not exist' : 'gives something else';
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
