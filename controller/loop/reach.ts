import type { Reachability, ReachabilityReport } from '../ports.ts';
import { NOT_LOOKED_AT } from './outcome.ts';

interface Reached {
  readonly addresses: readonly string[];
  /** With what was changed as long as no pass has told it. */
  readonly report: ReachabilityReport;
  /** It was looked beside passes, and no full pass has counted on it yet. */
  readonly beside: boolean;
}

/**
 * Keeps VIP addresses reachable: at once where they change, and else beside passes, so that no change waits while
 * settings, packet filter, interface and routes are looked at. Whoever asks has its turn after those before it.
 */
export class Reach {
  readonly #reachability: Reachability | null;
  #reached: Reached | null = null;
  #turn: Promise<unknown> = Promise.resolve();

  /** null where nothing is to be written. */
  constructor(reachability: Reachability | null) {
    this.#reachability = reachability;
  }

  /**
   * Makes these addresses reachable, and no others. Between full passes there is nothing to do unless they change: what
   * others take away is put back by `repair`. A full pass looks at everything, unless that was done beside passes.
   * Rejects as the port does.
   */
  async ensure(addresses: readonly string[], full: boolean): Promise<ReachabilityReport> {
    const reached = this.#reached;
    if (reached === null || !sameAddresses(reached.addresses, addresses) || (full && !reached.beside))
      return await this.#look(addresses, false);
    this.#reached = {
      ...reached,
      report: { ...reached.report, changed: [] },
      beside: reached.beside && !full,
    };
    return reached.report;
  }

  /**
   * Looks at everything, for the next full pass, while smaller ones go on. Never rejects: what went wrong is met again,
   * and told, by that pass.
   */
  async lookBeside(): Promise<void> {
    if (this.#reached === null) return;
    await this.#look(this.#reached.addresses, true).catch(() => undefined);
  }

  /** Puts back what someone took away since the last look; resolves with what that was. Rejects as the port does. */
  async repair(): Promise<readonly string[]> {
    return await this.#inTurn(async () => (await this.#reachability?.repair()) ?? []);
  }

  #look(addresses: readonly string[], beside: boolean): Promise<ReachabilityReport> {
    return this.#inTurn(async () => {
      try {
        const report = (await this.#reachability?.ensure(addresses)) ?? NOT_LOOKED_AT;
        const toTell = beside ? report : { ...report, changed: [] };
        this.#reached = { addresses, report: toTell, beside };
        return report;
      } catch (error) {
        // Other addresses may have been made half-way; and what an earlier look found is not what a full pass counts on.
        const same = this.#reached !== null && sameAddresses(this.#reached.addresses, addresses);
        this.#reached = this.#reached !== null && same ? { ...this.#reached, beside: false } : null;
        throw error;
      }
    });
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => undefined);
    return done;
  }
}

function sameAddresses(left: readonly string[], right: readonly string[]): boolean {
  return left.length === right.length && left.every((address, index) => address === right[index]);
}
