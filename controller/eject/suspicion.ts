import type { Family } from '../address.ts';
import type { Counted } from '../counters.ts';
import type { Protocol } from '../model.ts';

/**
 * What clients got: `replies`, `nothing`, `fewer` packets than they made connections, or only `errors`; `quiet`: nobody
 * asked. `areAnswered`: so many packets came that the new connections are answered, and not only older ones.
 */
export type Sign =
  | { readonly kind: 'quiet' }
  | { readonly kind: 'replies'; readonly areAnswered: boolean }
  | { readonly kind: 'nothing' | 'fewer' | 'errors'; readonly connections: number; readonly packets: number };

/** Header of an ICMP error and of the IP packet around it. */
const ICMP_HEADERS = { ipv4: 28, ipv6: 48 } as const;
/** A TCP reset has no options: two headers and nothing else. */
const RESET_BYTES = { ipv4: 40, ipv6: 60 } as const;
/** A packet that only acknowledges has two headers and a timestamp, and is not answered; a SYN and data are larger. */
const ACKNOWLEDGEMENT_BYTES = { ipv4: 52, ipv6: 72 } as const;
/** By how much a SYN-ACK is larger than that: segment size, window scale and selective acknowledgements are usual. */
const SYN_ACK_OPTIONS = 12;
/** An answered connection has a SYN-ACK and another packet, were it only for what the client sent, or its end. */
const ANSWER_PACKETS = 2;
/** By how much the mean size of errors may differ from that of the packets in them. */
const SAME_BYTES = 1;

/**
 * What three readings of one destination's counters, in the order in which they were made, say of the connections that came
 * between the first two: a reply has until the last one to be counted. null: a counter went backwards, so it is another
 * destination, or someone zeroed it.
 *
 * Each connection that is answered has a SYN-ACK, so that fewer packets, or smaller ones, than these make show that one was
 * not, whatever else came: for seconds a backend that hears nothing any more sends again what it sent before.
 *
 * Where nobody connects anew, a client that asks again shows the same: a scheduler that counts connections sends a backend
 * no more of them while one is not answered.
 *
 * A UDP destination that sends nothing is `quiet`: many protocols have no replies.
 */
export function signOf(
  { protocol, family }: { readonly protocol: Protocol; readonly family: Family },
  [before, after, last]: readonly [Counted, Counted, Counted],
): Sign | null {
  if (isBackwards(before, after) || isBackwards(after, last)) return null;
  const connections = after.connections - before.connections;
  const packets = last.outPackets - before.outPackets;
  const outBytes = last.outBytes - before.outBytes;
  const asked = { connections, packets };
  if (packets === 0) {
    const isAsked = connections > 0 || areAnswersDue(family, before, after);
    return isAsked && protocol === 'tcp' ? { kind: 'nothing', ...asked } : QUIET;
  }
  if (connections === 0) return { kind: 'replies', areAnswered: false };
  const inPackets = last.inPackets - before.inPackets;
  const inBytes = last.inBytes - before.inBytes;
  const quoted = outBytes / packets - ICMP_HEADERS[family];
  const areIcmp = packets <= inPackets && Math.abs(quoted - inBytes / inPackets) <= SAME_BYTES;
  const areAnswered = packets >= connections * ANSWER_PACKETS;
  if (areIcmp) return { kind: 'errors', ...asked };
  if (protocol === 'tcp') {
    if (packets < connections) return { kind: 'fewer', ...asked };
    if (outBytes < packets * RESET_BYTES[family] + connections * SYN_ACK_OPTIONS)
      return { kind: 'errors', ...asked };
  }
  return { kind: 'replies', areAnswered };
}

const QUIET: Sign = { kind: 'quiet' };

/**
 * Whether a sign of the counters counts. Of new TCP connections the connection table tells more, and without the delay of the
 * counters, where all of it is read.
 */
export function isForCounters(sign: Sign, protocol: Protocol, isTableWhole: boolean): boolean {
  return protocol === 'udp' || !isTableWhole || ('connections' in sign && sign.connections === 0);
}

/** Whether packets came that TCP answers at once. */
function areAnswersDue(family: Family, before: Counted, after: Counted): boolean {
  const packets = after.inPackets - before.inPackets;
  return after.inBytes - before.inBytes > packets * ACKNOWLEDGEMENT_BYTES[family];
}

function isBackwards(before: Counted, after: Counted): boolean {
  return (
    after.connections < before.connections ||
    after.inPackets < before.inPackets ||
    after.outPackets < before.outPackets ||
    after.inBytes < before.inBytes ||
    after.outBytes < before.outBytes
  );
}

/** In words: `7 connections, no reply`. */
export function signText({
  kind,
  connections,
  packets,
}: Extract<Sign, { readonly connections: number }>): string {
  if (connections === 0) return 'clients ask again, no reply';
  const came = counted(connections, 'connection');
  if (kind === 'nothing') return `${came}, no reply`;
  return kind === 'fewer'
    ? `${came}, ${counted(packets, 'packet')} back`
    : `${came}, only resets or ICMP errors back`;
}

function counted(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}
