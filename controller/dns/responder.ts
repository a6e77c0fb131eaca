import { networkInterfaces } from 'node:os';
import { type Answer, answer, askOverTcp, type Transport } from './answer.ts';
import type { NameIndex } from './name-table.ts';
import { RateLimit } from './rate-limit.ts';

/** Learns of every query; must not throw. */
export interface DnsMeter {
  answered(answer: Omit<Answer, 'bytes'>, transport: Transport, seconds: number): void;
  /** `ignored`: no query. `rate`: its sender asks too often. `failed`: the reply could not be sent. `slow`: a connection that took too long. */
  dropped(reason: DropReason): void;
}

export type DropReason = 'ignored' | 'rate' | 'failed' | 'slow';

export const DROP_REASONS: readonly DropReason[] = ['ignored', 'rate', 'failed', 'slow'];

export interface Responder {
  /** The reply to a datagram from this address; null: none. */
  udp(message: Buffer, from: string): Buffer | null;
  /** The reply to a message of a connection; null: it deserves none. */
  tcp(message: Buffer): Buffer | null;
}

/**
 * Far more than a client asks for that opens a connection for each answer. Those on this host are not held to it: a
 * forwarder here asks for all, and nobody elsewhere can pretend to be here (the kernel drops such packets).
 */
const UDP_LIMIT = { perSecond: 5_000, clients: 10_000 };
/** Of the queries over the limit every so many are answered with "ask over TCP", so that an honest client gets on. */
const SLIP = 2;

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
      if (excess % SLIP === 0) return count(askOverTcp(message), 'udp', startedAt);
      meter.dropped('rate');
      return null;
    },
    tcp(message) {
      const startedAt = performance.now();
      return count(answer(message, index, 'tcp'), 'tcp', startedAt);
    },
  };
}

const FRESH_MS = 1_000;

/** Whether this host has an address, as far as known a second ago. */
function createOwnAddresses(): (address: string, now: number) => boolean {
  let known: ReadonlySet<string> = new Set();
  let readAt = Number.NEGATIVE_INFINITY;
  return (address, now) => {
    if (now - readAt > FRESH_MS) {
      readAt = now;
      known = new Set(
        Object.values(networkInterfaces()).flatMap((all) => all?.map((one) => one.address) ?? []),
      );
    }
    return known.has(address) || address.startsWith('127.');
  };
}
