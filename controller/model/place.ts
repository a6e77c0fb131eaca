/** Places of hosts: region, zone and node, as sources report them. Many tasks share a place, so each is one object. */

/** The place of a host. A zone is part of its region; an absent field is unknown. */
export interface Place {
  readonly region?: string;
  readonly zone?: string;
  /** Name of a Kubernetes node. */
  readonly node?: string;
}

/** How near a backend is: on this host, in its zone, in its region, or anywhere. Each tier is part of the next. */
export type Tier = 'node' | 'zone' | 'region' | 'all';

/** A cluster has dozens of zones and thousands of nodes; beyond this bound objects are no longer shared. */
const MAX_PLACES = 20_000;

const known = new Map<string, Place>();

/**
 * The place with these names; the same object for the same names. Undefined when no name is given; empty text and null
 * count as none.
 */
export function placeOf({ region, zone, node }: Given): Place | undefined {
  if (!region && !zone && !node) return undefined;
  const key = JSON.stringify([region || '', zone || '', node || '']);
  const place = known.get(key) ?? { ...(region && { region }), ...(zone && { zone }), ...(node && { node }) };
  if (known.size >= MAX_PLACES) known.clear();
  known.set(key, place);
  return place;
}

type Given = { readonly [Name in keyof Place]?: string | null | undefined };

/**
 * Whether two hosts are known to be in the same zone or region. Zones of different regions may have the same name; when a
 * region is unknown, the name of the zone alone counts.
 */
export function placesAgree(a: Place | undefined, b: Place, on: 'zone' | 'region'): boolean {
  if (a === undefined || a[on] === undefined || a[on] !== b[on]) return false;
  return on === 'region' || a.region === undefined || b.region === undefined || a.region === b.region;
}
