import { clientOf } from '../../dns/rate-limit.ts';

/** More than a person mistypes, or a page with an old token polls; fewer than an attacker tries. */
const MAX_PER_MINUTE = 30;
const MINUTE_MS = 60_000;
/** Clients beyond this number share one count. */
const MAX_CLIENTS = 1_024;
const EVERYONE_ELSE = '';

/** Counts wrong tokens per client and minute, so that a client that guesses does not lock out others. */
export class Failures {
  readonly #counts = new Map<string, number>();
  #from = Number.NEGATIVE_INFINITY;

  /** Counts a wrong token; returns whether it is this client's first within the minute. */
  add(address: string, now: number): boolean {
    const client = this.#key(address, now);
    const count = (this.#counts.get(client) ?? 0) + 1;
    this.#counts.set(client, count);
    return count === 1;
  }

  /** Whether this client has used up its tries for this minute. */
  isExhausted(address: string, now: number): boolean {
    return (this.#counts.get(this.#key(address, now)) ?? 0) >= MAX_PER_MINUTE;
  }

  #key(address: string, now: number): string {
    if (now < this.#from || now - this.#from >= MINUTE_MS) {
      this.#counts.clear();
      this.#from = now;
    }
    const client = clientOf(address);
    return this.#counts.has(client) || this.#counts.size < MAX_CLIENTS ? client : EVERYONE_ELSE;
  }
}
