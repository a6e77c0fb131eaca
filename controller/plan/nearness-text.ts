/** Text about the nearness of a VIP's backends. */

import type { Tier } from '../place.ts';
import type { PlannedService } from './plan.ts';

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
