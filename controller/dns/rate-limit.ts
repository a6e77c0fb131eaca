import { isIPv6 } from 'node:net';

export interface RateLimitOptions {
  /** Replies that a client may have each second. */
  readonly perSecond: number;
  /** How many clients are told apart within a second; further ones share one allowance. */
  readonly clients: number;
}

const WINDOW_MS = 1_000;

/**
 * Counts replies by client, second by second.
 *
 * Over UDP anyone can ask in another's name, and that other gets the replies: this bounds how many. IPv6 clients
 * are told apart by network, since each has 2^64 addresses to choose from.
 */
export class RateLimit {
  readonly #options: RateLimitOptions;
  readonly #counts = new Map<string, number>();
  #windowEnds = Number.NEGATIVE_INFINITY;

  constructor(options: RateLimitOptions) {
    this.#options = options;
  }

  /** How many replies more than it may have this client would have got within this second, this one included; 0: it may have it. */
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

/** What stands for a client in counts of clients: its IPv4 address, or the network of its IPv6 one. */
export function clientOf(address: string): string {
  // Of a socket for both families.
  const plain = address.replace(/^::ffff:(?=[\d.]+$)/i, '');
  return plain.includes(':') ? networkOf(plain) : plain;
}

/** The first half of an IPv6 address. */
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
