/** Services restricted to their nearest backends, and the decisions and texts about that. */

import type { Desired } from '../model/desired.ts';
import type { BackendKey } from '../model/endpoint.ts';
import type { Tier } from '../model/place.ts';
import type { Service, ServiceKey } from '../model/service.ts';
import type { Decision } from './decision.ts';
import { TIER_PLACES } from './nearness-text.ts';
import { nextChoiceAt, type TierChoice } from './tier-choice.ts';
import { backendsIn, type HostPlace } from './tiers.ts';

/** The service with only the backends of a tier. */
export function serviceIn(tier: Tier, service: Service, host: HostPlace): Service {
  const backends = backendsIn(tier, service, host);
  return { ...service, backends, nearness: { tier, all: service.backends } };
}

/** Whether a backend in rotation is left out of a service only because others are nearer. */
export function isLeftOut({
  services,
}: Pick<Desired, 'services'>): (endpoint: BackendKey, service: ServiceKey) => boolean {
  return (endpoint, key) => {
    const service = services.get(key);
    if (service?.nearness === undefined || service.backends.has(endpoint)) return false;
    return (service.nearness.all.get(endpoint)?.weight ?? 0) > 0;
  };
}

/** The number of backends that are left out because others are nearer. */
export function leftOutOf({ backends, nearness }: Pick<Service, 'backends' | 'nearness'>): number {
  return nearness === undefined ? 0 : nearness.all.size - backends.size;
}

/** Text why a backend is left out because others are nearer; null when it is not. */
export function whyLeftOut({ backends, nearness }: Service, endpoint: BackendKey): string | null {
  if (nearness === undefined || backends.has(endpoint) || !nearness.all.has(endpoint)) return null;
  return `left out: backends ${TIER_PLACES[nearness.tier]} are in rotation`;
}

/** The decision about a service that will move to a nearer tier, and when; null when it will not. */
export function waitingDecision(choice: TierChoice): Decision | null {
  const endsAt = nextChoiceAt(choice);
  if (endsAt === null) return null;
  const { nearer, holdMs } = choice;
  const [tier = 'all'] = nearer.keys();
  return {
    rule: 'nearness',
    since: Math.min(...nearer.values()),
    reason: `backends ${TIER_PLACES[tier]} are in rotation again`,
    endsWhen: `they have been so for ${holdMs / 1_000} s`,
    endsAt,
  };
}
