import { type KubeObject, StatusError } from './types.ts';

export interface Change {
  readonly revision: number;
  readonly before: KubeObject | null;
  readonly now: KubeObject | null;
}

export interface Page {
  readonly items: readonly KubeObject[];
  readonly revision: number;
  readonly next: string | null;
  readonly remaining: number;
}

/** Changes of a kind that watches can go on from: what a server's cache has room for. */
const KEPT = 1_000;

/**
 * What etcd and the API server's cache in front of it are: one count of revisions for all kinds, objects by kind and
 * name, and a history from which watches go on until it is compacted.
 */
export class Storage {
  revision = 1_000;
  readonly #objects = new Map<string, Map<string, KubeObject>>();
  readonly #history = new Map<string, Change[]>();
  readonly #listeners = new Map<string, Set<(change: Change) => void>>();
  /** Lists of which further pages may be asked for, by their revision. */
  readonly #frozen = new Map<string, readonly KubeObject[]>();
  #oldest = 0;
  /** The same of a kind whose history was longer than what is kept. */
  readonly #oldestOf = new Map<string, number>();

  get(kind: string, key: string): KubeObject | null {
    return this.#objects.get(kind)?.get(key) ?? null;
  }

  /** Stores an object, or takes it away; sets its version. */
  write(kind: string, key: string, now: KubeObject | null): void {
    const before = this.get(kind, key);
    this.revision += 1;
    const objects = this.#objects.get(kind) ?? new Map<string, KubeObject>();
    this.#objects.set(kind, objects);
    if (now === null) objects.delete(key);
    else {
      now.metadata.resourceVersion = String(this.revision);
      objects.set(key, now);
    }
    const change = {
      revision: this.revision,
      before: before && structuredClone(before),
      now: now && structuredClone(now),
    };
    const history = this.#history.get(kind) ?? [];
    this.#history.set(kind, history);
    history.push(change);
    if (history.length > KEPT) this.#oldestOf.set(kind, history.shift()?.revision ?? 0);
    for (const listener of this.#listeners.get(kind) ?? []) listener(change);
  }

  all(kind: string): KubeObject[] {
    const entries = [...(this.#objects.get(kind) ?? [])].sort(([a], [b]) => (a < b ? -1 : 1));
    return entries.map(([, object]) => object);
  }

  /** A page of the objects that `fits`, of `limit` at the most; 0: all of them. */
  page(kind: string, limit: number, token: string | null, fits: (object: KubeObject) => boolean): Page {
    const { revision, from } = token === null ? { revision: this.revision, from: 0 } : this.#read(token);
    const name = `${kind} ${revision}`;
    const all = token === null ? structuredClone(this.all(kind)) : this.#frozen.get(name);
    if (all === undefined) throw expired('The provided continue parameter is too old');
    const fitting = all.filter(fits);
    const end = limit === 0 ? fitting.length : Math.min(fitting.length, from + limit);
    const more = end < fitting.length;
    if (more) this.#frozen.set(name, all);
    const next = more ? Buffer.from(JSON.stringify({ revision, from: end })).toString('base64url') : null;
    return { items: fitting.slice(from, end), revision, next, remaining: fitting.length - end };
  }

  #read(token: string): { revision: number; from: number } {
    try {
      return JSON.parse(Buffer.from(token, 'base64url').toString());
    } catch {
      throw new StatusError(400, 'BadRequest', 'continue key is not valid');
    }
  }

  /** Calls `listener` with what happened after `revision`, then with what happens; returns how to stop. 410 when that is forgotten. */
  follow(kind: string, revision: number, listener: (change: Change) => void): () => void {
    const oldest = Math.max(this.#oldest, this.#oldestOf.get(kind) ?? 0);
    if (revision < oldest) throw expired(`too old resource version: ${revision} (${oldest})`);
    for (const change of this.#history.get(kind) ?? []) if (change.revision > revision) listener(change);
    const listeners = this.#listeners.get(kind) ?? new Set();
    this.#listeners.set(kind, listeners.add(listener));
    return () => listeners.delete(listener);
  }

  /** Forgets the history: watches and pages of older revisions cannot go on. */
  compact(): void {
    this.#oldest = this.revision;
    this.#history.clear();
    this.#frozen.clear();
  }
}

export function expired(message: string): StatusError {
  return new StatusError(410, 'Expired', message);
}
