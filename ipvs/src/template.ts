import { align4 } from './align.ts';
import { ATTR_HEADER, viewOf } from './codec.ts';
import { HOST_IS_LE } from './scalars.ts';

/**
 * Bytes that are the same in many messages, and the places where they differ.
 *
 * Writing an attribute table field by field costs several times what the kernel takes to carry the message out, so
 * messages that come by the thousand are copied from a template and patched. A template is itself written by a table.
 */
export interface Template<Place extends string> {
  readonly bytes: Uint8Array;
  /** Offset of each value. */
  readonly at: Readonly<Record<Place, number>>;
}

/** Makes a template of attributes inside one nest, whose header is at the beginning of `bytes`. */
export function nestTemplate<Place extends string>(
  bytes: Uint8Array,
  rows: Readonly<Record<Place, { readonly type: number }>>,
  places: readonly Place[],
): Template<Place> {
  const offsets = places.map((place) => [place, offsetOf(bytes, rows[place].type)]);
  return { bytes, at: Object.fromEntries(offsets) as Record<Place, number> };
}

function offsetOf(bytes: Uint8Array, type: number): number {
  const view = viewOf(bytes);
  for (let at = ATTR_HEADER; at < bytes.length; at += align4(view.getUint16(at, HOST_IS_LE))) {
    if (view.getUint16(at + 2, HOST_IS_LE) === type) return at + ATTR_HEADER;
  }
  throw new Error(`template without attribute ${type}`);
}
