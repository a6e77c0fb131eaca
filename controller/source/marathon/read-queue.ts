import { BOUNDS } from '../../input/bounds.ts';
import type { Clock } from '../../ports.ts';
import { Latch } from '../../time.ts';

/** What to read now. `since`: when the change was noticed; null for a periodic read. */
export interface Due {
  readonly relist: { readonly since: number | null } | null;
  readonly items: ReadonlyMap<string, { readonly since: number | null }>;
  /** There are too many items to read one by one. */
  readonly tooMany: boolean;
}

interface Entry {
  readonly since: number | null;
  readonly due: number;
}

/** What may be taken from a queue. */
export interface Allowed {
  readonly list: boolean;
  readonly items: boolean;
  /** How many items may be read concurrently. */
  readonly inFlight: number;
}

/**
 * What to read, and when. For two requests for the same item the earlier time counts. An item that is being read is not
 * taken again until it is done: the read in progress may have started too early to show the latest change.
 */
export class ReadQueue {
  #relist: Entry | undefined;
  readonly #items = new Map<string, Entry>();
  readonly #reading = new Set<string>();
  readonly #wake = new Latch<'earlier'>();
  #allowed: Allowed;

  constructor(allowed: Allowed) {
    this.#allowed = allowed;
  }

  /** Sets what may be taken from now on. The rest waits, even if due. */
  allow(allowed: Allowed): void {
    this.#allowed = allowed;
    this.#wake.set('earlier');
  }

  /** `since`: when the change was noticed. `due`: when to read. Both in milliseconds of the monotonic clock. */
  addRelist(since: number | null, due: number): void {
    this.#relist = earlier(this.#relist, { since, due });
    this.#wake.set('earlier');
  }

  add(id: string, since: number | null, due: number): void {
    this.#items.set(id, earlier(this.#items.get(id), { since, due }));
    if (this.#items.size > BOUNDS.waitingApps) this.#becomeRelist();
    this.#wake.set('earlier');
  }

  /** Marks an item as read. */
  done(id: string): void {
    this.#reading.delete(id);
    this.#wake.set('earlier');
  }

  /** Resolves when something may be taken, or `signal` aborts. `max` as in `take`. */
  async wait(max: number, clock: Clock, signal: AbortSignal): Promise<void> {
    for (;;) {
      this.#wake.take();
      const now = clock.monotonic();
      const ms = this.#nextTake(now, max) - now;
      if (ms <= 0 || signal.aborted) return;
      await this.#wake.wait(ms, clock, signal);
    }
  }

  /**
   * Takes the items due at `now`, as many as may be read concurrently. If more than `max` are due, it takes all, with
   * a relist that replaces them: one list costs Marathon less.
   */
  take(now: number, max: number): Due {
    const due = this.#due(now);
    const tooMany = this.#allowed.list && due.length > max;
    const taken = tooMany ? due : due.slice(0, this.#room);
    for (const [id] of taken) {
      this.#items.delete(id);
      if (!tooMany) this.#reading.add(id);
    }
    const items = new Map(taken);
    if (!this.#allowed.list || !(tooMany || this.#isRelistDue(now))) return { relist: null, items, tooMany };
    const requested = this.#relist === undefined ? [] : [this.#relist];
    const since = tooMany ? [...taken.map(([, entry]) => entry), ...requested] : requested;
    this.#relist = undefined;
    return {
      relist: { since: since.reduce<number | null>((a, b) => first(a, b.since), null) },
      items,
      tooMany,
    };
  }

  get #room(): number {
    return Math.max(0, this.#allowed.inFlight - this.#reading.size);
  }

  #due(now: number): readonly (readonly [string, Entry])[] {
    if (!this.#allowed.items) return [];
    return [...this.#items].filter(([id, { due }]) => due <= now && !this.#reading.has(id));
  }

  #isRelistDue(now: number): boolean {
    return this.#relist !== undefined && this.#relist.due <= now;
  }

  /** Replaces all items by one relist, to bound memory: events may name any number of ids that do not exist. */
  #becomeRelist(): void {
    for (const entry of this.#items.values()) this.#relist = earlier(this.#relist, entry);
    this.#items.clear();
  }

  /** When something may next be taken, as far as that depends on time. */
  #nextTake(now: number, max: number): number {
    const { list, items } = this.#allowed;
    const due = this.#due(now).length;
    if ((due > 0 && this.#room > 0) || (list && due > max)) return now;
    let next = list ? (this.#relist?.due ?? Number.POSITIVE_INFINITY) : Number.POSITIVE_INFINITY;
    if (items) for (const { due } of this.#items.values()) if (due > now) next = Math.min(next, due);
    return next;
  }
}

function earlier(a: Entry | undefined, b: Entry): Entry {
  return a === undefined ? b : { since: first(a.since, b.since), due: Math.min(a.due, b.due) };
}

function first(a: number | null, b: number | null): number | null {
  if (a === null || b === null) return a ?? b;
  return Math.min(a, b);
}
