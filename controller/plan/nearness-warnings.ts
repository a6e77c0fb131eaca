/** Warnings about connections that cannot stay as near as a VIP asks for. */

import type { Place, Tier } from '../place.ts';
import { nearest } from '../suggestion.ts';
import type { whyUndecided } from './tiers.ts';

/** A VIP that asks for the nearest backends, and its current tier. */
export interface NearVip {
  readonly name: string;
  readonly tier: Tier;
  readonly undecided: ReturnType<typeof whyUndecided>;
}

/** At most so many VIPs or zones are listed in a warning. */
const MOST_NAMED = 3;

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
  host: 'the zone of this host is not known: no task or agent here tells it, and --node-zone does not.',
  backends: 'no source tells the zone of a backend.',
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
 * misspelt. `told`: the zones or regions of all tasks and agents.
 */
export function unknownPlaceWarnings(
  given: Place,
  told: (on: 'zone' | 'region') => ReadonlySet<string>,
): readonly string[] {
  return (['zone', 'region'] as const).flatMap((on) => {
    const name = given[on];
    const known = name === undefined ? NONE : told(on);
    if (name === undefined || known.size === 0 || known.has(name)) return [];
    const meant = nearest(name, [...known].sort());
    const question = meant === null ? '' : `; did you mean ${meant}?`;
    return [
      `--node-${on} ${name}: no source tells of a task or agent in that ${on}; known: ${some(known)}${question}`,
    ];
  });
}

const NONE: ReadonlySet<string> = new Set();

function some(names: ReadonlySet<string>): string {
  const all = [...names].sort();
  const more = all.length - MOST_NAMED;
  return `${all.slice(0, MOST_NAMED).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
