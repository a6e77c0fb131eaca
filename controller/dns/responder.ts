import { networkInterfaces } from 'node:os';
import { type Answer, answer, type Transport, truncatedReply } from './answer.ts';
import type { NameIndex } from './name-table.ts';
import { RateLimit } from './rate-limit.ts';

/** Counts queries. Must not throw. */
export interface DnsMeter {
  answered(answer: Omit<Answer, 'bytes'>, transport: Transport, seconds: number): void;
  /**
   * `ignored`: the message is not a query. `rate`: the client exceeds the rate limit. `failed`: the reply could not be sent.
   * `slow`: the connection took too long.
   */
  dropped(reason: DropReason): void;
}

export type DropReason = 'ignored' | 'rate' | 'failed' | 'slow';

export const DROP_REASONS: readonly DropReason[] = ['ignored', 'rate', 'failed', 'slow'];

export interface Responder {
  /** Returns the reply to a datagram from this address, or null for none. */
  udp(message: Buffer, from: string): Buffer | null;
  /** Returns the reply to a message on a connection, or null for none. */
  tcp(message: Buffer): Buffer | null;
}

/**
 * Far more than a client needs that resolves a name for each connection. Clients on this host are exempt: one may forward
 * the queries of many, and the kernel drops packets from elsewhere with a source address of this host.
 */
const UDP_LIMIT = { perSecond: 5_000, clients: 10_000 };
/** Every n-th query over the limit gets a truncated reply, so that a real client can retry over TCP. */
const SLIP = 2;

/** Creates the responder that answers queries from the index, with a rate limit for UDP. */
export function createResponder(index: NameIndex, meter: DnsMeter): Responder {
  const limit = new RateLimit(UDP_LIMIT);
  const isHere = createOwnAddresses();

  function count(found: Answer | null, transport: Transport, startedAt: number): Buffer | null {
    if (found === null) {
      meter.dropped('ignored');
      return null;
    }
    meter.answered(found, transport, (performance.now() - startedAt) / 1_000);
    return found.bytes;
  }

  return {
    udp(message, from) {
      const startedAt = performance.now();
      const excess = limit.excess(from, startedAt);
      if (excess === 0 || isHere(from, startedAt))
        return count(answer(message, index, 'udp'), 'udp', startedAt);
      if (excess % SLIP === 0) return count(truncatedReply(message), 'udp', startedAt);
      meter.dropped('rate');
      return null;
    },
    tcp(message) {
      const startedAt = performance.now();
      return count(answer(message, index, 'tcp'), 'tcp', startedAt);
    },
  };
}

const MAX_AGE_MS = 1_000;

/** Creates a function that tests whether an address is this host's, from a list at most a second old. */
function createOwnAddresses(): (address: string, now: number) => boolean {
  let known: ReadonlySet<string> = new Set();
  let readAt = Number.NEGATIVE_INFINITY;
  return (address, now) => {
    if (now - readAt > MAX_AGE_MS) {
      readAt = now;
      known = new Set(
        Object.values(networkInterfaces()).flatMap((all) => all?.map((one) => one.address) ?? []),
      );
    }
    return known.has(address) || address.startsWith('127.');
  };
}
