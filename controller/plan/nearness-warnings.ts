/** In words, why connections do not stay as near as VIPs ask for. */

import type { Place, Tier } from '../place.ts';
import { nearest } from '../suggestion.ts';
import type { whyUndecided } from './tiers.ts';

/** A VIP that asks for the nearest backends, with the tier that it has. */
export interface NearVip {
  readonly name: string;
  readonly tier: Tier;
  readonly undecided: ReturnType<typeof whyUndecided>;
}

/** So many VIPs, or zones, are named in a warning. */
const MOST_NAMED = 3;

/** One warning for each cause why a zone is not known, and for where connections go instead. */
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

/** What runs on this host is known to be in its zone. */
const INSTEAD: Readonly<Record<Tier, string>> = {
  node: 'the backends on this host',
  zone: 'the backends on this host',
  region: 'the backends in the region of this host',
  all: 'all backends',
};

/**
 * A warning for each place of this host that an option gives, and that no source tells of any task or agent, where it tells
 * others: it may be misspelt. `told`: the zones, or regions, of all tasks and agents.
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
