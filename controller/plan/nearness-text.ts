/** Text about the nearness of a VIP's backends, and warnings where connections cannot stay as near as requested. */

import type { Place, Tier } from '../model/place.ts';
import { nearest } from '../text/suggestion.ts';
import type { PlannedService } from './plan.ts';
import type { whyUndecided } from './tiers.ts';

/** The place of each tier. */
export const TIER_PLACES: Readonly<Record<Tier, string>> = {
  node: 'on this host',
  zone: 'in the zone of this host',
  region: 'in the region of this host',
  all: 'anywhere',
};

/** Which backends a VIP has: `the backends in the zone of this host, 12 in other zones are left out`. */
export function nearnessText({ tier, leftOut }: NonNullable<PlannedService['nearness']>): string {
  if (tier === 'all') return 'all backends, since none nearer is in rotation';
  const text = `the backends ${TIER_PLACES[tier]}`;
  if (leftOut === 0) return text;
  const elsewhere = { node: 'on other hosts', zone: 'in other zones', region: 'in other regions' }[tier];
  return `${text}, ${leftOut} ${elsewhere} ${leftOut === 1 ? 'is' : 'are'} left out`;
}

/** A VIP that prefers the nearest backends, and its current tier. */
export interface NearVip {
  readonly name: string;
  readonly tier: Tier;
  readonly undecided: ReturnType<typeof whyUndecided>;
}

/** At most so many VIPs or zones are listed in a warning. */
const MAX_NAMED = 3;

/** Warns of unknown zones: one warning for each cause and each tier that is used instead. */
export function undecidedWarnings(vips: Iterable<NearVip>): readonly string[] {
  const found = new Map<string, Set<string>>();
  for (const { name, tier, undecided } of vips) {
    if (undecided === null) continue;
    const text = `${CAUSES[undecided]} So connections go to ${INSTEAD[tier]}, whatever IPVS_TRAFFIC_DISTRIBUTION says`;
    found.set(text, (found.get(text) ?? new Set()).add(name));
  }
  return Array.from(found, ([text, names]) => `${text}: ${some(names)}`);
}

const CAUSES = {
  host: 'the zone of this host is not known: no task or agent on it reports one, and --node-zone is not set.',
  backends: 'no source reports the zone of a backend.',
} as const;

/** With an unknown zone, only the backends on this host are known to be in it. */
const INSTEAD: Readonly<Record<Tier, string>> = {
  node: 'the backends on this host',
  zone: 'the backends on this host',
  region: 'the backends in the region of this host',
  all: 'all backends',
};

/**
 * Warns when an option gives a zone or region of this host that no task or agent has, while others are known: it may be
 * misspelt. `reported`: the zones or regions of all tasks and agents.
 */
export function unknownPlaceWarnings(
  given: Place,
  reported: (on: 'zone' | 'region') => ReadonlySet<string>,
): readonly string[] {
  return (['zone', 'region'] as const).flatMap((on) => {
    const name = given[on];
    const known = name === undefined ? NONE : reported(on);
    if (name === undefined || known.size === 0 || known.has(name)) return [];
    const meant = nearest(name, [...known].sort());
    const question = meant === null ? '' : `; did you mean ${meant}?`;
    return [
      `--node-${on} ${name}: no source reports a task or agent in that ${on}; known: ${some(known)}${question}`,
    ];
  });
}

const NONE: ReadonlySet<string> = new Set();

function some(names: ReadonlySet<string>): string {
  const all = [...names].sort();
  const more = all.length - MAX_NAMED;
  return `${all.slice(0, MAX_NAMED).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
