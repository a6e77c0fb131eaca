import { CLASS_IN, RCODE, TYPE } from './codes.ts';
import { fill, QUESTION_AT, type RecordTemplate } from './encoding.ts';
import type { NameIndex } from './name-table.ts';
import { zoneOf } from './name-tree.ts';
import type { WireName } from './names.ts';
import { type Edns, type Fault, parseQuery, type Query } from './query.ts';
import type { RecordSet } from './records.ts';

export type Transport = 'udp' | 'tcp';

export interface Answer {
  readonly bytes: Buffer;
  /** What was asked for; 0 when the question could not be read. */
  readonly type: number;
  readonly rcode: number;
  /** The client is told to ask again over TCP. */
  readonly truncated: boolean;
}

/** What every path carries without fragments, by agreement (https://www.dnsflagday.net/2020/). */
const LARGEST_UDP = 1_232;
const LARGEST_UDP_WITHOUT_EDNS = 512;
const LARGEST_TCP = 65_535;

/** `root OPT`: our payload size, version 0, no options. */
const EDNS = Buffer.from([0, 0, TYPE.OPT, LARGEST_UDP >> 8, LARGEST_UDP & 0xff, 0, 0, 0, 0, 0, 0]);
const EDNS_RCODE_AT = 5;

/**
 * The reply to a message; null where none is due. Any bytes may come.
 *
 * Authoritative for the zones of the index, which are all that it speaks of: there is no recursion, and every other name
 * is refused. The question comes back as it was asked, letter case included.
 */
export function answer(message: Buffer, index: NameIndex, transport: Transport): Answer | null {
  const query = parseQuery(message);
  if (typeof query === 'string') return complain(message, query);
  return reply(message, query, find(query, index), transport);
}

/** The reply that makes an honest client ask again over TCP; no longer than the query, so useless to others. */
export function askOverTcp(message: Buffer): Answer | null {
  const query = parseQuery(message);
  if (typeof query === 'string') return null;
  const bytes = start(message, query, query.end);
  return { bytes: setFlags(bytes, TRUNCATED, RCODE.NOERROR), type: query.type, rcode: 0, truncated: true };
}

/** Where the header has its counts. */
const ANSWERS_AT = 6;
const AUTHORITIES_AT = 8;
const ADDITIONAL_AT = 10;

const RESPONSE = 0x80;
const AUTHORITATIVE = 0x04;
const TRUNCATED = 0x02;

interface Finding {
  readonly rcode: number;
  /** What is told, where there is something. */
  readonly set?: RecordSet;
  /** Where a name of ours has no such data: the zone, whose SOA says how long that may be remembered. */
  readonly lack?: { readonly zone: WireName; readonly soa: RecordTemplate };
}

function find({ name, type, class: klass, edns }: Query, { nodes, zones }: NameIndex): Finding {
  if (edns !== null && edns.version !== 0) return BAD_VERSION;
  if (klass !== CLASS_IN || type === TYPE.AXFR || type === TYPE.IXFR) return REFUSED;
  const node = nodes.get(name);
  // One set is enough for ANY (RFC 8482), and gives nobody a large answer to a small question.
  const set = type === TYPE.ANY ? node?.sets[0] : node?.sets.find((one) => one.type === type);
  if (set !== undefined) return { rcode: RCODE.NOERROR, set };
  const zone = node?.zone ?? zoneOf(name, zones);
  const soa = zone === null ? undefined : zones.get(zone);
  if (zone === null || soa === undefined) return REFUSED;
  return { rcode: node === undefined ? RCODE.NXDOMAIN : RCODE.NOERROR, lack: { zone, soa } };
}

const BAD_VERSION: Finding = { rcode: RCODE.BADVERS };
const REFUSED: Finding = { rcode: RCODE.REFUSED };

function reply(message: Buffer, query: Query, { rcode, set, lack }: Finding, transport: Transport): Answer {
  const { end, edns, type } = query;
  const flags = set === undefined && lack === undefined ? 0 : AUTHORITATIVE;
  const room = largest(transport, edns) - end - (edns === null ? 0 : EDNS.length);
  const size = set === undefined ? (lack?.soa.bytes.length ?? 0) : fitting(set, room);
  if (size > room) {
    const bytes = setFlags(start(message, query, end), flags | TRUNCATED, rcode);
    return { bytes, type, rcode, truncated: true };
  }
  const bytes = start(message, query, end + size);
  if (set !== undefined) {
    set.bytes.copy(bytes, end, 0, size);
    bytes.writeUInt16BE(set.answers, ANSWERS_AT);
    if (size > set.answersLength) {
      bytes.writeUInt16BE(set.extras + bytes.readUInt16BE(ADDITIONAL_AT), ADDITIONAL_AT);
    }
  } else if (lack !== undefined) {
    const nameEnd = end - 4;
    fill(lack.soa, bytes, end, nameEnd - lack.zone.length);
    bytes.writeUInt16BE(1, AUTHORITIES_AT);
  }
  return { bytes: setFlags(bytes, flags, rcode), type, rcode, truncated: false };
}

/** How much of the set to send: what is extra may be left out for want of room, an answer may not. */
function fitting({ bytes, answersLength }: RecordSet, room: number): number {
  return bytes.length <= room ? bytes.length : answersLength;
}

function largest(transport: Transport, edns: Edns | null): number {
  if (transport === 'tcp') return LARGEST_TCP;
  if (edns === null) return LARGEST_UDP_WITHOUT_EDNS;
  return Math.min(Math.max(edns.payload, LARGEST_UDP_WITHOUT_EDNS), LARGEST_UDP);
}

/** A message of `size` bytes, and the EDNS record at its end if the client knows it: header and question are as asked, the rest is not written yet. */
function start(message: Buffer, { end, edns }: Query, size: number): Buffer {
  const bytes = Buffer.allocUnsafe(size + (edns === null ? 0 : EDNS.length));
  message.copy(bytes, 0, 0, end);
  bytes.writeUInt32BE(0, ANSWERS_AT);
  bytes.writeUInt16BE(edns === null ? 0 : 1, ADDITIONAL_AT);
  if (edns !== null) bytes.set(EDNS, size);
  return bytes;
}

/** "Recursion desired" and "checking disabled" come back as they were; recursion is not available. */
function setFlags(bytes: Buffer, flags: number, rcode: number): Buffer {
  bytes[2] = RESPONSE | flags | ((bytes[2] ?? 0) & 0x79);
  bytes[3] = ((bytes[3] ?? 0) & 0x10) | (rcode & 0x0f);
  if (rcode > 0x0f) bytes[bytes.length - EDNS.length + EDNS_RCODE_AT] = rcode >> 4;
  return bytes;
}

/** Only the header comes back: what is in the rest is not known. */
function complain(message: Buffer, fault: Fault): Answer | null {
  if (fault === 'ignored') return null;
  const rcode = fault === 'malformed' ? RCODE.FORMERR : RCODE.NOTIMP;
  const bytes = Buffer.alloc(QUESTION_AT);
  message.copy(bytes, 0, 0, 4);
  return { bytes: setFlags(bytes, 0, rcode), type: 0, rcode, truncated: false };
}
