import { align4 } from '../align.ts';
import { ATTR_HEADER, attributesIn } from '../codec.ts';
import { type Codec, HOST_IS_LE, raw } from '../scalars.ts';
import type { AddressFamily } from '../types.ts';
import { AF_INET, AF_INET6 } from '../uapi.ts';
import { type Field, type FieldSet, PAD } from './fields.ts';
import { formats } from './formats.ts';

/** An attribute as it is shown. */
export interface DecodedAttribute {
  /** Name in the kernel's specification; absent where the attribute is unknown. */
  readonly name?: string;
  /** Number of the attribute. */
  readonly type: number;
  readonly value?: string | number | readonly DecodedAttribute[];
  readonly unit?: string;
  /** The bytes, where the value is not understood. */
  readonly hex?: string;
  /** Why it is not understood. */
  readonly note?: string;
}

/** No attribute of IPVS has nearly as many bytes; the rest is left out. */
const MAX_HEX_BYTES = 256;

/** The field that a number stands for; undefined where none is known. */
export type Lookup = (type: number) => Field | undefined;

export function inSet(set: FieldSet): Lookup {
  return (type) => set.fields.get(type);
}

/** Decodes the attributes between two places; what is not understood is shown as bytes with a note. */
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
    // A destination is of its service's family unless it says otherwise.
    if (field?.nest) family = familyIn(inSet(field.nest), view, value, end) ?? family;
    next = value + align4(end - value);
  }
  if (next < to) found.push({ type: 0, hex: toHex(view, next, to), note: 'no attribute' });
  return found;
}

/** An attribute that does not fit in what is left: of a nest, what is there. */
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
  if (to - from < codec.least)
    return { name, type, ...hex(`${codec.name} needs ${codec.least} bytes, got ${to - from}`) };

  const value = codec.read(view, from, to - from);
  const shown = format ? format(value, family) : plain(value);
  if (shown === undefined) {
    return typeof value === 'number'
      ? { name, type, value, note: 'unknown value' }
      : { name, type, ...hex('unknown value') };
  }
  return unit === undefined ? { name, type, value: shown } : { name, type, value: shown, unit };
}

/** Entries of a list: each is a nest, and the numbers only count. */
function decodeList(entry: FieldSet, view: DataView, from: number, to: number): readonly DecodedAttribute[] {
  return decodeAttributes(() => ({ name: entry.name, codec: nestCodec, nest: entry }), view, from, to);
}

const nestCodec: Codec<unknown> = { ...raw, name: 'nest', write: () => undefined, size: () => 0 };

/** A counter past 2^53 is text, since JSON has no such number. */
function plain(value: unknown): string | number | undefined {
  if (typeof value === 'string' || typeof value === 'number') return value;
  if (typeof value === 'bigint') return value <= Number.MAX_SAFE_INTEGER ? Number(value) : String(value);
  return value instanceof Uint8Array
    ? Buffer.from(value.subarray(0, MAX_HEX_BYTES)).toString('hex')
    : undefined;
}

/** The address family that the set itself has, wherever in it: it need not come first. */
function familyIn(lookup: Lookup, view: DataView, from: number, to: number): AddressFamily | undefined {
  for (const { type, from: value, to: end } of attributesIn(view, from, to)) {
    if (lookup(type)?.format !== formats.family || end > to || end < value + 2) continue;
    const number = view.getUint16(value, HOST_IS_LE);
    if (number === AF_INET) return 'ipv4';
    if (number === AF_INET6) return 'ipv6';
  }
  return undefined;
}

/** Bytes as hex in groups of four, as netlink aligns them. */
export function toHex(view: DataView, from: number, to: number): string {
  const end = Math.min(to, from + MAX_HEX_BYTES);
  const hex = Buffer.from(view.buffer, view.byteOffset + from, end - from).toString('hex');
  const groups = (hex.match(/.{1,8}/g) ?? []).join(' ');
  return end < to ? `${groups} and ${to - end} bytes more` : groups;
}
