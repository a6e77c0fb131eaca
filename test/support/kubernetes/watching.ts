import type { ServerResponse } from 'node:http';
import type { Faults } from './faults.ts';
import type { Kind } from './kinds.ts';
import { type Operations, storageName } from './operations.ts';
import type { Change } from './storage.ts';
import { type KubeObject, StatusError } from './types.ts';

export interface WatchOptions {
  /** As asked for; null: begin with what there is. */
  readonly revision: number | null;
  readonly fits: (object: KubeObject) => boolean;
  readonly bookmarks: boolean;
  readonly timeoutMs: number;
}

interface Open {
  end(): void;
  /** Breaks the connection in the middle. */
  cut(): void;
}

/** The watches that are open. */
export class Watches {
  readonly #open = new Set<Open>();
  readonly #operations: Operations;
  readonly #faults: Faults;
  readonly #bookmarkMs: number;

  constructor(operations: Operations, faults: Faults, bookmarkMs: number) {
    this.#operations = operations;
    this.#faults = faults;
    this.#bookmarkMs = bookmarkMs;
  }

  get count(): number {
    return this.#open.size;
  }

  /** Serves a watch until its time is up or one side ends it. */
  serve(kind: Kind, response: ServerResponse, { revision, fits, bookmarks, timeoutMs }: WatchOptions): void {
    const { storage } = this.#operations;
    const writer = new Chunks(response, this.#faults);
    const send = (type: string, object: object) => writer.write(`${JSON.stringify({ type, object })}\n`);
    const begin = () => response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders();
    let stop = (): void => undefined;
    const listener = (change: Change) => {
      const event = eventOf(change, fits);
      if (event !== null) send(event.type, event.object);
    };
    if (revision !== null && revision > storage.revision) {
      throw new StatusError(
        504,
        'Timeout',
        `Too large resource version: ${revision}, current: ${storage.revision}`,
        { retryAfterSeconds: 1 },
      );
    }
    try {
      // Headers go out with the first event at the latest: a version that is too old is an event, not an answer.
      begin();
      if (revision === null) {
        for (const object of storage.all(storageName(kind))) if (fits(object)) send('ADDED', object);
      }
      stop = storage.follow(storageName(kind), revision ?? storage.revision, listener);
    } catch (error) {
      if (!(error instanceof StatusError)) throw error;
      send('ERROR', error.toStatus());
      writer.end();
      return;
    }

    const bookmark = setInterval(() => {
      const { revision: now } = storage;
      const metadata = { resourceVersion: String(now), creationTimestamp: null };
      if (bookmarks) send('BOOKMARK', { apiVersion: apiVersionOf(kind), kind: kind.kind, metadata });
    }, this.#bookmarkMs);
    const open: Open = { end: () => writer.end(), cut: () => response.destroy() };
    const timeout = setTimeout(() => writer.end(), timeoutMs);
    this.#open.add(open);
    response.on('close', () => {
      this.#open.delete(open);
      clearInterval(bookmark);
      clearTimeout(timeout);
      stop();
    });
  }

  endAll(): void {
    for (const open of this.#open) open.end();
  }

  cutAll(): void {
    for (const open of this.#open) open.cut();
  }
}

function apiVersionOf({ group, version }: Kind): string {
  return group === '' ? version : `${group}/${version}`;
}

/** What a watch with this selector sees: an object that comes to fit is new to it, one that no longer does is gone. */
function eventOf({ before, now, revision }: Change, fits: (object: KubeObject) => boolean) {
  const fitted = before !== null && fits(before);
  const fitting = now !== null && fits(now);
  if (fitting) return { type: fitted ? 'MODIFIED' : 'ADDED', object: now };
  if (!fitted) return null;
  // The object as it was, with the version of what took it away.
  const metadata = { ...before.metadata, resourceVersion: String(revision) };
  return { type: 'DELETED', object: { ...before, metadata } };
}

/** Writes to a response in pieces that end anywhere, one in a turn of the event loop. */
class Chunks {
  readonly #response: ServerResponse;
  readonly #faults: Faults;
  #waiting: Buffer = Buffer.alloc(0);
  #flushing = false;
  #ending = false;

  constructor(response: ServerResponse, faults: Faults) {
    this.#response = response;
    this.#faults = faults;
  }

  write(text: string): void {
    if (this.#faults.silent) return;
    if (this.#faults.chunkBytes === 0 && !this.#flushing) {
      this.#response.write(text);
      return;
    }
    this.#waiting = Buffer.concat([this.#waiting, Buffer.from(text)]);
    if (!this.#flushing) this.#flush();
  }

  end(): void {
    this.#ending = true;
    if (!this.#flushing) this.#response.end();
  }

  #flush(): void {
    this.#flushing = true;
    const size = this.#faults.chunkBytes || this.#waiting.length;
    this.#response.write(this.#waiting.subarray(0, size));
    this.#waiting = this.#waiting.subarray(size);
    setImmediate(() => {
      if (this.#waiting.length > 0) return this.#flush();
      this.#flushing = false;
      if (this.#ending) this.#response.end();
    });
  }
}
