/**
 * Decodes netlink messages of other programs into readable form, as `ipvs-netlink-ts decode` does.
 *
 * @packageDocumentation
 */

import { ATTR_HEADER, viewOf } from '../codec.ts';
import { errnoName } from '../errors.ts';
import { GENL_HEADER } from '../genl.ts';
import { MESSAGE_HEADER } from '../message.ts';
import { HOST_IS_LE } from '../scalars.ts';
import { familyAttrs } from '../tables.ts';
import { GENL, IPVS_CMD, NETLINK, NLM_F, NLMSG } from '../uapi.ts';
import { type DecodedAttribute, decodeAttributes, inSet, type Lookup, toHex } from './attributes.ts';
import type { Decoded, DecodedMessage } from './decoded.ts';
import { controllerSet, extendedAckSet, ipvsSets } from './fields.ts';
import { flagNames, inSpec } from './formats.ts';
import type { Direction, Found } from './found.ts';
import { findMessages } from './input.ts';

export { formatDecoded, jsonOf } from './print.ts';
export type { Decoded, DecodedAttribute, DecodedMessage, Direction };

/** Options of {@link decode}. All are optional. */
export interface DecodeOptions {
  /**
   * Number of the IPVS family in the kernel that the input is from.
   * @defaultValue taken from the input (the reply to CTRL_CMD_GETFAMILY, or strace), else guessed from the attributes
   */
  readonly family?: number | undefined;
}

/**
 * Decodes the netlink messages in the output of strace, a hex dump or a packet capture of an nlmon device.
 *
 * Never throws because of the input: bytes that cannot be decoded are returned as hex with a note. Reads at most 64 MiB of
 * input and decodes at most 8 MiB of messages.
 */
export function decode(input: Uint8Array, options: DecodeOptions = {}): Decoded {
  const { messages, notes } = findMessages(input);
  const families = familiesIn(messages);
  if (options.family !== undefined) families.set(options.family, IPVS);
  return { messages: messages.map((message) => decodeMessage(message, families)), notes };
}

const IPVS = 'IPVS';
const CONTROLLER = 'nlctrl';

/** Family names by number, from the replies of the generic netlink controller. */
function familiesIn(messages: readonly Found[]): Map<number, string> {
  const families = new Map<number, string>([[GENL.ID_CTRL, CONTROLLER]]);
  for (const { bytes, protocol = NETLINK.GENERIC } of messages) {
    const view = viewOf(bytes);
    const from = MESSAGE_HEADER + GENL_HEADER;
    if (protocol !== NETLINK.GENERIC || bytes.length < from) continue;
    if (view.getUint16(4, HOST_IS_LE) !== GENL.ID_CTRL || bytes[MESSAGE_HEADER] !== CTRL_CMD.NEWFAMILY)
      continue;
    const attributes = decodeAttributes(inSet(controllerSet), view, from, bytes.length);
    const valueAt = (type: number) => attributes.find((attribute) => attribute.type === type)?.value;
    const id = valueAt(familyAttrs.types.id);
    const name = valueAt(familyAttrs.types.name);
    if (typeof id === 'number' && typeof name === 'string') families.set(id, name);
  }
  return families;
}

/** CTRL_CMD_*. <linux/genetlink.h> */
const CTRL_CMD = {
  NEWFAMILY: 1,
  DELFAMILY: 2,
  GETFAMILY: 3,
  NEWOPS: 4,
  DELOPS: 5,
  GETOPS: 6,
  NEWMCAST_GRP: 7,
  DELMCAST_GRP: 8,
  GETMCAST_GRP: 9,
  GETPOLICY: 10,
} as const;

function decodeMessage(found: Found, families: ReadonlyMap<number, string>): DecodedMessage {
  const { bytes, length, line, call } = found;
  const view = viewOf(bytes);
  // strace prints the name of a family in place of its number.
  const named = [...families].find(([, name]) => name === found.family)?.[0];
  const type = named ?? view.getUint16(4, HOST_IS_LE);
  const bits = view.getUint16(6, HOST_IS_LE);
  const direction = found.direction ?? ((bits & NLM_F.REQUEST) !== 0 ? 'to-kernel' : undefined);
  const family = found.family ?? families.get(type);
  const isOwn = type < NLMSG.MIN_TYPE && found.family === undefined;
  return {
    line,
    ...(call !== undefined && { call }),
    ...(direction && { direction }),
    length,
    type,
    flags: flagNames(isOwn ? RESULT_FLAGS : REQUEST_FLAGS, bits),
    sequence: view.getUint32(8, HOST_IS_LE),
    port: view.getUint32(12, HOST_IS_LE),
    ...(isOwn ? decodeOwn(type, found, view, families) : decodeGeneric(family, found, view)),
  };
}

const COMMON_FLAGS = {
  REQUEST: NLM_F.REQUEST,
  MULTI: NLM_F.MULTI,
  ACK: NLM_F.ACK,
  ECHO: 0x8,
  DUMP_INTR: NLM_F.DUMP_INTR,
  DUMP_FILTERED: 0x20,
};
/** In generic netlink the flags from 0x100 on always mean a dump. */
const REQUEST_FLAGS = { ...COMMON_FLAGS, DUMP: NLM_F.DUMP };
const RESULT_FLAGS = { ...COMMON_FLAGS, CAPPED: NLM_F.CAPPED, ACK_TLVS: NLM_F.ACK_TLVS };

type Content = Pick<
  DecodedMessage,
  'family' | 'command' | 'errno' | 'error' | 'request' | 'attributes' | 'hex' | 'notes'
>;

const ownNames: Readonly<Record<number, string>> = {
  [NLMSG.NOOP]: 'noop',
  [NLMSG.ERROR]: 'error',
  [NLMSG.DONE]: 'done',
  [NLMSG.OVERRUN]: 'overrun',
};

/** Decodes a message type that every netlink protocol has. */
function decodeOwn(
  type: number,
  found: Found,
  view: DataView,
  families: ReadonlyMap<number, string>,
): Content {
  const { notes } = found;
  const command = ownNames[type];
  const size = view.byteLength;
  if (command === undefined)
    return { hex: toHex(view, MESSAGE_HEADER, size), notes: [...notes, 'unknown type'] };
  if ((type !== NLMSG.ERROR && type !== NLMSG.DONE) || size < MESSAGE_HEADER + ERRNO_SIZE)
    return { command, notes };

  const errno = Math.abs(view.getInt32(MESSAGE_HEADER, HOST_IS_LE));
  const error = errno === 0 ? {} : { error: errnoName(errno) };
  const flags = view.getUint16(6, HOST_IS_LE);
  const at = MESSAGE_HEADER + ERRNO_SIZE;
  const content = { command, errno, ...error };
  if (type === NLMSG.DONE) return { ...content, ...extendedAck(view, flags, at), notes };
  if (size < at + MESSAGE_HEADER) return { ...content, notes };

  const claimed = view.getUint32(at, HOST_IS_LE);
  // An acknowledgement, and an error on a socket with NETLINK_CAP_ACK, repeats only the header.
  const capped = errno === 0 || (flags & NLM_F.CAPPED) !== 0 || claimed < MESSAGE_HEADER;
  const end = capped ? at + MESSAGE_HEADER : Math.min(at + claimed, size);
  const request = decodeRequest(found, at, end, claimed, families);
  return { ...content, request, ...extendedAck(view, flags, (end + 3) & ~3), notes };
}

const ERRNO_SIZE = 4;

function decodeRequest(
  { line, protocol, bytes, requestFamily }: Found,
  from: number,
  to: number,
  length: number,
  families: ReadonlyMap<number, string>,
): DecodedMessage {
  const part = bytes.subarray(from, to);
  const family = requestFamily === undefined ? {} : { family: requestFamily };
  const repeated = {
    line,
    bytes: part,
    length,
    ...family,
    ...(protocol !== undefined && { protocol }),
    notes: [],
  };
  // An error is never the request of another error: decode only its header, or crafted bytes could nest without end.
  const isOwn = viewOf(part).getUint16(4, HOST_IS_LE) < NLMSG.MIN_TYPE && requestFamily === undefined;
  return decodeMessage(isOwn ? { ...repeated, bytes: part.subarray(0, MESSAGE_HEADER) } : repeated, families);
}

function extendedAck(view: DataView, flags: number, at: number): Pick<Content, 'attributes'> {
  if ((flags & NLM_F.ACK_TLVS) === 0 || at >= view.byteLength) return {};
  return { attributes: decodeAttributes(inSet(extendedAckSet), view, at, view.byteLength) };
}

/** Decodes a generic netlink message: a command and its attributes. */
function decodeGeneric(family: string | undefined, found: Found, view: DataView): Content {
  const { protocol = NETLINK.GENERIC, notes } = found;
  const size = view.byteLength;
  const bytesAndNote = (note: string): Content => ({
    ...(family !== undefined && protocol === NETLINK.GENERIC && { family }),
    ...(size > MESSAGE_HEADER && { hex: toHex(view, MESSAGE_HEADER, size) }),
    notes: [...notes, note],
  });
  if (protocol !== NETLINK.GENERIC) return bytesAndNote(`netlink protocol ${protocol}, not generic netlink`);
  if (size < MESSAGE_HEADER + GENL_HEADER) {
    // An acknowledgement repeats only the header of the request.
    return size === MESSAGE_HEADER
      ? { ...(family !== undefined && { family }), notes }
      : bytesAndNote('no command');
  }
  const number = view.getUint8(MESSAGE_HEADER);
  const from = MESSAGE_HEADER + GENL_HEADER;
  if (family === CONTROLLER)
    return decodeCommand(CONTROLLER, CTRL_CMD, number, inSet(controllerSet), view, from, notes);
  const lookup = ipvsLookup(number);
  if (family === IPVS) return decodeCommand(IPVS, IPVS_CMD, number, lookup, view, from, notes);
  if (family !== undefined) return bytesAndNote(`family ${family} is not decoded`);
  const isCut = found.length > found.bytes.length;
  if (!looksLikeIpvs(number, lookup, view, from, isCut))
    return bytesAndNote('unknown family: give the number of the IPVS family with --family');
  const guess = `type ${view.getUint16(4, HOST_IS_LE)} is probably IPVS: the input does not show the names of families`;
  return decodeCommand(IPVS, IPVS_CMD, number, lookup, view, from, [...notes, guess]);
}

function ipvsLookup(command: number): Lookup {
  const isInfo = command === IPVS_CMD.SET_INFO || command === IPVS_CMD.GET_INFO;
  return inSet((isInfo ? ipvsSets['info'] : ipvsSets['cmd']) as NonNullable<(typeof ipvsSets)[string]>);
}

function decodeCommand(
  family: string,
  commands: Readonly<Record<string, number>>,
  number: number,
  lookup: Lookup,
  view: DataView,
  from: number,
  notes: readonly string[],
): Content {
  const name = Object.keys(commands).find((each) => commands[each] === number);
  const attributes = decodeAttributes(lookup, view, from, view.byteLength);
  return {
    family,
    ...(name !== undefined && { command: inSpec(name) }),
    ...(attributes.length > 0 && { attributes }),
    notes: name === undefined ? [...notes, `unknown command ${number}`] : notes,
  };
}

/** Whether IPVS has this command and all of these attributes. The last attribute may be cut off. */
function looksLikeIpvs(
  number: number,
  lookup: Lookup,
  view: DataView,
  from: number,
  isCut: boolean,
): boolean {
  const version = view.getUint8(MESSAGE_HEADER + 1);
  if (version !== GENL.IPVS_VERSION || !Object.values<number>(IPVS_CMD).includes(number)) return false;
  if (view.byteLength - from < ATTR_HEADER) return view.byteLength === from;
  const attributes = decodeAttributes(lookup, view, from, view.byteLength);
  return attributes.every(
    (attribute, index) => (isCut && index === attributes.length - 1) || isUnderstood(attribute),
  );
}

function isUnderstood({ name, hex, value }: DecodedAttribute): boolean {
  if (name === undefined || hex !== undefined) return false;
  return typeof value !== 'object' || value.every(isUnderstood);
}
