import { align4 } from './align.ts';
import { IpvsError } from './errors.ts';
import { type Codec, HOST_IS_LE, type IntegerCodec, type Layout, raw, readInteger } from './scalars.ts';

/** One row of an attribute table: the attribute's number in the kernel's header, and the codec of its value. */
export interface Row {
  readonly type: number;
  // `Codec` is contravariant in `write`, so no single type fits all rows.
  // biome-ignore lint/suspicious/noExplicitAny: the one place where rows of all types meet
  readonly codec: Codec<any>;
}

/** Rows by attribute name. Attributes are written in this order. */
export type Rows = Readonly<Record<string, Row>>;

type ValueOf<C> = C extends Codec<infer T> ? T : never;

/** The attributes that a table reads and writes. All are optional. */
export type Attrs<R extends Rows> = { readonly [K in keyof R]?: ValueOf<R[K]['codec']> | undefined };

/** Attributes by number: an integer as its value, any other attribute as the offset of its value. */
export type Values<R extends Rows> = {
  readonly [K in keyof R as R[K]['type']]: number | undefined;
};

/** A set of netlink attributes. The same table encodes and decodes. */
export interface AttrTable<R extends Rows> {
  readonly name: string;
  readonly rows: R;
  /** Attribute numbers by name. */
  readonly types: { readonly [K in keyof R]: R[K]['type'] };
  /** Encodes the attributes present in `attrs`, in the order of the rows. Throws `invalid` with the attribute's name. */
  write(attrs: Attrs<R>): Uint8Array;
  /** Decodes attributes. Skips unknown ones; of duplicates the last counts. Throws only `malformed-reply`. */
  read(bytes: Uint8Array): Attrs<R>;
  /** Like {@link read}, for the bytes `from` to `to` of `view`. */
  readView(view: DataView, from: number, to: number): Attrs<R>;
  /**
   * Decodes attributes without allocating objects, for frequent replies. The result is reused by the next call. Use
   * {@link readValue} for attributes that it returns as offsets. Throws `malformed-reply`.
   */
  values(view: DataView, from: number, to: number): Values<R>;
}

/** Size of `struct nlattr`: length and type, two bytes each. <linux/netlink.h> */
export const ATTR_HEADER = 4;

/** The two high bits of an attribute's type are flags: NLA_F_NESTED and NLA_F_NET_BYTEORDER. */
const TYPE_MASK = 0x3fff;
const NLA_F_NESTED = 0x8000;

/** Makes an attribute table. `name` appears in messages about malformed replies. */
export function attrTable<const R extends Rows>(name: string, rows: R): AttrTable<R> {
  const named = Object.entries(rows);
  const size = 1 + Math.max(...named.map(([, { type }]) => type));
  // Indexed by attribute number; a number without a layout is treated as unknown.
  const layouts = new Array<Layout | undefined>(size).fill(undefined);
  const minLengths = new Array<number>(size).fill(ATTR_HEADER);
  for (const [, { type, codec }] of named) {
    layouts[type] = (codec as Partial<IntegerCodec>).layout;
    minLengths[type] = ATTR_HEADER + codec.minBytes;
  }
  const values = new Array<number | undefined>(size).fill(undefined);

  function scan(view: DataView, from: number, to: number): readonly (number | undefined)[] {
    for (let type = 0; type < size; type++) values[type] = undefined;
    for (let at = from; at + ATTR_HEADER <= to; ) {
      const length = view.getUint16(at, HOST_IS_LE);
      const type = view.getUint16(at + 2, HOST_IS_LE) & TYPE_MASK;
      const isKnown = type < size;
      if (length < (isKnown ? (minLengths[type] as number) : ATTR_HEADER) || length > to - at)
        throw malformed(name, named, type, length, to - at, at - from);
      if (isKnown) values[type] = valueAt(view, at + ATTR_HEADER, layouts[type]);
      at += (length + 3) & ~3;
    }
    return values;
  }

  function readView(view: DataView, from: number, to: number): Attrs<R> {
    // A copy, since a nested attribute may be read by this same table.
    const found = scan(view, from, to).slice();
    const attrs: Record<string, unknown> = {};
    for (const [key, row] of named) {
      const value = readValue(row, view, found);
      if (value !== undefined) attrs[key] = value;
    }
    return attrs as Attrs<R>;
  }

  return {
    name,
    rows,
    types: Object.fromEntries(named.map(([key, { type }]) => [key, type])) as AttrTable<R>['types'],
    values: (view, from, to) => scan(view, from, to) as unknown as Values<R>,
    readView,
    read: (bytes) => readView(viewOf(bytes), 0, bytes.length),
    write: (attrs) => writeRows(name, rows, attrs as Record<string, unknown>),
  };
}

function valueAt(view: DataView, at: number, layout: Layout | undefined): number {
  return layout === undefined ? at : readInteger(view, at, layout);
}

/** Reads one attribute from the `values` of a table; undefined if it is absent. */
export function readValue<T>(
  { type, codec }: { readonly type: number; readonly codec: Codec<T> },
  view: DataView,
  values: Readonly<Record<number, number | undefined>>,
): T | undefined {
  const value = values[type];
  if (value === undefined || isInteger(codec)) return value as T | undefined;
  return codec.read(view, value, attributeEnd(view, value) - value);
}

function isInteger(codec: Codec<unknown>): boolean {
  return (codec as Partial<IntegerCodec>).layout !== undefined;
}

/** An attribute of a message: its number and the extent of its value. */
export interface Attribute {
  readonly type: number;
  readonly from: number;
  readonly to: number;
}

/**
 * Iterates over the attributes in the bytes `from` to `to`. Stops at the first attribute whose length is impossible; the
 * `to` of that one is outside these bytes. Tables use a faster loop of their own.
 */
export function* attributesIn(view: DataView, from: number, to: number): Generator<Attribute> {
  for (let at = from; at + ATTR_HEADER <= to; ) {
    const length = view.getUint16(at, HOST_IS_LE);
    yield { type: view.getUint16(at + 2, HOST_IS_LE) & TYPE_MASK, from: at + ATTR_HEADER, to: at + length };
    if (length < ATTR_HEADER || at + length > to) return;
    at += align4(length);
  }
}

/** The end of the attribute whose value starts at `at`, an offset from `values`. */
export function attributeEnd(view: DataView, at: number): number {
  return at - ATTR_HEADER + view.getUint16(at - ATTR_HEADER, HOST_IS_LE);
}

function malformed(
  table: string,
  rows: readonly (readonly [string, Row])[],
  type: number,
  length: number,
  room: number,
  at: number,
): IpvsError {
  const [key, row] = rows.find(([, row]) => row.type === type) ?? [];
  if (length < ATTR_HEADER || length > room || !row)
    return new IpvsError('malformed-reply', `${table}: attribute at byte ${at} has length ${length}`);
  const { name, minBytes } = row.codec;
  const got = `${name} needs ${minBytes} bytes, got ${length - ATTR_HEADER}`;
  return new IpvsError('malformed-reply', `${table}.${key}: ${got}`);
}

function writeRows(name: string, rows: Rows, attrs: Record<string, unknown>): Uint8Array {
  const present = Object.entries(rows).filter(([key]) => attrs[key] !== undefined);
  const sizes = present.map(([key, row]) => row.codec.size(attrs[key]));
  const bytes = new Uint8Array(sizes.reduce((sum, size) => sum + ATTR_HEADER + align4(size), 0));
  const view = viewOf(bytes);

  let at = 0;
  present.forEach(([key, row], index) => {
    const size = sizes[index] ?? 0;
    view.setUint16(at, ATTR_HEADER + size, HOST_IS_LE);
    view.setUint16(at + 2, isNested(row.codec) ? row.type | NLA_F_NESTED : row.type, HOST_IS_LE);
    try {
      row.codec.write(view, at + ATTR_HEADER, attrs[key]);
    } catch (cause) {
      if (!(cause instanceof IpvsError)) throw cause;
      throw new IpvsError(cause.code, `${name}.${key}: ${cause.message}`, { cause });
    }
    at += ATTR_HEADER + align4(size);
  });
  return bytes;
}

/** A view of the same memory. Keeps the offset, since a Buffer is usually a slice of a larger one. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

const nestedCodecs = new WeakSet<object>();

function isNested(codec: object): boolean {
  return nestedCodecs.has(codec);
}

/** A codec for nested attributes. Written with NLA_F_NESTED, read with or without it. */
export function nested<R extends Rows>(
  table: AttrTable<R>,
): Codec<Attrs<R>> & { readonly table: AttrTable<R> } {
  const codec = {
    name: table.name,
    table,
    minBytes: 0,
    size: (value: Attrs<R>) => table.write(value).length,
    write(view: DataView, at: number, value: Attrs<R>) {
      const bytes = table.write(value);
      new Uint8Array(view.buffer, view.byteOffset + at, bytes.length).set(bytes);
    },
    read: (view: DataView, at: number, length: number) => table.readView(view, at, at + length),
  };
  nestedCodecs.add(codec);
  return codec;
}

/** Nested attributes that are already encoded, for a table that depends on another attribute. Written with NLA_F_NESTED. */
export const encoded: Codec<Uint8Array> = { ...raw, name: 'attributes' };
nestedCodecs.add(encoded);

/**
 * A codec for a list: one nested attribute for each entry. Reading ignores the numbers of the entries.
 *
 * Entries are written with the number `type`, or with `'counted'` numbered from 1, as the elements of an nf_tables set are.
 */
export function list<R extends Rows>(
  table: AttrTable<R>,
  type: number | 'counted',
): Codec<readonly Attrs<R>[]> & { readonly entries: AttrTable<R> } {
  const codec: ReturnType<typeof list<R>> = {
    name: `list of ${table.name}`,
    entries: table,
    minBytes: 0,
    size: (entries) =>
      entries.reduce((sum, entry) => sum + ATTR_HEADER + align4(table.write(entry).length), 0),
    write(view, from, entries) {
      let at = from;
      entries.forEach((entry, index) => {
        const bytes = table.write(entry);
        view.setUint16(at, ATTR_HEADER + bytes.length, HOST_IS_LE);
        view.setUint16(at + 2, (type === 'counted' ? index + 1 : type) | NLA_F_NESTED, HOST_IS_LE);
        new Uint8Array(view.buffer, view.byteOffset + at + ATTR_HEADER, bytes.length).set(bytes);
        at += ATTR_HEADER + align4(bytes.length);
      });
    },
    read(view, from, length) {
      const end = from + length;
      return [...attributesIn(view, from, end)].map((entry) => {
        if (entry.to >= entry.from && entry.to <= end) return table.readView(view, entry.from, entry.to);
        const at = entry.from - ATTR_HEADER;
        const what = `entry at byte ${at - from} has length ${entry.to - at}`;
        throw new IpvsError('malformed-reply', `${codec.name}: ${what}`);
      });
    },
  };
  nestedCodecs.add(codec);
  return codec;
}
