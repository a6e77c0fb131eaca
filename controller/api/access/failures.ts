import { clientOf } from '../../dns/rate-limit.ts';

/** A person mistypes and an old page asks on; whoever tries tokens does more. */
const MOST_A_MINUTE = 30;
const MINUTE_MS = 60_000;
/** Further clients share one allowance. */
const MOST_CLIENTS = 1_024;
const EVERYONE_ELSE = '';

/** Counts wrong tokens by client, minute by minute, so that one who guesses locks nobody else out. */
export class Failures {
  readonly #counts = new Map<string, number>();
  #from = Number.NEGATIVE_INFINITY;

  /** Counts one more; true for the first of this client within this minute. */
  add(address: string, now: number): boolean {
    const client = this.#key(address, now);
    const count = (this.#counts.get(client) ?? 0) + 1;
    this.#counts.set(client, count);
    return count === 1;
  }

  /** Whether this client has had all its tries for now. */
  isSpent(address: string, now: number): boolean {
    return (this.#counts.get(this.#key(address, now)) ?? 0) >= MOST_A_MINUTE;
  }

  #key(address: string, now: number): string {
    if (now < this.#from || now - this.#from >= MINUTE_MS) {
      this.#counts.clear();
      this.#from = now;
    }
    const client = clientOf(address);
    return this.#counts.has(client) || this.#counts.size < MOST_CLIENTS ? client : EVERYONE_ELSE;
  }
}
