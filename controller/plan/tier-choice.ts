/** When a service moves from one tier to another. */

import type { Tier } from '../model/place.ts';

/** How long a nearer tier must have had a backend in rotation before a service moves to it. */
export const HOLD_MS = 30_000;
/** When a tier is lost so soon after the service moved to it, the next wait is twice as long. */
export const FLAP_MS = 600_000;
/** The longest wait before a VIP returns to a nearer tier, in milliseconds. */
export const MAX_HOLD_MS = 480_000;

/** The tier of a service, and the state of its hysteresis. Times are milliseconds of the monotonic clock. */
export interface TierChoice {
  readonly tier: Tier;
  /** Nearer tiers with a backend in rotation, and since when. */
  readonly nearer: ReadonlyMap<Tier, number>;
  /** When the service last moved to a nearer tier; null: it never did. */
  readonly movedNearer: number | null;
  /** How long a nearer tier must have been in rotation. */
  readonly holdMs: number;
}

/**
 * Chooses the tier of a service. `before`: the previous choice, undefined at first. `available`: the tiers with a backend in
 * rotation, the nearest first.
 *
 * When the tier has lost its last backend in rotation, the service moves at once to the nearest that has one. It moves to a
 * nearer tier only after that has been available for `holdMs`, so that a flapping zone does not move traffic to and fro.
 */
export function chooseTier(
  before: TierChoice | undefined,
  available: readonly Tier[],
  now: number,
): TierChoice {
  const nearest = available[0] ?? 'all';
  if (before === undefined) return { tier: nearest, nearer: NONE, movedNearer: null, holdMs: HOLD_MS };
  const { movedNearer, holdMs } = before;
  const at = available.indexOf(before.tier);
  if (at < 0) {
    const flaps = movedNearer !== null && now - movedNearer <= FLAP_MS;
    const next = flaps ? Math.min(MAX_HOLD_MS, holdMs * 2) : HOLD_MS;
    return { tier: nearest, nearer: NONE, movedNearer, holdMs: next };
  }
  if (at === 0) return before.nearer.size === 0 ? before : { ...before, nearer: NONE };
  const nearer = new Map<Tier, number>();
  for (const tier of available.slice(0, at)) {
    const since = before.nearer.get(tier) ?? now;
    if (now - since >= holdMs) return { tier, nearer, movedNearer: now, holdMs };
    nearer.set(tier, since);
  }
  return { ...before, nearer };
}

/** When the choice must be reviewed although nothing changed; null when never. */
export function nextChoiceAt({ nearer, holdMs }: TierChoice): number | null {
  return nearer.size === 0 ? null : Math.min(...nearer.values()) + holdMs;
}

const NONE: ReadonlyMap<Tier, number> = new Map();
