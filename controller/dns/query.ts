import { TYPE } from './codes.ts';
import { QUESTION_AT } from './encoding.ts';
import type { WireName } from './names.ts';

/** What a client asks. */
export interface Query {
  readonly name: WireName;
  readonly type: number;
  readonly class: number;
  /** Where the question ends. */
  readonly end: number;
  /** null: the client does not know EDNS. */
  readonly edns: Edns | null;
}

export interface Edns {
  readonly version: number;
  /** The largest UDP message that the client takes. */
  readonly payload: number;
}

/**
 * Why a message is no query: `ignored` gets no answer (an answer to an answer could go on for ever), `malformed` and
 * `unknown-operation` get one that says so.
 */
export type Fault = 'ignored' | 'malformed' | 'unknown-operation';

/** Far more than any question with its options needs. */
export const LONGEST_QUERY = 4_096;
/** EDNS and a signature are what there is. */
const MOST_ADDITIONAL = 4;

/**
 * Reads a query, strictly: one question without compression, nothing in answer and authority, whole records after it,
 * at most one of them EDNS, and not a byte more. Pointers are never followed, so no message costs more than its length.
 */
export function parseQuery(message: Buffer): Query | Fault {
  if (message.length < QUESTION_AT || isResponse(message)) return 'ignored';
  if (operation(message) !== 0) return 'unknown-operation';
  if (message.length > LONGEST_QUERY) return 'malformed';
  if (!hasOneQuestionOnly(message)) return 'malformed';

  const nameEnd = endOfName(message);
  const end = nameEnd + 4;
  if (nameEnd === 0 || end > message.length) return 'malformed';
  const edns = readAdditional(message, end);
  if (edns === undefined) return 'malformed';
  return {
    // Only letters of ASCII occur in our names, so it is no harm that others change too.
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

/** Where the question's name ends; 0 for one that is cut off, too long, or uses a pointer (there is nothing to point to). */
function endOfName(message: Buffer): number {
  for (let at = QUESTION_AT; at < message.length; ) {
    const length = message[at] ?? 0;
    at += 1 + length;
    if (at - QUESTION_AT > 255 || length > 63) return 0;
    if (length === 0) return at;
  }
  return 0;
}

/** null: no EDNS. undefined: malformed. */
function readAdditional(message: Buffer, start: number): Edns | null | undefined {
  const count = message.readUInt16BE(10);
  if (count > MOST_ADDITIONAL) return undefined;
  let edns: Edns | null = null;
  let at = start;
  for (let i = 0; i < count; i++) {
    const fixed = endOfOwner(message, at);
    if (fixed === 0 || fixed + 10 > message.length) return undefined;
    const data = fixed + 10;
    const end = data + message.readUInt16BE(fixed + 8);
    if (end > message.length) return undefined;
    if (message.readUInt16BE(fixed) === TYPE.OPT) {
      // Its owner is the root (RFC 6891, section 6.1.2).
      if (edns !== null || fixed !== at + 1 || !areOptions(message, data, end)) return undefined;
      edns = { version: message.readUInt8(fixed + 5), payload: message.readUInt16BE(fixed + 2) };
    }
    at = end;
  }
  return at === message.length ? edns : undefined;
}

/** Where an owner's name ends, which may do so in a pointer; 0: malformed. */
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
