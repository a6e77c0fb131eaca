import { BOUNDS } from '../../bounds.ts';
import type { Clock } from '../../ports.ts';
import { Latch } from '../../time.ts';

/** What is to be read now. `since`: when it was learnt of; null for what was merely due. */
export interface Due {
  readonly relist: { readonly since: number | null } | null;
  readonly items: ReadonlyMap<string, { readonly since: number | null }>;
  /** The items are too many to be read one by one. */
  readonly tooMany: boolean;
}

interface Entry {
  readonly since: number | null;
  readonly due: number;
}

/** What is to be read, and when. Of two requests for the same the earlier time counts. */
export class ReadQueue {
  #relist: Entry | undefined;
  readonly #items = new Map<string, Entry>();
  readonly #wake = new Latch<'earlier'>();
  #mayList = true;
  #mayReadItems = false;

  /** What may be taken from now on: the rest waits, however long it has been due. At first a list may, and no item. */
  allow({ list, items }: { readonly list: boolean; readonly items: boolean }): void {
    this.#mayList = list;
    this.#mayReadItems = items;
    this.#wake.set('earlier');
  }

  /** `since`: when the change was learnt of. `due`: when to read. Milliseconds of the monotonic clock. */
  addRelist(since: number | null, due: number): void {
    this.#relist = earlier(this.#relist, { since, due });
    this.#wake.set('earlier');
  }

  add(id: string, since: number | null, due: number): void {
    this.#items.set(id, earlier(this.#items.get(id), { since, due }));
    if (this.#items.size > BOUNDS.waitingApps) this.#becomeRelist();
    this.#wake.set('earlier');
  }

  /** Resolves when something is due, or when `signal` aborts. */
  async wait(clock: Clock, signal: AbortSignal): Promise<void> {
    for (;;) {
      this.#wake.take();
      const ms = this.#nextDue() - clock.monotonic();
      if (ms <= 0 || signal.aborted) return;
      await this.#wake.wait(ms, clock, signal);
    }
  }

  /**
   * Takes what is due at `now`. More than `limit` items come with everything, to be read by that alone: one full list costs
   * Marathon less.
   */
  take(now: number, limit: number): Due {
    const due = this.#mayReadItems ? [...this.#items].filter(([, entry]) => entry.due <= now) : [];
    for (const [id] of due) this.#items.delete(id);
    const items = new Map(due);
    const tooMany = this.#mayList && due.length > limit;
    if (!this.#mayList || !(tooMany || this.#isRelistDue(now))) return { relist: null, items, tooMany };
    const asked = this.#relist === undefined ? [] : [this.#relist];
    const since = tooMany ? [...due.map(([, entry]) => entry), ...asked] : asked;
    this.#relist = undefined;
    return {
      relist: { since: since.reduce<number | null>((a, b) => first(a, b.since), null) },
      items,
      tooMany,
    };
  }

  #isRelistDue(now: number): boolean {
    return this.#relist !== undefined && this.#relist.due <= now;
  }

  /** Ids of apps that do not exist cost memory too; one list serves for all of them. */
  #becomeRelist(): void {
    for (const entry of this.#items.values()) this.#relist = earlier(this.#relist, entry);
    this.#items.clear();
  }

  #nextDue(): number {
    let next = Number.POSITIVE_INFINITY;
    if (this.#mayList && this.#relist !== undefined) next = this.#relist.due;
    if (this.#mayReadItems) for (const { due } of this.#items.values()) next = Math.min(next, due);
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
