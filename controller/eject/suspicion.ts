import type { Family, Protocol } from '../model.ts';
import type { Counted } from '../ports.ts';

/** What clients got: `replies`, `nothing`, or only `errors`; `quiet`: nobody asked. */
export type Sign =
  | { readonly kind: 'quiet' | 'replies' }
  | { readonly kind: 'nothing' | 'errors'; readonly connections: number };

/** Header of an ICMP error and of the IP packet around it. */
const ICMP_HEADERS = { ipv4: 28, ipv6: 48 } as const;
/** A TCP reset has no options: two headers and nothing else. A SYN-ACK always has one. */
const RESET_BYTES = { ipv4: 40, ipv6: 60 } as const;
/** By how much the mean size of errors may differ from that of the packets in them. */
const SAME_BYTES = 1;

/**
 * What three readings of one destination's counters, in the order in which they were made, say of the connections that came
 * between the first two: a reply has until the last one to be counted. null: a counter went backwards, so it is another
 * destination, or someone zeroed it.
 *
 * A UDP destination that sends nothing is `quiet`: many protocols have no replies.
 */
export function signOf(
  { protocol, family }: { readonly protocol: Protocol; readonly family: Family },
  [before, after, last]: readonly [Counted, Counted, Counted],
): Sign | null {
  if (isBackwards(before, after) || isBackwards(after, last)) return null;
  const connections = after.connections - before.connections;
  const outPackets = last.outPackets - before.outPackets;
  const outBytes = last.outBytes - before.outBytes;
  if (outPackets === 0) {
    return connections > 0 && protocol === 'tcp' ? { kind: 'nothing', connections } : QUIET;
  }
  if (connections === 0) return REPLIES;
  const inPackets = last.inPackets - before.inPackets;
  const inBytes = last.inBytes - before.inBytes;
  const areResets = protocol === 'tcp' && outBytes <= outPackets * RESET_BYTES[family];
  const quoted = outBytes / outPackets - ICMP_HEADERS[family];
  const areIcmp = outPackets <= inPackets && Math.abs(quoted - inBytes / inPackets) <= SAME_BYTES;
  return areResets || areIcmp ? { kind: 'errors', connections } : REPLIES;
}

const QUIET: Sign = { kind: 'quiet' };
const REPLIES: Sign = { kind: 'replies' };

function isBackwards(before: Counted, after: Counted): boolean {
  return (
    after.connections < before.connections ||
    after.inPackets < before.inPackets ||
    after.outPackets < before.outPackets ||
    after.inBytes < before.inBytes ||
    after.outBytes < before.outBytes
  );
}

/** `7 connections, no reply`. */
export function signText({ kind, connections }: Extract<Sign, { readonly connections: number }>): string {
  const came = `${connections} connection${connections === 1 ? '' : 's'}`;
  return kind === 'nothing' ? `${came}, no reply` : `${came}, only resets or ICMP errors back`;
}
