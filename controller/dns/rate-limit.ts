import { isIPv6 } from 'node:net';

export interface RateLimitOptions {
  /** Replies per second and client. */
  readonly perSecond: number;
  /** Number of clients counted separately within a second; all further ones share one allowance. */
  readonly clients: number;
}

const WINDOW_MS = 1_000;

/**
 * Counts replies per client and second.
 *
 * UDP source addresses can be forged, and the replies then go to a victim: this limits them. IPv6 clients are counted by
 * network, since each has 2^64 addresses to choose from.
 */
export class RateLimit {
  readonly #options: RateLimitOptions;
  readonly #counts = new Map<string, number>();
  #windowEnds = Number.NEGATIVE_INFINITY;

  constructor(options: RateLimitOptions) {
    this.#options = options;
  }

  /** Counts one reply; returns by how many this client exceeds its allowance in the current second, or 0 if it does not. */
  excess(address: string, now: number): number {
    if (now >= this.#windowEnds || now < this.#windowEnds - WINDOW_MS) {
      this.#counts.clear();
      this.#windowEnds = now + WINDOW_MS;
    }
    let client = clientOf(address);
    let count = this.#counts.get(client);
    if (count === undefined && this.#counts.size >= this.#options.clients) {
      client = EVERYONE_ELSE;
      count = this.#counts.get(client);
    }
    count = (count ?? 0) + 1;
    this.#counts.set(client, count);
    return Math.max(0, count - this.#options.perSecond);
  }
}

const EVERYONE_ELSE = '';

/** The key by which a client is counted: its IPv4 address, or the network of its IPv6 address. */
export function clientOf(address: string): string {
  // A dual-stack socket reports IPv4 clients as mapped addresses.
  const plain = address.replace(/^::ffff:(?=[\d.]+$)/i, '');
  return plain.includes(':') ? networkOf(plain) : plain;
}

/** The first 64 bits of an IPv6 address. */
function networkOf(address: string): string {
  const plain = address.split('%', 1)[0] ?? '';
  if (!isIPv6(plain)) return address;
  const [head = '', tail] = plain.split('::');
  const before = head === '' ? [] : head.split(':');
  if (tail === undefined) return before.slice(0, 4).join(':');
  const after = tail === '' ? [] : tail.split(':');
  const zeros = Array.from({ length: Math.max(0, 8 - before.length - after.length) }, () => '0');
  return [...before, ...zeros, ...after].slice(0, 4).join(':');
}
