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
  /** Of the namespaces that have a ledger. Rejects where that cannot be read. */
  inodes(): Promise<readonly bigint[]>;
  /** Forgets what was ours in a namespace that is gone. Rejects where that cannot be written. */
  forget(inode: bigint): Promise<void>;
}

interface Departure {
  readonly returned: AbortController;
  /** Its keeper has ended, and its ledger is forgotten where that has begun. */
  ended: Promise<void>;
}

/**
 * Forgets the ledgers of namespaces that are gone, but not at once: a file that is written anew, or under another name, or that
 * names a process which has just been replaced, leads to the same namespace a moment later, and what is ours there must then be known.
 *
 * The kernel gives the numbers of inodes anew, so a namespace that comes may be another one than the one that went: its table
 * lacks what the ledger has, which the first pass drops.
 */
export class Departures {
  readonly #ports: DeparturePorts;
  readonly #gone = new Map<bigint, Departure>();

  constructor(ports: DeparturePorts) {
    this.#ports = ports;
  }

  /** A namespace is gone; its keeper ends. */
  left(inode: bigint, ended: Promise<void>, signal: AbortSignal): void {
    const departure: Departure = { ended, returned: new AbortController() };
    this.#gone.set(inode, departure);
    void this.#forgetLater(inode, departure, signal);
  }

  /** A namespace is to be kept: resolves once nothing else writes its ledger. Never rejects. */
  async returned(inode: bigint): Promise<void> {
    const departure = this.#gone.get(inode);
    if (departure === undefined) return;
    this.#gone.delete(inode);
    departure.returned.abort(null);
    await departure.ended;
  }

  /** Ledgers that are there at the start, of namespaces that went before it. Never rejects. */
  async leftBefore(isNamed: (inode: bigint) => boolean, signal: AbortSignal): Promise<void> {
    try {
      for (const inode of await this.#ports.ledgers.inodes())
        if (!isNamed(inode) && !this.#gone.has(inode)) this.left(inode, Promise.resolve(), signal);
    } catch (error) {
      this.#unforgotten(error);
    }
  }

  /** Resolves once nothing ends, and nothing is being forgotten. */
  async over(): Promise<void> {
    await Promise.all([...this.#gone.values()].map(({ ended }) => ended));
  }

  async #forgetLater(inode: bigint, departure: Departure, signal: AbortSignal): Promise<void> {
    const { clock, absenceMs = 60_000 } = this.#ports;
    const { returned } = departure;
    await clock.sleep(absenceMs, AbortSignal.any([signal, returned.signal]));
    if (signal.aborted || returned.signal.aborted) return;
    // Whoever comes now waits for it.
    departure.ended = departure.ended.then(() => this.#forget(inode));
    await departure.ended;
    if (this.#gone.get(inode) === departure) this.#gone.delete(inode);
  }

  async #forget(inode: bigint): Promise<void> {
    await this.#ports.ledgers.forget(inode).catch((error) => this.#unforgotten(error));
  }

  #unforgotten(error: unknown): void {
    this.#ports.log.warn('the ledger of a network namespace that is gone could not be removed', {
      error: messageOf(error),
    });
  }
}
