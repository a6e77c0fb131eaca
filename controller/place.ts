/** Places: where hosts stand, as sources report them. Many tasks share one, so each place is one object. */

import type { Backend, BackendKey } from './model.ts';

/** Where a host stands. A zone is part of its region; what is absent is not known. */
export interface Place {
  readonly region?: string;
  readonly zone?: string;
  /** Name of a Kubernetes node. */
  readonly node?: string;
}

/** How near a backend is: on this host, in its zone, in its region, anywhere. Each one is part of the next. */
export type Tier = 'node' | 'zone' | 'region' | 'all';

export interface Nearness {
  /** The tier whose backends the service has. */
  readonly tier: Tier;
  /** Those of all tiers. */
  readonly all: ReadonlyMap<BackendKey, Backend>;
}

/** As the field `trafficDistribution` of a Kubernetes Service has them (KEP-3015). */
export const TRAFFIC_DISTRIBUTIONS = ['Cluster', 'PreferSameZone', 'PreferSameNode'] as const;
export type TrafficDistribution = (typeof TRAFFIC_DISTRIBUTIONS)[number];

/** A cluster has some dozens of zones and some thousands of nodes; more than that are not remembered. */
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
 * is not known, the zone's name alone counts.
 */
export function placesAgree(a: Place | undefined, b: Place, on: 'zone' | 'region'): boolean {
  if (a === undefined || a[on] === undefined || a[on] !== b[on]) return false;
  return on === 'region' || a.region === undefined || b.region === undefined || a.region === b.region;
}
