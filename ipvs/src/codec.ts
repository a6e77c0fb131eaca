import { align4 } from './align.ts';
import { IpvsError } from './errors.ts';
import { type Codec, HOST_IS_LE, type IntegerCodec, type Layout, raw, readInteger } from './scalars.ts';

/** One row of an attribute table: the number in the kernel's header, and how its value is laid out. */
export interface Row {
  readonly type: number;
  // The value type is contravariant in `write`; only the row's own codec ever sees a value of it.
  // biome-ignore lint/suspicious/noExplicitAny: the one place where rows of all types meet
  readonly codec: Codec<any>;
}

/** Rows by the name that the attribute has in this program. Written in the order of the rows. */
export type Rows = Readonly<Record<string, Row>>;

type ValueOf<C> = C extends Codec<infer T> ? T : never;

/** The values that a table reads and writes; each may be absent. */
export type Attrs<R extends Rows> = { readonly [K in keyof R]?: ValueOf<R[K]['codec']> | undefined };

/** The same by the number of the attribute: integers, and the place of all that makes an object when it is read. */
export type Values<R extends Rows> = {
  readonly [K in keyof R as R[K]['type']]: number | undefined;
};

/** A set of netlink attributes: one table, used both ways. */
export interface AttrTable<R extends Rows> {
  readonly name: string;
  readonly rows: R;
  /** The number of each attribute. */
  readonly types: { readonly [K in keyof R]: R[K]['type'] };
  /** The attributes present in `attrs`, in the order of the rows. Throws `invalid` naming the attribute. */
  write(attrs: Attrs<R>): Uint8Array;
  /** Reads attributes; unknown ones are skipped, of two the last counts. Throws `malformed-reply`, nothing else. */
  read(bytes: Uint8Array): Attrs<R>;
  /** The same, from a part of a larger message. */
  readView(view: DataView, from: number, to: number): Attrs<R>;
  /**
   * Reads attributes without making objects, for replies that come by the thousand. What it returns is only good until
   * its next call; {@link readValue} reads what it gives the place of. Throws `malformed-reply`.
   */
  values(view: DataView, from: number, to: number): Values<R>;
}

/** `struct nlattr`: length and type, two bytes each. */
export const ATTR_HEADER = 4;

/** The two high bits of an attribute's type say "nested" and "network byte order". */
const TYPE_MASK = 0x3fff;
const NLA_F_NESTED = 0x8000;

/** Makes an attribute table. `name` appears in messages about malformed replies. */
export function attrTable<const R extends Rows>(name: string, rows: R): AttrTable<R> {
  const named = Object.entries(rows);
  const size = 1 + Math.max(...named.map(([, { type }]) => type));
  // By number; what has none is as an attribute of which nothing is known.
  const layouts = new Array<Layout | undefined>(size).fill(undefined);
  const least = new Array<number>(size).fill(ATTR_HEADER);
  for (const [, { type, codec }] of named) {
    layouts[type] = (codec as Partial<IntegerCodec>).layout;
    least[type] = ATTR_HEADER + codec.least;
  }
  const values = new Array<number | undefined>(size).fill(undefined);

  function scan(view: DataView, from: number, to: number): readonly (number | undefined)[] {
    for (let type = 0; type < size; type++) values[type] = undefined;
    for (let at = from; at + ATTR_HEADER <= to; ) {
      const length = view.getUint16(at, HOST_IS_LE);
      const type = view.getUint16(at + 2, HOST_IS_LE) & TYPE_MASK;
      const isKnown = type < size;
      if (length < (isKnown ? (least[type] as number) : ATTR_HEADER) || length > to - at)
        throw malformed(name, named, type, length, to - at, at - from);
      if (isKnown) values[type] = valueAt(view, at + ATTR_HEADER, layouts[type]);
      at += (length + 3) & ~3;
    }
    return values;
  }

  function readView(view: DataView, from: number, to: number): Attrs<R> {
    // A copy: a nest may be read by this very table.
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

/** One of the attributes of which a table found the `values`; undefined where it is absent. */
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

/** An attribute of a message: its number, and where its value is. */
export interface Attribute {
  readonly type: number;
  readonly from: number;
  readonly to: number;
}

/**
 * The attributes between two places, one after the other, up to the first whose length cannot be: that one has no `to`
 * within them. Where replies come by the thousand a table reads them in a loop of its own.
 */
export function* attributesIn(view: DataView, from: number, to: number): Generator<Attribute> {
  for (let at = from; at + ATTR_HEADER <= to; ) {
    const length = view.getUint16(at, HOST_IS_LE);
    yield { type: view.getUint16(at + 2, HOST_IS_LE) & TYPE_MASK, from: at + ATTR_HEADER, to: at + length };
    if (length < ATTR_HEADER || at + length > to) return;
    at += align4(length);
  }
}

/** The end of the attribute whose value begins at `at`, a place that a table gave. */
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
  const { name, least } = row.codec;
  const got = `${name} needs ${least} bytes, got ${length - ATTR_HEADER}`;
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

/** A window over the same memory; carries the offset, since a Buffer is usually a part of something larger. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

const nestedCodecs = new WeakSet<object>();

function isNested(codec: object): boolean {
  return nestedCodecs.has(codec);
}

/** A codec for attributes inside an attribute. Written with the NESTED bit, read with or without it. */
export function nested<R extends Rows>(table: AttrTable<R>): Codec<Attrs<R>> {
  const codec: Codec<Attrs<R>> = {
    name: table.name,
    least: 0,
    size: (value) => table.write(value).length,
    write(view, at, value) {
      const bytes = table.write(value);
      new Uint8Array(view.buffer, view.byteOffset + at, bytes.length).set(bytes);
    },
    read: (view, at, length) => table.readView(view, at, at + length),
  };
  nestedCodecs.add(codec);
  return codec;
}

/** Encoded attributes as they are, for those whose table depends on another attribute. Written with the NESTED bit. */
export const encoded: Codec<Uint8Array> = { ...raw, name: 'attributes' };
nestedCodecs.add(encoded);

/**
 * A codec for a list: one attribute inside for each entry, all read alike whatever their numbers.
 *
 * Entries are written with `type`, or numbered from 1 where it is `'counted'`, as nf_tables has the elements of a set.
 */
export function list<R extends Rows>(
  table: AttrTable<R>,
  type: number | 'counted',
): Codec<readonly Attrs<R>[]> {
  const codec: Codec<readonly Attrs<R>[]> = {
    name: `list of ${table.name}`,
    least: 0,
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
