/** Places: where hosts stand, as sources tell. Many tasks share one, so each place is one object. */

import type { Place } from './model.ts';

/** A cluster has some dozens of zones and some thousands of nodes; what names more is not worth remembering. */
const MOST_PLACES = 20_000;

const known = new Map<string, Place>();

/**
 * The place with these names, the same object for the same names; undefined where none is given. Empty text and null are
 * no names.
 */
export function placeOf({ region, zone, node }: Given): Place | undefined {
  if (!region && !zone && !node) return undefined;
  const key = JSON.stringify([region || '', zone || '', node || '']);
  const place = known.get(key) ?? { ...(region && { region }), ...(zone && { zone }), ...(node && { node }) };
  if (known.size >= MOST_PLACES) known.clear();
  known.set(key, place);
  return place;
}

type Given = { readonly [Name in keyof Place]?: string | null | undefined };

/**
 * Whether two hosts are known to be in one zone, or in one region. Zones of two regions may have one name; where a region
 * is not told, the zone's name alone counts.
 */
export function placesAgree(a: Place | undefined, b: Place, on: 'zone' | 'region'): boolean {
  if (a === undefined || a[on] === undefined || a[on] !== b[on]) return false;
  return on === 'region' || a.region === undefined || b.region === undefined || a.region === b.region;
}
