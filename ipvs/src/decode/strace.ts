import { constants } from 'node:os';
import { getSystemErrorMap } from 'node:util';
import { viewOf } from '../codec.ts';
import { MESSAGE_HEADER, writeHeader } from '../message.ts';
import { HOST_IS_LE } from '../scalars.ts';
import { GENL, NLM_F, NLMSG } from '../uapi.ts';
import { type Finds, missing, type Origin } from './found.ts';

/** A message header that strace decodes. Before version 5.15 its fields lack the prefix `nlmsg_`. */
const HEADER =
  /\{(?:nlmsg_)?len=(\d+), (?:nlmsg_)?type=([^,{}]+), (?:nlmsg_)?flags=([^,{}]+), (?:nlmsg_)?seq=(\d+), (?:nlmsg_)?pid=(-?\d+)\}/y;
const HEADER_START = /\{(?:nlmsg_)?len=/g;

/** A buffer of a call that strace does not decode. */
const BUFFER = /(?:\(\d+(?:<[^>]{0,256}>)?, |iov_base=)(?=")/g;

const types: ReadonlyMap<string, number> = new Map([
  ['NLMSG_NOOP', NLMSG.NOOP],
  ['NLMSG_ERROR', NLMSG.ERROR],
  ['NLMSG_DONE', NLMSG.DONE],
  ['NLMSG_OVERRUN', NLMSG.OVERRUN],
  ['nlctrl', GENL.ID_CTRL],
]);

const flagBits: ReadonlyMap<string, number> = new Map([
  ['NLM_F_REQUEST', NLM_F.REQUEST],
  ['NLM_F_MULTI', NLM_F.MULTI],
  ['NLM_F_ACK', NLM_F.ACK],
  ['NLM_F_ECHO', 0x8],
  ['NLM_F_DUMP_INTR', NLM_F.DUMP_INTR],
  ['NLM_F_DUMP_FILTERED', 0x20],
  ['NLM_F_ROOT', 0x100],
  ['NLM_F_MATCH', 0x200],
  ['NLM_F_ATOMIC', 0x400],
  ['NLM_F_DUMP', NLM_F.DUMP],
  ['NLM_F_REPLACE', NLM_F.REPLACE],
  ['NLM_F_EXCL', NLM_F.EXCL],
  ['NLM_F_CREATE', NLM_F.CREATE],
  ['NLM_F_APPEND', NLM_F.APPEND],
  ['NLM_F_NONREC', 0x100],
  ['NLM_F_BULK', 0x200],
  ['NLM_F_CAPPED', NLM_F.CAPPED],
  ['NLM_F_ACK_TLVS', NLM_F.ACK_TLVS],
]);

/** Adds the messages of a line of strace output with a system call. */
export function addCall(text: string, origin: Origin, finds: Finds): void {
  let at = 0;
  let found = false;
  for (;;) {
    HEADER_START.lastIndex = at;
    const start = HEADER_START.exec(text)?.index;
    const header = start === undefined ? undefined : readHeader(text, start);
    if (start === undefined) break;
    at = header === undefined ? start + 1 : addDissected(text, header, origin, finds);
    found ||= header !== undefined;
  }
  if (!found) addBuffers(text, origin, finds);
}

/** Adds the data of a call that strace prints as strings. Several strings are parts of one datagram. */
function addBuffers(text: string, origin: Origin, finds: Finds): void {
  const parts: Uint8Array[] = [];
  let cut = false;
  for (const { index, 0: before } of text.matchAll(BUFFER)) {
    const part = readString(text, index + before.length);
    parts.push(part.bytes);
    cut ||= part.cut;
  }
  if (parts.length > 0) finds.addDatagram(Buffer.concat(parts), origin, cut);
}

interface Header {
  readonly length: number;
  readonly type: number;
  readonly family?: string;
  readonly bytes: Uint8Array;
  /** Offset in the text after it. */
  readonly end: number;
}

function readHeader(text: string, at: number): Header | undefined {
  HEADER.lastIndex = at;
  const match = HEADER.exec(text);
  if (!match) return undefined;
  const [all, length, type = '', flags = '', seq, pid] = match;
  const name = type.trim();
  const number = types.get(name) ?? integer(name);
  const bytes = new Uint8Array(MESSAGE_HEADER);
  const view = viewOf(bytes);
  writeHeader(view, 0, Number(length), number || 0, flagsOf(flags), Number(seq));
  view.setUint32(12, Number(pid), HOST_IS_LE);
  const end = at + all.length;
  const header = { length: Number(length), type: number || 0, bytes, end };
  return Number.isNaN(number) ? { ...header, family: name } : header;
}

function flagsOf(text: string): number {
  return text.split('|').reduce((all, flag) => all | (flagBits.get(flag) ?? (integer(flag) || 0)), 0);
}

/** Adds a message whose header strace decoded, with the data after it. Returns the offset in the text after it. */
function addDissected(text: string, header: Header, origin: Origin, finds: Finds): number {
  const result = readResult(text, header.end);
  const parts = [header.bytes, ...result.parts];
  const notes = [...result.notes];
  let { end } = result;
  if (text.startsWith(', "', end)) {
    const payload = readString(text, end + 2);
    parts.push(payload.bytes);
    end = payload.end;
  } else if (text.startsWith(', {', end) || text.startsWith(', [{nla', end)) {
    notes.push('strace decoded the rest itself instead of showing its bytes');
  }
  const bytes = Buffer.concat(parts).subarray(0, Math.max(header.length, MESSAGE_HEADER));
  if (bytes.length < header.length) notes.push(missing(header.length - bytes.length, header.length, origin));
  finds.add({
    ...origin,
    bytes: new Uint8Array(bytes),
    length: header.length,
    ...(header.family !== undefined && { family: header.family }),
    ...(result.family !== undefined && { requestFamily: result.family }),
    notes,
  });
  return end;
}

/** What follows the header of an error or of the end of a dump: a number, and of an error the header of its request. */
interface Result {
  readonly parts: readonly Uint8Array[];
  readonly notes: readonly string[];
  /** Family of the request. */
  readonly family?: string | undefined;
  /** Offset in the text after it. */
  readonly end: number;
}

/** Reads the result at `at`; without parts where there is none. */
function readResult(text: string, at: number): Result {
  const number = NUMBER_AFTER.exec(text.slice(at, at + 64));
  if (!number) return { parts: [], notes: [], end: at };
  const [all, word = ''] = number;
  const value = numberOf(word);
  const end = at + all.length;
  const request = REQUEST_AFTER.exec(text.slice(end, end + 64));
  const echoed = request ? readHeader(text, end + request[0].length - 1) : undefined;
  const after = { family: echoed?.family, end: echoed?.end ?? end };
  // Without the number, the header of the request would be at the wrong offset.
  if (value === undefined) return { parts: [], notes: [`unknown error name ${word}`], ...after };
  return { parts: echoed ? [int32(value), echoed.bytes] : [int32(value)], notes: [], ...after };
}

const NUMBER_AFTER = /^, (?:\{error=)?(-?\w+)(?=[\]},])/;
const REQUEST_AFTER = /^, msg=\[?\{/;

/** Parses `-17` or `-EEXIST`; undefined for a name that Node does not know. */
function numberOf(text: string): number | undefined {
  const number = errors.get(text.slice(1)) ?? integer(text);
  return Number.isNaN(number) ? undefined : number;
}

/** Error numbers by name. Each of Node's two lists has some that the other lacks. */
const errors: ReadonlyMap<string, number> = new Map([
  ...[...getSystemErrorMap()].map(([number, [name]]) => [name, number] as const),
  ...Object.entries(constants.errno).map(([name, number]) => [name, -number] as const),
]);

function int32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  viewOf(bytes).setInt32(0, value, HOST_IS_LE);
  return bytes;
}

const escapes: Readonly<Record<string, number>> = { n: 10, t: 9, v: 11, f: 12, r: 13 };

interface Literal {
  readonly bytes: Uint8Array;
  readonly end: number;
  /** Whether strace omitted the rest of it. */
  readonly cut: boolean;
}

/** Reads the C string whose opening quote is at `at`. Without a closing quote it ends with the text. */
function readString(text: string, at: number): Literal {
  let end = at + 1;
  while (end < text.length && text[end] !== '"') end += text[end] === '\\' ? 2 : 1;
  const bytes = new Uint8Array(end - at);
  let size = 0;
  for (let index = at + 1; index < end; ) {
    const escaped = text[index] === '\\' ? readEscape(text, index + 1) : undefined;
    bytes[size++] = escaped?.byte ?? text.charCodeAt(index);
    index = escaped?.end ?? index + 1;
  }
  const cut = end >= text.length || text.startsWith('...', end + 1);
  return { bytes: bytes.subarray(0, size), end: end + (cut ? 4 : 1), cut };
}

const DIGITS = /x([0-9a-f]{2})|([0-7]{1,3})/iy;

/** Reads the escape sequence after a backslash; `at`: the offset after the backslash. */
function readEscape(text: string, at: number): { readonly byte: number; readonly end: number } {
  DIGITS.lastIndex = at;
  const [all, hex, octal] = DIGITS.exec(text) ?? [];
  if (all !== undefined)
    return {
      byte: hex === undefined ? Number.parseInt(octal ?? '', 8) : Number.parseInt(hex, 16),
      end: at + all.length,
    };
  const letter = text[at] ?? '';
  return { byte: escapes[letter] ?? letter.charCodeAt(0), end: at + 1 };
}

/** The number at the start of a text; NaN if there is none. */
function integer(text: string): number {
  return Number(/^(?:0x[\da-f]+|-?\d+)/i.exec(text)?.[0] ?? Number.NaN);
}
