import { TYPE } from './codes.ts';
import { QUESTION_AT } from './encoding.ts';
import type { WireName } from './names.ts';

export interface Query {
  readonly name: WireName;
  readonly type: number;
  readonly class: number;
  /** Offset of the question's end. */
  readonly end: number;
  /** null if the client does not use EDNS. */
  readonly edns: Edns | null;
}

export interface Edns {
  readonly version: number;
  /** The largest UDP message that the client accepts. */
  readonly payload: number;
}

/**
 * Why a message is not a query. `ignored` gets no reply, since replying to a reply could loop for ever; `malformed` and
 * `unknown-operation` get an error.
 */
export type Fault = 'ignored' | 'malformed' | 'unknown-operation';

/** Far more than a question with its options needs. */
export const MAX_QUERY = 4_096;
/** Enough for EDNS and a signature. */
const MAX_ADDITIONAL = 4;

/**
 * Parses a query strictly: one uncompressed question, empty answer and authority sections, complete additional records of
 * which at most one is EDNS, and no trailing bytes. Pointers are never followed, so the cost is bounded by the length.
 */
export function parseQuery(message: Buffer): Query | Fault {
  if (message.length < QUESTION_AT || isResponse(message)) return 'ignored';
  if (operation(message) !== 0) return 'unknown-operation';
  if (message.length > MAX_QUERY) return 'malformed';
  if (!hasOneQuestionOnly(message)) return 'malformed';

  const nameEnd = endOfName(message);
  const end = nameEnd + 4;
  if (nameEnd === 0 || end > message.length) return 'malformed';
  const edns = readAdditional(message, end);
  if (edns === undefined) return 'malformed';
  return {
    // Lowercasing other bytes does no harm, since the names we serve are ASCII.
    name: message.toString('latin1', QUESTION_AT, nameEnd).toLowerCase(),
    type: message.readUInt16BE(nameEnd),
    class: message.readUInt16BE(nameEnd + 2),
    end,
    edns,
  };
}

function isResponse(message: Buffer): boolean {
  return (message.readUInt8(2) & 0x80) !== 0;
}

function operation(message: Buffer): number {
  return (message.readUInt8(2) >> 3) & 0x0f;
}

function hasOneQuestionOnly(message: Buffer): boolean {
  return message.readUInt32BE(4) === 0x0001_0000 && message.readUInt16BE(8) === 0;
}

/** Offset of the end of the question's name; 0 if it is cut off, too long or compressed. */
function endOfName(message: Buffer): number {
  for (let at = QUESTION_AT; at < message.length; ) {
    const length = message[at] ?? 0;
    at += 1 + length;
    if (at - QUESTION_AT > 255 || length > 63) return 0;
    if (length === 0) return at;
  }
  return 0;
}

/** Returns null without EDNS, and undefined if the section is malformed. */
function readAdditional(message: Buffer, start: number): Edns | null | undefined {
  const count = message.readUInt16BE(10);
  if (count > MAX_ADDITIONAL) return undefined;
  let edns: Edns | null = null;
  let at = start;
  for (let i = 0; i < count; i++) {
    const fixed = endOfOwner(message, at);
    if (fixed === 0 || fixed + 10 > message.length) return undefined;
    const data = fixed + 10;
    const end = data + message.readUInt16BE(fixed + 8);
    if (end > message.length) return undefined;
    if (message.readUInt16BE(fixed) === TYPE.OPT) {
      // The owner of OPT must be the root (RFC 6891, section 6.1.2).
      if (edns !== null || fixed !== at + 1 || !areOptions(message, data, end)) return undefined;
      edns = { version: message.readUInt8(fixed + 5), payload: message.readUInt16BE(fixed + 2) };
    }
    at = end;
  }
  return at === message.length ? edns : undefined;
}

/** Offset of the end of an owner's name, which may end with a pointer; 0 if malformed. */
function endOfOwner(message: Buffer, start: number): number {
  for (let at = start; at < message.length && at - start < 255; ) {
    const length = message[at] ?? 0;
    if (length === 0) return at + 1;
    if (length >= 0xc0) return at + 2;
    if (length > 63) return 0;
    at += 1 + length;
  }
  return 0;
}

function areOptions(message: Buffer, start: number, end: number): boolean {
  let at = start;
  while (at + 4 <= end) at += 4 + message.readUInt16BE(at + 2);
  return at === end;
}
