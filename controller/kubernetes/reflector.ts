import { z } from 'zod';
import { retryDelay, withJitter } from '../backoff.ts';
import { asError, ControllerError } from '../errors.ts';
import { required } from '../input/schema-messages.ts';
import { Pace } from '../pace.ts';
import type { Clock } from '../ports.ts';
import { ApiFailure } from './api-failure.ts';
import type { KubernetesClient, WatchEvent } from './client.ts';
import { isOlder, listAll, metadataSchema, type Versioned } from './listing.ts';
import { objectKey } from './resources.ts';
import { type Unread, type UnreadObject, UnreadObjects, unreadOf } from './unread.ts';

/** The collection to follow, and who learns of its changes. */
export interface ReflectorOptions<T extends Versioned> {
  readonly client: KubernetesClient;
  readonly clock: Clock;
  /** Path of the collection. */
  readonly path: string;
  readonly labelSelector?: string | undefined;
  /** Extracts what is kept of an object's JSON; throws for one that cannot be read, whose last good state then stays. */
  readonly project: (json: unknown) => T;
  readonly listener: ReflectorListener<T>;
  /** Returns numbers in [0, 1), for jitter. */
  readonly random: () => number;
  /** A watch that receives nothing for this long is dead; bookmarks arrive about once a minute. */
  readonly silenceMs: number;
}

/**
 * How a change became known. `event`: the server reported it of this very object. `list`: a new list differs from what was known,
 * and an object that it lacks may only have been left out.
 */
export type ChangeOrigin = 'event' | 'list';

/** Must not throw. */
export interface ReflectorListener<T> {
  /** An object was added (`before` is null), changed or removed (`now` is null). Called once for each version of an object. */
  changed(before: T | null, now: T | null, origin: ChangeOrigin): void;
  /** A new list is being taken over, in many turns: until `inStep`, the objects mix two versions. */
  behind(): void;
  /** A list is complete and a watch continues from it: the objects are those of the server. */
  inStep(): void;
  /** All objects that cannot be read at present, after their number or reasons changed. */
  unread(objects: readonly UnreadObject[]): void;
  /** The watch broke, or another attempt failed. The objects stay as they are. */
  failed(error: Error): void;
}

const MIN_RETRY_MS = 800;
/** Longest delay if the server answers with an error. */
const MAX_RETRY_MS = 30_000;
/** Longest delay if no server answers: retries then cost it nothing, and hosts should catch up soon. */
const MAX_CONNECT_RETRY_MS = 10_000;
/** After the server has dropped their version, hosts list again spread over this time. */
const RELIST_SPREAD_MS = 2_000;
/** After so many refusals because the server does not have our version yet, it is assumed never to get it. */
const MAX_TOO_NEW = 3;
/** A watch that lasted this long counts as a success. */
const STABLE_MS = 10_000;
/** Range of a watch's time limit, so that those of many hosts do not end together. */
const WATCH_SECONDS = { min: 300, max: 600 };

const bookmarkSchema = z.object({ metadata: z.object({ resourceVersion: z.string().min(1) }) });

/**
 * Keeps the objects of one kind in sync with the API server: lists them, then watches from the list's version, and after each
 * break from the last version seen. Lists again only if the server has dropped that version (410), and then reports only the
 * differences.
 *
 * client-node's informer is not enough here. It emits `connect` before an attempt has succeeded, so it never knows whether it
 * is in sync; it stops at every error but 410, and leaves retries, delays and `Retry-After` to its user; it skips malformed
 * lines and thereby loses changes; it lists without a limit; and it uses no bookmarks, so that a quiet watch resumes from a
 * version that is long gone.
 */
export class Reflector<T extends Versioned> {
  readonly #options: ReflectorOptions<T>;
  readonly #objects = new Map<string, T>();
  readonly #unread: UnreadObjects;
  #hasListed = false;
  /** The version that the next watch continues from; null to list first. */
  #version: string | null = null;
  /** The server that the version is of. */
  #server = '';
  #failures = 0;
  /** Consecutive times that the server had dropped the version, without a stable watch in between. */
  #expirations = 0;
  /** Consecutive times that the server did not have our version yet. */
  #tooNew = 0;
  #limitMs = MAX_RETRY_MS;
  /** When the current watch began; null if there is none. */
  #inStepSince: number | null = null;

  constructor(options: ReflectorOptions<T>) {
    this.#options = options;
    this.#unread = new UnreadObjects((objects) => options.listener.unread(objects));
  }

  /** The objects by `namespace/name`. */
  get objects(): ReadonlyMap<string, T> {
    return this.#objects;
  }

  /** Keeps the objects in sync until `signal` aborts, then resolves. */
  async run(signal: AbortSignal): Promise<void> {
    const { client, clock, random } = this.#options;
    while (!signal.aborted) {
      let pauseMs: number | null = null;
      this.#inStepSince = null;
      try {
        if (client.server !== this.#server) this.#version = null;
        // Before the list: if it moves meanwhile, everything is listed once more.
        if (this.#version === null) this.#server = client.server;
        this.#version ??= await this.#list(signal);
        await this.#watch(this.#version, signal);
        pauseMs = this.#ended();
      } catch (error) {
        if (signal.aborted) break;
        pauseMs = this.#broken(error);
      }
      const limits = { firstMs: MIN_RETRY_MS, limitMs: this.#limitMs };
      await clock.sleep(pauseMs ?? retryDelay(this.#failures, random, limits), signal);
    }
  }

  async #list(signal: AbortSignal): Promise<string> {
    const { client, path, labelSelector, project, listener } = this.#options;
    const unread = new Map<string | null, UnreadObject>();
    const note = (object: Unread) => {
      const isKnown = object.key === null ? this.#hasListed : this.#objects.has(object.key);
      unread.set(object.key, { ...object, isUnknown: !isKnown });
    };
    const listing = { path, labelSelector, project, unread: note };
    const { items, resourceVersion } = await listAll(client, listing, signal);
    const gone = new Set(this.#objects.keys());
    const pace = new Pace();
    listener.behind();
    for (const item of items) {
      gone.delete(objectKey(item));
      this.#put(item, 'list');
      await pace.restIfDue();
    }
    for (const key of gone) {
      // What cannot be read stays as it was; what has no name may be any of these.
      if (unread.has(key) || unread.has(null)) continue;
      const before = this.#objects.get(key) ?? null;
      this.#objects.delete(key);
      listener.changed(before, null, 'list');
      await pace.restIfDue();
    }
    this.#hasListed = true;
    this.#unread.replace(unread);
    return resourceVersion;
  }

  async #watch(version: string, signal: AbortSignal): Promise<void> {
    const { client, clock, path, labelSelector, listener, silenceMs, random } = this.#options;
    const { min, max } = WATCH_SECONDS;
    const query = {
      labelSelector,
      resourceVersion: version,
      allowWatchBookmarks: true,
      timeoutSeconds: Math.round(min + random() * (max - min)),
    };
    const events = await client.watch(path, query, silenceMs, signal);
    this.#inStepSince = clock.monotonic();
    this.#tooNew = 0;
    listener.inStep();
    const pace = new Pace();
    for await (const event of events) {
      try {
        this.#take(event);
      } catch (error) {
        // The watch would begin with the same event again: only a list leads past it.
        this.#version = null;
        throw error;
      }
      // Thousands of events may arrive in a single turn of the event loop.
      await pace.restIfDue();
    }
    signal.throwIfAborted();
  }

  #take({ type, object }: WatchEvent): void {
    const { listener, path } = this.#options;
    if (type === 'BOOKMARK') {
      this.#advance(required(bookmarkSchema, object, 'a bookmark').metadata.resourceVersion);
      return;
    }
    if (type !== 'ADDED' && type !== 'MODIFIED' && type !== 'DELETED') {
      throw new ControllerError('source', `watch ${path}: "${type}" is not an event type`);
    }
    // A deleted object need not be valid: its name is enough.
    const { metadata } = required(metadataSchema, object, 'an object of Kubernetes');
    const before = this.#objects.get(objectKey(metadata));
    // A repeated event of an object that has changed since.
    if (before !== undefined && isOlder(metadata.resourceVersion, before.resourceVersion)) return;
    if (type !== 'DELETED') {
      // Before the object is taken: one that is gone must not come back.
      if (before === undefined) this.#advance(metadata.resourceVersion);
      this.#putOrKeep(objectKey(metadata), object);
    } else {
      this.#unread.note(objectKey(metadata), null);
      if (before !== undefined) {
        this.#objects.delete(objectKey(metadata));
        listener.changed(before, null, 'event');
      }
    }
    if (!isOlder(metadata.resourceVersion, this.#version ?? '')) this.#version = metadata.resourceVersion;
  }

  /** Takes an object over; one that cannot be read stays as it was. */
  #putOrKeep(key: string, json: unknown): void {
    let now: T;
    try {
      now = this.#options.project(json);
    } catch (error) {
      this.#unread.note(key, unreadOf(json, error));
      return;
    }
    this.#unread.note(key, null);
    this.#put(now, 'event');
  }

  /** Goes on to a version. Throws if the server went back in time: then only a list tells what there is. */
  #advance(version: string): void {
    const known = this.#version ?? '';
    if (isOlder(version, known)) {
      const why = `the server went back from version ${known} to ${version}, as after a restored backup; everything is listed again`;
      throw new ControllerError('source', `watch ${this.#options.path}: ${why}`);
    }
    this.#version = version;
  }

  #put(now: T, origin: ChangeOrigin): void {
    const before = this.#objects.get(objectKey(now));
    if (before?.resourceVersion === now.resourceVersion) return;
    this.#objects.set(objectKey(now), now);
    this.#options.listener.changed(before ?? null, now, origin);
  }

  /** Handles a watch that the server ended; returns how long to wait, or null for the usual backoff. */
  #ended(): number | null {
    this.#failures += 1;
    this.#limitMs = MAX_CONNECT_RETRY_MS;
    // No event can name an object without a name: only a list tells that it is gone, and what it kept.
    if (this.#unread.hasNameless) this.#version = null;
    // A proxy may end each watch at once.
    if (!this.#wasStable()) return null;
    this.#failures = 0;
    this.#expirations = 0;
    // It reached its time limit, which differs from host to host: no delay needed.
    return 0;
  }

  /** Handles a failure; returns how long to wait, or null for the usual backoff. */
  #broken(error: unknown): number | null {
    const api = error instanceof ApiFailure ? error : null;
    const stable = this.#wasStable();
    this.#failures = stable ? 1 : this.#failures + 1;
    if (stable) this.#expirations = 0;
    this.#limitMs = api === null ? MAX_CONNECT_RETRY_MS : MAX_RETRY_MS;
    this.#tooNew = api?.tooNew ? this.#tooNew + 1 : 0;
    if (this.#tooNew >= MAX_TOO_NEW || isGarbage(error)) this.#version = null;
    if (api?.expired) {
      this.#version = null;
      this.#expirations += 1;
      // The server is back: earlier connection failures no longer count.
      this.#failures = this.#expirations;
      // Expected after a long break, so the first time is not reported as a failure.
      if (this.#expirations === 1) return RELIST_SPREAD_MS * this.#options.random();
    }
    this.#options.listener.failed(asError(error));
    if (api?.retryAfterMs == null) return null;
    return withJitter(api.retryAfterMs, this.#options.random);
  }

  #wasStable(): boolean {
    return this.#inStepSince !== null && this.#options.clock.monotonic() - this.#inStepSince >= STABLE_MS;
  }
}

/** Whether the watch sent what is no JSON, or a line beyond the limit: it may have left out events too. */
function isGarbage(error: unknown): boolean {
  const cause = error instanceof ControllerError ? error.cause : null;
  return cause instanceof SyntaxError || cause instanceof RangeError;
}
