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
  /** The type requested; 0 if the question could not be parsed. */
  readonly type: number;
  readonly rcode: number;
  /** Set if the client is told to retry over TCP. */
  readonly truncated: boolean;
}

/** Small enough to avoid fragmentation on any path (https://www.dnsflagday.net/2020/). */
const MAX_UDP = 1_232;
const MAX_UDP_WITHOUT_EDNS = 512;
const MAX_TCP = 65_535;

/** `root OPT`: our payload size, version 0, no options. */
const EDNS = Buffer.from([0, 0, TYPE.OPT, MAX_UDP >> 8, MAX_UDP & 0xff, 0, 0, 0, 0, 0, 0]);
const EDNS_RCODE_AT = 5;

/**
 * Returns the reply to a message of arbitrary bytes; null if it deserves none.
 *
 * The server is authoritative for the zones of the index. It offers no recursion and refuses every other name. The reply
 * repeats the question exactly, letter case included.
 */
export function answer(message: Buffer, index: NameIndex, transport: Transport): Answer | null {
  const query = parseQuery(message);
  if (typeof query === 'string') return errorReply(message, query);
  return reply(message, query, find(query, index), transport);
}

/** Returns a truncated reply, which makes a real client retry over TCP and is too short to be useful for amplification. */
export function truncatedReply(message: Buffer): Answer | null {
  const query = parseQuery(message);
  if (typeof query === 'string') return null;
  const bytes = start(message, query, query.end);
  return { bytes: setFlags(bytes, TRUNCATED, RCODE.NOERROR), type: query.type, rcode: 0, truncated: true };
}

/** Offsets of the counts in the header. */
const ANSWERS_AT = 6;
const AUTHORITIES_AT = 8;
const ADDITIONAL_AT = 10;

const RESPONSE = 0x80;
const AUTHORITATIVE = 0x04;
const TRUNCATED = 0x02;

interface Finding {
  readonly rcode: number;
  /** The records of the answer. */
  readonly set?: RecordSet;
  /** Set for a negative answer in one of our zones, whose SOA says how long it may be cached. */
  readonly lack?: { readonly zone: WireName; readonly soa: RecordTemplate };
}

function find({ name, type, class: klass, edns }: Query, { nodes, zones }: NameIndex): Finding {
  if (edns !== null && edns.version !== 0) return BAD_VERSION;
  if (klass !== CLASS_IN || type === TYPE.AXFR || type === TYPE.IXFR) return REFUSED;
  const node = nodes.get(name);
  // One set is enough for ANY (RFC 8482), and prevents amplification.
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

/** The number of bytes to send: additional records may be left out to save room, answers may not. */
function fitting({ bytes, answersLength }: RecordSet, room: number): number {
  return bytes.length <= room ? bytes.length : answersLength;
}

function largest(transport: Transport, edns: Edns | null): number {
  if (transport === 'tcp') return MAX_TCP;
  if (edns === null) return MAX_UDP_WITHOUT_EDNS;
  return Math.min(Math.max(edns.payload, MAX_UDP_WITHOUT_EDNS), MAX_UDP);
}

/** Creates a reply of `size` bytes plus an EDNS record if the client uses EDNS. Only header and question are filled in. */
function start(message: Buffer, { end, edns }: Query, size: number): Buffer {
  const bytes = Buffer.allocUnsafe(size + (edns === null ? 0 : EDNS.length));
  message.copy(bytes, 0, 0, end);
  bytes.writeUInt32BE(0, ANSWERS_AT);
  bytes.writeUInt16BE(edns === null ? 0 : 1, ADDITIONAL_AT);
  if (edns !== null) bytes.set(EDNS, size);
  return bytes;
}

/** Copies "recursion desired" and "checking disabled" from the query. Recursion is not available. */
function setFlags(bytes: Buffer, flags: number, rcode: number): Buffer {
  bytes[2] = RESPONSE | flags | ((bytes[2] ?? 0) & 0x79);
  bytes[3] = ((bytes[3] ?? 0) & 0x10) | (rcode & 0x0f);
  if (rcode > 0x0f) bytes[bytes.length - EDNS.length + EDNS_RCODE_AT] = rcode >> 4;
  return bytes;
}

/** An error reply has only a header, since the rest of the message could not be parsed. */
function errorReply(message: Buffer, fault: Fault): Answer | null {
  if (fault === 'ignored') return null;
  const rcode = fault === 'malformed' ? RCODE.FORMERR : RCODE.NOTIMP;
  const bytes = Buffer.alloc(QUESTION_AT);
  message.copy(bytes, 0, 0, 4);
  return { bytes: setFlags(bytes, 0, rcode), type: 0, rcode, truncated: false };
}
