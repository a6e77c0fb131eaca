/** When a service moves from one tier to another. Pure: the time is given. */

import type { Tier } from '../place.ts';

/** How long a nearer tier must have had a backend in rotation, without a break, before a service moves to it. */
export const HOLD_MS = 30_000;
/** A tier that falls away so soon after the service moved to it makes the next wait twice as long. */
export const FLAP_MS = 600_000;
export const MOST_HOLD_MS = 480_000;

/** The tier of a service and what it depends on. Times are milliseconds of the monotonic clock. */
export interface TierChoice {
  readonly tier: Tier;
  /** Nearer tiers that have a backend in rotation, since when. */
  readonly nearer: ReadonlyMap<Tier, number>;
  /** When the service last moved to a nearer tier; null: it never did. */
  readonly movedNearer: number | null;
  /** How long a nearer tier is waited for. */
  readonly holdMs: number;
}

/**
 * The tier that counts now. `before` is the choice at the last look (undefined: there was none), `available` are the tiers with a
 * backend in rotation, the nearest first.
 *
 * A tier that has lost its last backend in rotation is left at once, for the nearest that has one. A service comes back to a
 * nearer tier only after that has had one for `holdMs` at every look: a zone that flaps moves no traffic to and fro.
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
    const next = flaps ? Math.min(MOST_HOLD_MS, holdMs * 2) : HOLD_MS;
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

/** When a choice may be another one though nothing else changed; null: never. */
export function nextLookAt({ nearer, holdMs }: TierChoice): number | null {
  return nearer.size === 0 ? null : Math.min(...nearer.values()) + holdMs;
}

const NONE: ReadonlyMap<Tier, number> = new Map();
