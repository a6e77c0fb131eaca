import { align4 } from '../align.ts';
import { ATTR_HEADER, attributesIn } from '../codec.ts';
import { type Codec, HOST_IS_LE, raw } from '../scalars.ts';
import type { AddressFamily } from '../types.ts';
import { AF_INET, AF_INET6 } from '../uapi.ts';
import { type Field, type FieldSet, PAD } from './fields.ts';
import { formats } from './formats.ts';

/** A decoded attribute. */
export interface DecodedAttribute {
  /** Name in the kernel's netlink specification; absent if the attribute is unknown. */
  readonly name?: string;
  /** Number of the attribute. */
  readonly type: number;
  readonly value?: string | number | readonly DecodedAttribute[];
  readonly unit?: string;
  /** The bytes as hex, if the value cannot be decoded. */
  readonly hex?: string;
  /** Why the value cannot be decoded. */
  readonly note?: string;
}

/** Longer values are cut off. No IPVS attribute is nearly as long. */
const MAX_HEX_BYTES = 256;

/** Returns the field for an attribute number; undefined if it is unknown. */
export type Lookup = (type: number) => Field | undefined;

/** The look-up in one set. */
export function inSet(set: FieldSet): Lookup {
  return (type) => set.fields.get(type);
}

/** Decodes the attributes in the bytes `from` to `to`. A value that cannot be decoded becomes hex with a note. */
export function decodeAttributes(
  lookup: Lookup,
  view: DataView,
  from: number,
  to: number,
  outer?: AddressFamily,
): readonly DecodedAttribute[] {
  const found: DecodedAttribute[] = [];
  let family = familyIn(lookup, view, from, to) ?? outer;
  let next = from;
  for (const { type, from: value, to: end } of attributesIn(view, from, to)) {
    const field = lookup(type);
    if (end < value || end > to) {
      const at = value - ATTR_HEADER;
      found.push(decodeBroken(field, type, end - at, view, at, to, family));
      return found;
    }
    if (field?.name !== PAD) found.push(decodeOne(field, type, view, value, end, family));
    // A destination has the address family of its service unless it has an attribute for its own.
    if (field?.nest) family = familyIn(inSet(field.nest), view, value, end) ?? family;
    next = value + align4(end - value);
  }
  if (next < to) found.push({ type: 0, hex: toHex(view, next, to), note: 'not an attribute' });
  return found;
}

/** Decodes an attribute that exceeds the remaining bytes: of a nest, the attributes that are there. */
function decodeBroken(
  field: Field | undefined,
  type: number,
  length: number,
  view: DataView,
  at: number,
  to: number,
  family: AddressFamily | undefined,
): DecodedAttribute {
  const note = `length ${length}, with ${to - at} bytes left`;
  const name = field && { name: field.name };
  if (!field?.nest || length < ATTR_HEADER) return { ...name, type, hex: toHex(view, at, to), note };
  return {
    ...name,
    type,
    value: decodeAttributes(inSet(field.nest), view, at + ATTR_HEADER, to, family),
    note,
  };
}

function decodeOne(
  field: Field | undefined,
  type: number,
  view: DataView,
  from: number,
  to: number,
  family: AddressFamily | undefined,
): DecodedAttribute {
  const hex = (note: string) => ({ hex: toHex(view, from, to), note });
  if (!field) return { type, ...hex('unknown attribute') };
  const { name, nest, list, codec, format, unit } = field;
  if (nest) return { name, type, value: decodeAttributes(inSet(nest), view, from, to, family) };
  if (list) return { name, type, value: decodeList(list, view, from, to) };
  if (to - from < codec.minBytes)
    return { name, type, ...hex(`${codec.name} needs ${codec.minBytes} bytes, got ${to - from}`) };

  const value = codec.read(view, from, to - from);
  const shown = format ? format(value, family) : plain(value);
  if (shown === undefined) {
    return typeof value === 'number'
      ? { name, type, value, note: 'unknown value' }
      : { name, type, ...hex('unknown value') };
  }
  return unit === undefined ? { name, type, value: shown } : { name, type, value: shown, unit };
}

/** Decodes a list: each entry is a nest, and its number is only a count. */
function decodeList(entry: FieldSet, view: DataView, from: number, to: number): readonly DecodedAttribute[] {
  return decodeAttributes(() => ({ name: entry.name, codec: nestCodec, nest: entry }), view, from, to);
}

const nestCodec: Codec<unknown> = { ...raw, name: 'nest', write: () => undefined, size: () => 0 };

/** The value as JSON can hold it: a counter above 2^53 becomes text. */
function plain(value: unknown): string | number | undefined {
  if (typeof value === 'string' || typeof value === 'number') return value;
  if (typeof value === 'bigint') return value <= Number.MAX_SAFE_INTEGER ? Number(value) : String(value);
  return value instanceof Uint8Array
    ? Buffer.from(value.subarray(0, MAX_HEX_BYTES)).toString('hex')
    : undefined;
}

/** The address family attribute of the set, which need not come first. */
function familyIn(lookup: Lookup, view: DataView, from: number, to: number): AddressFamily | undefined {
  for (const { type, from: value, to: end } of attributesIn(view, from, to)) {
    if (lookup(type)?.format !== formats.family || end > to || end < value + 2) continue;
    const number = view.getUint16(value, HOST_IS_LE);
    if (number === AF_INET) return 'ipv4';
    if (number === AF_INET6) return 'ipv6';
  }
  return undefined;
}

/** Bytes as hex, in groups of four, netlink's alignment. */
export function toHex(view: DataView, from: number, to: number): string {
  const end = Math.min(to, from + MAX_HEX_BYTES);
  const hex = Buffer.from(view.buffer, view.byteOffset + from, end - from).toString('hex');
  const groups = (hex.match(/.{1,8}/g) ?? []).join(' ');
  return end < to ? `${groups} and ${to - end} bytes more` : groups;
}
