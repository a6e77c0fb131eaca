import type { Reachability, ReachabilityReport } from '../ports.ts';
import { NOT_CHECKED } from './outcome.ts';

interface LastCheck {
  readonly addresses: readonly string[];
  /** The last report. Its changes stay until a pass has reported them. */
  readonly report: ReachabilityReport;
  /** Whether it was made in the background and no full pass has used it yet. */
  readonly isForFullPass: boolean;
}

/**
 * Keeps VIP addresses reachable: at once when they change, and otherwise in the background, so that no change waits for the
 * check of settings, packet filter, interface and routes. One call of the port at a time, in order.
 */
export class ReachabilityView {
  readonly #reachability: Reachability | null;
  #last: LastCheck | null = null;
  #turn: Promise<unknown> = Promise.resolve();
  #repairing: Promise<void> | null = null;

  /** null when nothing may be written. */
  constructor(reachability: Reachability | null) {
    this.#reachability = reachability;
  }

  /**
   * Makes exactly these addresses reachable. Between full passes it only acts when they change, since `repair` restores what
   * others remove. A full pass checks everything, unless that was done in the background. Rejects as the port does.
   */
  async ensure(addresses: readonly string[], full: boolean): Promise<ReachabilityReport> {
    const last = this.#last;
    if (last === null || !sameAddresses(last.addresses, addresses) || (full && !last.isForFullPass))
      return await this.#check(addresses, { inBackground: false });
    const report = { ...last.report, changed: [] };
    this.#last = { ...last, report, isForFullPass: last.isForFullPass && !full };
    return last.report;
  }

  /**
   * Checks everything in the background, for the next full pass. Never rejects: after a failure that pass checks again, and
   * reports the error.
   */
  async refreshInBackground(): Promise<void> {
    if (this.#last === null) return;
    await this.#check(this.#last.addresses, { inBackground: true }).catch(() => undefined);
  }

  /** Restores what someone removed since the last check. Resolves with what it restored; rejects as the port does. */
  async repair(): Promise<readonly string[]> {
    return await this.#inTurn(async () => (await this.#reachability?.repair()) ?? []);
  }

  /** The same in the background, and never twice at a time. `repaired` is called when something was restored. */
  repairInBackground(repaired: (changes: readonly string[]) => void, failed: (error: unknown) => void): void {
    this.#repairing ??= this.repair()
      .then((changes) => {
        if (changes.length > 0) repaired(changes);
      })
      .catch(failed)
      .finally(() => {
        this.#repairing = null;
      });
  }

  /** Resolves once no repair is under way. */
  async settled(): Promise<void> {
    await this.#repairing;
  }

  #check(
    addresses: readonly string[],
    { inBackground }: { readonly inBackground: boolean },
  ): Promise<ReachabilityReport> {
    return this.#inTurn(async () => {
      try {
        const report = (await this.#reachability?.ensure(addresses)) ?? NOT_CHECKED;
        const unreported = inBackground ? report : { ...report, changed: [] };
        this.#last = { addresses, report: unreported, isForFullPass: inBackground };
        return report;
      } catch (error) {
        // The addresses may have been changed halfway, and a full pass must not rely on an earlier check.
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
