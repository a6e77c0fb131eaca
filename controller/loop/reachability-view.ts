import type { Reachability, ReachabilityReport } from '../ports.ts';
import { NOT_LOOKED_AT } from './outcome.ts';

interface LastLook {
  readonly addresses: readonly string[];
  /** What was changed is in it until a pass has reported it. */
  readonly report: ReachabilityReport;
  /** It was made in the background, and no full pass has used it yet. */
  readonly isForFullPass: boolean;
}

/**
 * Keeps VIP addresses reachable, and remembers what was found: at once where they change, and otherwise in the background,
 * so that no change waits while settings, packet filter, interface and routes are looked at. One look at a time, in the
 * order in which they were asked for.
 */
export class ReachabilityView {
  readonly #reachability: Reachability | null;
  #last: LastLook | null = null;
  #turn: Promise<unknown> = Promise.resolve();

  /** null where nothing is to be written. */
  constructor(reachability: Reachability | null) {
    this.#reachability = reachability;
  }

  /**
   * Makes these addresses reachable, and no others. Between full passes there is nothing to do unless they change: what
   * others take away is put back by `repair`. A full pass looks at everything, unless that was done in the background.
   * Rejects as the port does.
   */
  async ensure(addresses: readonly string[], full: boolean): Promise<ReachabilityReport> {
    const last = this.#last;
    if (last === null || !sameAddresses(last.addresses, addresses) || (full && !last.isForFullPass))
      return await this.#look(addresses, { inBackground: false });
    const report = { ...last.report, changed: [] };
    this.#last = { ...last, report, isForFullPass: last.isForFullPass && !full };
    return last.report;
  }

  /**
   * Looks at everything, for the next full pass, while smaller ones go on. Never rejects: what went wrong is met again,
   * and reported, by that pass.
   */
  async refreshInBackground(): Promise<void> {
    if (this.#last === null) return;
    await this.#look(this.#last.addresses, { inBackground: true }).catch(() => undefined);
  }

  /** Puts back what someone took away since the last look; resolves with what that was. Rejects as the port does. */
  async repair(): Promise<readonly string[]> {
    return await this.#inTurn(async () => (await this.#reachability?.repair()) ?? []);
  }

  #look(
    addresses: readonly string[],
    { inBackground }: { readonly inBackground: boolean },
  ): Promise<ReachabilityReport> {
    return this.#inTurn(async () => {
      try {
        const report = (await this.#reachability?.ensure(addresses)) ?? NOT_LOOKED_AT;
        const unreported = inBackground ? report : { ...report, changed: [] };
        this.#last = { addresses, report: unreported, isForFullPass: inBackground };
        return report;
      } catch (error) {
        // Other addresses may have been made half-way; and a full pass must not rely on what an earlier look found.
        const isSame = this.#last !== null && sameAddresses(this.#last.addresses, addresses);
        this.#last = this.#last !== null && isSame ? { ...this.#last, isForFullPass: false } : null;
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
