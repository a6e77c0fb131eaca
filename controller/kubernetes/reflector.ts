import { z } from 'zod';
import { ControllerError } from '../errors.ts';
import { Pace } from '../pace.ts';
import type { Clock } from '../ports.ts';
import { required } from '../schema-messages.ts';
import { ApiFailure } from './api-failure.ts';
import type { KubernetesClient, WatchEvent } from './client.ts';
import { listAll, metadataSchema, type Versioned } from './listing.ts';
import { objectKey } from './resources.ts';

export interface ReflectorOptions<T extends Versioned> {
  readonly client: KubernetesClient;
  readonly clock: Clock;
  /** Of the collection. */
  readonly path: string;
  readonly labelSelector?: string | undefined;
  /** What is kept of an object's JSON; throws for what is none of this kind. */
  readonly project: (json: unknown) => T;
  readonly listener: ReflectorListener<T>;
  /** Numbers in [0, 1) for jitter. */
  readonly random: () => number;
  /** A watch without a byte for so long is dead; bookmarks come about once a minute. */
  readonly silenceMs: number;
}

/** Must not throw. */
export interface ReflectorListener<T> {
  /** An object came, changed (`before` is what it was) or went (`now` is null). Never twice for one version of it. */
  changed(before: T | null, now: T | null): void;
  /** A list begins to be taken over, in many turns: until `inStep`, what was told is of two times. */
  behind(): void;
  /** All of a list is in, and a watch goes on from it: what was told is what there is. */
  inStep(): void;
  /** It was in step until now, or another attempt failed. What was told last stays. */
  failed(error: Error): void;
}

const FIRST_RETRY_MS = 800;
/** Where a server answers, and not well. */
const LAST_RETRY_MS = 30_000;
/** Where none answers: being asked costs it nothing, and each second longer is one that hosts know less. */
const LAST_CONNECT_MS = 10_000;
/** Within this time all hosts list anew whose versions a server has forgotten. */
const RELIST_WITHIN_MS = 2_000;
/** A watch that lived this long was no failed attempt. */
const STABLE_MS = 10_000;
/** The server ends a watch after a time between these, so that those of many hosts do not end together. */
const WATCH_SECONDS = { least: 300, most: 600 };

const bookmarkSchema = z.object({ metadata: z.object({ resourceVersion: z.string().min(1) }) });

/**
 * Keeps the objects of one kind as the API server has them: a list, then a watch from the list's version on, and
 * after each break a watch from the last version seen. Only a version that the server no longer keeps (410) costs
 * another list, whose difference to what was known is told.
 *
 * client-node's informer does the same, and not well enough here: it tells of `connect` before an attempt has
 * succeeded, so it never says whether it is in step; it stops at any error but 410 and leaves starting again to its
 * user, without a pause, without `Retry-After`; it passes over lines that are no JSON and goes on from the version
 * after them, so that what they told is lost; it lists without a limit; and it asks for no bookmarks, so that a quiet
 * watch comes back with a version that is long gone.
 */
export class Reflector<T extends Versioned> {
  readonly #options: ReflectorOptions<T>;
  readonly #objects = new Map<string, T>();
  /** Where the next watch goes on; null: list first. */
  #version: string | null = null;
  #failures = 0;
  /** How often in a row the server had forgotten our version, without a watch that lived on. */
  #expirations = 0;
  #limitMs = LAST_RETRY_MS;
  /** Since when the watch goes on; null while there is none. */
  #inStepSince: number | null = null;

  constructor(options: ReflectorOptions<T>) {
    this.#options = options;
  }

  /** By `namespace/name`. */
  get objects(): ReadonlyMap<string, T> {
    return this.#objects;
  }

  /** Follows until `signal` aborts; resolves then. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    while (!signal.aborted) {
      let pauseMs: number | null = null;
      this.#inStepSince = null;
      try {
        this.#version ??= await this.#list(signal);
        await this.#watch(this.#version, signal);
        // Its time was up, and it is another one for every host.
        if (this.#wasStable()) pauseMs = 0;
      } catch (error) {
        if (signal.aborted) break;
        pauseMs = this.#broken(error);
      }
      await clock.sleep(pauseMs ?? this.#delay(), signal);
    }
  }

  async #list(signal: AbortSignal): Promise<string> {
    const { client, path, labelSelector, project, listener } = this.#options;
    const { items, resourceVersion } = await listAll(client, { path, labelSelector, project }, signal);
    const gone = new Set(this.#objects.keys());
    const pace = new Pace();
    listener.behind();
    for (const item of items) {
      gone.delete(objectKey(item));
      this.#put(item);
      await pace.restIfDue();
    }
    for (const key of gone) {
      const before = this.#objects.get(key) ?? null;
      this.#objects.delete(key);
      listener.changed(before, null);
      await pace.restIfDue();
    }
    return resourceVersion;
  }

  async #watch(version: string, signal: AbortSignal): Promise<void> {
    const { client, clock, path, labelSelector, listener, silenceMs, random } = this.#options;
    const { least, most } = WATCH_SECONDS;
    const query = {
      labelSelector,
      resourceVersion: version,
      allowWatchBookmarks: true,
      timeoutSeconds: Math.round(least + random() * (most - least)),
    };
    const events = await client.watch(path, query, silenceMs, signal);
    this.#inStepSince = clock.monotonic();
    listener.inStep();
    const pace = new Pace();
    for await (const event of events) {
      this.#take(event);
      // Thousands at once come without a turn of the event loop between them.
      await pace.restIfDue();
    }
    signal.throwIfAborted();
  }

  #take({ type, object }: WatchEvent): void {
    const { project, listener, path } = this.#options;
    if (type === 'BOOKMARK') {
      this.#version = required(bookmarkSchema, object, 'a bookmark').metadata.resourceVersion;
      return;
    }
    if (type !== 'ADDED' && type !== 'MODIFIED' && type !== 'DELETED') {
      throw new ControllerError('source', `watch ${path}: "${type}" is no kind of event`);
    }
    // An object that has gone may lack what it takes to be one of this kind: its name is enough.
    const { metadata } = required(metadataSchema, object, 'an object of Kubernetes');
    if (type === 'DELETED') {
      const before = this.#objects.get(objectKey(metadata));
      if (before !== undefined) {
        this.#objects.delete(objectKey(metadata));
        listener.changed(before, null);
      }
    } else this.#put(project(object));
    this.#version = metadata.resourceVersion;
  }

  #put(now: T): void {
    const before = this.#objects.get(objectKey(now));
    if (before?.resourceVersion === now.resourceVersion) return;
    this.#objects.set(objectKey(now), now);
    this.#options.listener.changed(before ?? null, now);
  }

  /** Returns for how long to wait; null: as the failures so far have it. */
  #broken(error: unknown): number | null {
    const api = error instanceof ApiFailure ? error : null;
    const stable = this.#wasStable();
    this.#failures = stable ? 1 : this.#failures + 1;
    if (stable) this.#expirations = 0;
    this.#limitMs = api === null ? LAST_CONNECT_MS : LAST_RETRY_MS;
    if (api?.expired) {
      this.#version = null;
      this.#expirations += 1;
      // It is a living server that says so: how long none answered before does not matter any more.
      this.#failures = this.#expirations;
      // To be expected after a long break: only a list that fails too is worth a word.
      if (this.#expirations === 1) return RELIST_WITHIN_MS * this.#options.random();
    }
    this.#options.listener.failed(error instanceof Error ? error : new Error(String(error)));
    if (api?.retryAfterMs == null) return null;
    // All those who were sent away would come back at the same moment.
    return api.retryAfterMs * (1 + 0.5 * this.#options.random());
  }

  #wasStable(): boolean {
    return this.#inStepSince !== null && this.#options.clock.monotonic() - this.#inStepSince >= STABLE_MS;
  }

  /** Doubles from 0.8 s to 10 s or 30 s, half of it jitter, since all hosts lose their watches together. */
  #delay(): number {
    const doubled = FIRST_RETRY_MS * 2 ** Math.min(20, Math.max(0, this.#failures - 1));
    return Math.min(this.#limitMs, doubled) * (0.5 + 0.5 * this.#options.random());
  }
}
