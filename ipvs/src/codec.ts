import { align4 } from './align.ts';
import { IpvsError } from './errors.ts';
import type { Memory } from './memory.ts';
import { type Codec, HOST_IS_LE, raw } from './scalars.ts';

/** One row of an attribute table: the number in the kernel's header, and how its value is laid out. */
export interface Row {
  readonly type: number;
  // The value type is contravariant in `write`; only the row's own codec ever sees a value of it.
  // biome-ignore lint/suspicious/noExplicitAny: the one place where rows of all types meet
  readonly codec: Codec<any>;
}

/** Rows by the name that the attribute has in this program. Written in the order of the rows. */
export type Rows = Readonly<Record<string, Row>>;

/** The values that a table reads and writes; each may be absent. */
export type Attrs<R extends Rows> = {
  readonly [K in keyof R]?: R[K]['codec'] extends Codec<infer T> ? T | undefined : never;
};

/** A set of netlink attributes: one table, used both ways. */
export interface AttrTable<R extends Rows> {
  readonly name: string;
  readonly rows: R;
  /** The number of each attribute, for what {@link AttrTable.locate} returns. */
  readonly types: { readonly [K in keyof R]: number };
  /** The attributes present in `attrs`, in the order of the rows. Throws `invalid` naming the attribute. */
  write(attrs: Attrs<R>): Uint8Array;
  /** Reads attributes; unknown ones are skipped, of two the last counts. Throws `malformed-reply`, nothing else. */
  read(bytes: Uint8Array): Attrs<R>;
  /** The same, from a part of a larger message. */
  readView(view: DataView, from: number, to: number): Attrs<R>;
  /**
   * Where the value of each attribute begins in `memory`, by number; 0 for one that is absent, where zeros are. For replies that come by
   * the thousand: makes no objects, and what it returns is only good until its next call. Throws `malformed-reply`.
   */
  locate(memory: Memory, from: number, to: number): Int32Array;
}

/** `struct nlattr`: length and type, two bytes each. */
export const ATTR_HEADER = 4;

/** The two high bits of an attribute's type say "nested" and "network byte order". */
const TYPE_MASK = 0x3fff;
const NLA_F_NESTED = 0x8000;

/** Makes an attribute table. `name` appears in messages about malformed replies. */
export function attrTable<const R extends Rows>(name: string, rows: R): AttrTable<R> {
  const byType = compile(rows);
  const places = new Int32Array(byType.length);
  const least = byType.map((entry) => entry?.codec.least ?? 0);

  function checkLength(at: number, length: number, entry: Compiled | undefined, room: number): void {
    if (length < ATTR_HEADER || length > room) {
      throw new IpvsError('malformed-reply', `${name}: attribute at byte ${at} has length ${length}`);
    }
    if (entry && length - ATTR_HEADER < entry.codec.least) {
      const { least, name: wanted } = entry.codec;
      const got = `${wanted} needs ${least} bytes, got ${length - ATTR_HEADER}`;
      throw new IpvsError('malformed-reply', `${name}.${entry.name}: ${got}`);
    }
  }

  function readView(view: DataView, from: number, to: number): Attrs<R> {
    const out: Record<string, unknown> = {};
    for (let at = from; at + ATTR_HEADER <= to; ) {
      const length = view.getUint16(at, HOST_IS_LE);
      const entry = byType[view.getUint16(at + 2, HOST_IS_LE) & TYPE_MASK];
      checkLength(at - from, length, entry, to - at);
      if (entry !== undefined)
        out[entry.name] = entry.codec.read(view, at + ATTR_HEADER, length - ATTR_HEADER);
      at += align4(length);
    }
    return out as Attrs<R>;
  }

  function locate({ halves }: Memory, from: number, to: number): Int32Array {
    places.fill(0);
    for (let at = from; at + ATTR_HEADER <= to; ) {
      const length = halves[at >> 1] as number;
      const type = (halves[(at >> 1) + 1] as number) & TYPE_MASK;
      const needed = type < least.length ? ATTR_HEADER + (least[type] as number) : ATTR_HEADER;
      if (length < needed || length > to - at) checkLength(at - from, length, byType[type], to - at);
      if (type < least.length) places[type] = at + ATTR_HEADER;
      at += (length + 3) & ~3;
    }
    return places;
  }

  return {
    name,
    rows,
    types: Object.fromEntries(
      Object.entries(rows).map(([key, { type }]) => [key, type]),
    ) as AttrTable<R>['types'],
    readView,
    locate,
    read: (bytes) => readView(viewOf(bytes), 0, bytes.length),
    write: (attrs) => writeRows(name, rows, attrs as Record<string, unknown>),
  };
}

interface Compiled {
  readonly name: string;
  readonly codec: Row['codec'];
}

/** Rows by number. `Array.from` fills the holes, which would make the array slow and its type a lie. */
function compile(rows: Rows): readonly (Compiled | undefined)[] {
  const byType: (Compiled | undefined)[] = [];
  for (const [name, row] of Object.entries(rows)) byType[row.type] = { name, codec: row.codec };
  return Array.from(byType, (entry) => entry);
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
      const entries: Attrs<R>[] = [];
      const end = from + length;
      for (let at = from; at + ATTR_HEADER <= end; ) {
        const size = view.getUint16(at, HOST_IS_LE);
        if (size < ATTR_HEADER || size > end - at) {
          throw new IpvsError(
            'malformed-reply',
            `${codec.name}: entry at byte ${at - from} has length ${size}`,
          );
        }
        entries.push(table.readView(view, at + ATTR_HEADER, at + size));
        at += align4(size);
      }
      return entries;
    },
  };
  nestedCodecs.add(codec);
  return codec;
}
