import { messageOf } from '../errors.ts';
import type { Clock, Log } from '../ports.ts';

export interface DeparturePorts {
  readonly ledgers: NamespaceLedgers;
  readonly clock: Pick<Clock, 'sleep'>;
  readonly log: Log;
  /** How long a namespace must be gone before its ledger is removed. Defaults to 60 s. */
  readonly absenceMs?: number | undefined;
}

/** The ledgers of all namespaces. */
export interface NamespaceLedgers {
  /** Returns the inodes of the namespaces that have a ledger. Rejects if they cannot be listed. */
  inodes(): Promise<readonly bigint[]>;
  /** Removes the ledger of a namespace that is gone. Rejects if it cannot be removed. */
  forget(inode: bigint): Promise<void>;
}

interface Departure {
  readonly returned: AbortController;
  /** Resolves once its keeper has ended and, if that has started, its ledger is removed. */
  ended: Promise<void>;
}

/**
 * Removes the ledgers of namespaces that are gone, after a delay: a file that is rewritten or renamed, or whose process was just
 * replaced, leads to the same namespace a moment later, and its ledger is then needed.
 *
 * The kernel reuses inode numbers, so a namespace that returns may be a different one. The first pass then drops the ledger's
 * entries, since the table lacks them.
 */
export class Departures {
  readonly #ports: DeparturePorts;
  readonly #gone = new Map<bigint, Departure>();

  constructor(ports: DeparturePorts) {
    this.#ports = ports;
  }

  /** Schedules the removal of the ledger of a namespace that is gone. `ended` resolves when its keeper has ended. */
  left(inode: bigint, ended: Promise<void>, signal: AbortSignal): void {
    const departure: Departure = { ended, returned: new AbortController() };
    this.#gone.set(inode, departure);
    void this.#forgetLater(inode, departure, signal);
  }

  /** Cancels the removal for a namespace that is back; resolves once nothing else writes its ledger. Never rejects. */
  async returned(inode: bigint): Promise<void> {
    const departure = this.#gone.get(inode);
    if (departure === undefined) return;
    this.#gone.delete(inode);
    departure.returned.abort(null);
    await departure.ended;
  }

  /** Schedules the removal of ledgers whose namespaces disappeared before the start. Never rejects. */
  async leftBefore(isNamed: (inode: bigint) => boolean, signal: AbortSignal): Promise<void> {
    try {
      for (const inode of await this.#ports.ledgers.inodes())
        if (!isNamed(inode) && !this.#gone.has(inode)) this.left(inode, Promise.resolve(), signal);
    } catch (error) {
      this.#logFailure(error);
    }
  }

  /** Resolves once all keepers have ended and no removal is in progress. */
  async over(): Promise<void> {
    await Promise.all([...this.#gone.values()].map(({ ended }) => ended));
  }

  async #forgetLater(inode: bigint, departure: Departure, signal: AbortSignal): Promise<void> {
    const { clock, absenceMs = 60_000 } = this.#ports;
    const { returned } = departure;
    await clock.sleep(absenceMs, AbortSignal.any([signal, returned.signal]));
    if (signal.aborted || returned.signal.aborted) return;
    // A namespace that returns now waits for the removal.
    departure.ended = departure.ended.then(() => this.#forget(inode));
    await departure.ended;
    if (this.#gone.get(inode) === departure) this.#gone.delete(inode);
  }

  async #forget(inode: bigint): Promise<void> {
    await this.#ports.ledgers.forget(inode).catch((error) => this.#logFailure(error));
  }

  #logFailure(error: unknown): void {
    this.#ports.log.warn('cannot remove the ledger of a network namespace that is gone', {
      error: messageOf(error),
    });
  }
}
