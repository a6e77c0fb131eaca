import { messageOf } from '../errors.ts';
import type { Clock, Log } from '../ports.ts';

export interface DeparturePorts {
  readonly ledgers: NamespaceLedgers;
  readonly clock: Pick<Clock, 'sleep'>;
  readonly log: Log;
  /** Defaults to 60 s. */
  readonly absenceMs?: number | undefined;
}

/** Where it is written which services of each namespace are ours. */
export interface NamespaceLedgers {
  /** Those that have a ledger. Rejects where that cannot be read. */
  ids(): Promise<readonly string[]>;
  /** Forgets what was ours in a namespace that is gone. Rejects where that cannot be written. */
  forget(id: string): Promise<void>;
}

interface Departure {
  /** null: of before this start, so that its ledger alone says. */
  readonly inode: bigint | null;
  readonly returned: AbortController;
  /** Its keeper has ended, and its ledger is forgotten where that has begun. */
  ended: Promise<void>;
}

/**
 * Forgets the ledgers of namespaces that are gone, but not at once: a file that is written anew, or that names a process which has
 * just been replaced, leads to the same namespace a moment later, and what is ours there must then be known.
 *
 * The inode alone does not tell that namespace from a later one, since the kernel gives numbers anew: so the ledger belongs to an
 * id and an inode together. Where both come again for a namespace that is new, its table lacks what the ledger has, which is
 * dropped then.
 */
export class Departures {
  readonly #ports: DeparturePorts;
  readonly #gone = new Map<string, Departure>();

  constructor(ports: DeparturePorts) {
    this.#ports = ports;
  }

  /** A namespace is gone; its keeper ends. */
  left(id: string, inode: bigint | null, ended: Promise<void>, signal: AbortSignal): void {
    const departure: Departure = { inode, ended, returned: new AbortController() };
    this.#gone.set(id, departure);
    void this.#forgetLater(id, departure, signal);
  }

  /** A namespace is to be kept under an id: resolves once it may be, with a ledger that is its own or none. Never rejects. */
  async returned(id: string, inode: bigint): Promise<void> {
    const departure = this.#gone.get(id);
    if (departure === undefined) return;
    this.#gone.delete(id);
    departure.returned.abort(null);
    await departure.ended;
    if (departure.inode !== null && departure.inode !== inode) await this.#forget(id);
  }

  /** Ledgers that are there at the start, of namespaces that went before it. Never rejects. */
  async leftBefore(isNamed: (id: string) => boolean, signal: AbortSignal): Promise<void> {
    try {
      for (const id of await this.#ports.ledgers.ids())
        if (!isNamed(id) && !this.#gone.has(id)) this.left(id, null, Promise.resolve(), signal);
    } catch (error) {
      this.#unforgotten(error);
    }
  }

  /** Resolves once nothing ends, and nothing is being forgotten. */
  async over(): Promise<void> {
    await Promise.all([...this.#gone.values()].map(({ ended }) => ended));
  }

  async #forgetLater(id: string, departure: Departure, signal: AbortSignal): Promise<void> {
    const { clock, absenceMs = 60_000 } = this.#ports;
    const { returned } = departure;
    await clock.sleep(absenceMs, AbortSignal.any([signal, returned.signal]));
    if (signal.aborted || returned.signal.aborted) return;
    // Whoever comes now waits for it.
    departure.ended = departure.ended.then(() => this.#forget(id));
    await departure.ended;
    if (this.#gone.get(id) === departure) this.#gone.delete(id);
  }

  async #forget(id: string): Promise<void> {
    await this.#ports.ledgers.forget(id).catch((error) => this.#unforgotten(error));
  }

  #unforgotten(error: unknown): void {
    this.#ports.log.warn('the ledger of a network namespace that is gone could not be removed', {
      error: messageOf(error),
    });
  }
}
