import type { Family } from '../address.ts';
import type { Counted } from '../model/counters.ts';
import type { Protocol } from '../model/endpoint.ts';

/**
 * What clients received: `replies`, `nothing`, `fewer` packets than they opened connections, or only `errors`; `quiet`: no
 * reply was due. `areAnswered`: so many packets came that the new connections, and not only older ones, are answered.
 */
export type Sign =
  | { readonly kind: 'quiet' }
  | { readonly kind: 'replies'; readonly areAnswered: boolean }
  | { readonly kind: 'nothing' | 'fewer' | 'errors'; readonly connections: number; readonly packets: number };

/** Size of the IP and ICMP headers of an ICMP error, in bytes. */
const ICMP_HEADERS = { ipv4: 28, ipv6: 48 } as const;
/** Size of a TCP reset: the IP and TCP headers, without options. */
const RESET_BYTES = { ipv4: 40, ipv6: 60 } as const;
/** Size of a pure acknowledgement: both headers and a timestamp. It gets no answer; a SYN, or data, is larger and does. */
const ACKNOWLEDGEMENT_BYTES = { ipv4: 52, ipv6: 72 } as const;
/** How much larger than a reset a SYN-ACK usually is: it has options for segment size, window scale and SACK. */
const SYN_ACK_OPTIONS = 12;
/** An answered connection has a SYN-ACK and at least one more packet: an acknowledgement of data or of its end. */
const ANSWER_PACKETS = 2;
/** How much the mean size of what ICMP errors quote may differ from that of the packets to the backend, in bytes. */
const QUOTE_TOLERANCE = 1;

/**
 * What three consecutive readings of a destination's counters show about the connections that arrived between the first
 * two; replies are counted up to the third. null: a counter went backwards, since the destination was replaced or zeroed.
 *
 * Each answered connection has a SYN-ACK. Fewer or smaller packets than that requires show that a connection was not
 * answered, whatever else was sent: a backend that is cut off keeps retransmitting old data for seconds.
 *
 * Without new connections, repeated requests of a client on an open connection show the same. This matters because a
 * scheduler that counts connections sends no more of them to a backend while one is unanswered.
 *
 * A UDP destination that sends nothing is `quiet`: many UDP protocols have no replies.
 */
export function signOf(
  { protocol, family }: { readonly protocol: Protocol; readonly family: Family },
  [before, after, last]: readonly [Counted, Counted, Counted],
): Sign | null {
  if (isBackwards(before, after) || isBackwards(after, last)) return null;
  const connections = after.connections - before.connections;
  const packets = last.outPackets - before.outPackets;
  const outBytes = last.outBytes - before.outBytes;
  const counts = { connections, packets };
  if (packets === 0) {
    const isReplyDue = connections > 0 || isAnswerDue(family, before, after);
    return isReplyDue && protocol === 'tcp' ? { kind: 'nothing', ...counts } : QUIET;
  }
  if (connections === 0) return { kind: 'replies', areAnswered: false };
  const inPackets = last.inPackets - before.inPackets;
  const inBytes = last.inBytes - before.inBytes;
  const quoted = outBytes / packets - ICMP_HEADERS[family];
  const areIcmp = packets <= inPackets && Math.abs(quoted - inBytes / inPackets) <= QUOTE_TOLERANCE;
  const areAnswered = packets >= connections * ANSWER_PACKETS;
  if (areIcmp) return { kind: 'errors', ...counts };
  if (protocol === 'tcp') {
    if (packets < connections) return { kind: 'fewer', ...counts };
    if (outBytes < packets * RESET_BYTES[family] + connections * SYN_ACK_OPTIONS)
      return { kind: 'errors', ...counts };
  }
  return { kind: 'replies', areAnswered };
}

const QUIET: Sign = { kind: 'quiet' };

/**
 * Whether to use a sign from the counters. For new TCP connections the connection table shows more, and without delay, if
 * all of it is read.
 */
export function isForCounters(sign: Sign, protocol: Protocol, isTableWhole: boolean): boolean {
  return protocol === 'udp' || !isTableWhole || ('connections' in sign && sign.connections === 0);
}

/** Whether the packets that arrived include some that TCP answers immediately. */
function isAnswerDue(family: Family, before: Counted, after: Counted): boolean {
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

/** Formats a sign: `7 connections, no reply`. */
export function signText({
  kind,
  connections,
  packets,
}: Extract<Sign, { readonly connections: number }>): string {
  if (connections === 0) return 'clients repeat requests, no reply';
  const opened = amount(connections, 'connection');
  if (kind === 'nothing') return `${opened}, no reply`;
  return kind === 'fewer'
    ? `${opened}, ${amount(packets, 'packet')} back`
    : `${opened}, only resets or ICMP errors back`;
}

function amount(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}
