import type { BackendKey } from '../model/endpoint.ts';
import type { ServiceKey } from '../model/service.ts';
import type { LossReason } from './losses.ts';

/** What a pass would remove although no source named it. */
export interface MassRemoval {
  /** VIPs that would be left without a backend in rotation, and the number of owned VIPs. */
  readonly vips: number;
  readonly ofVips: number;
  /** Backends that would leave the rotation, and the number of backends in rotation. */
  readonly backends: number;
  readonly ofBackends: number;
  /** The endpoints of these backends. */
  readonly endpoints: ReadonlySet<BackendKey>;
  /** The VIPs of these backends. */
  readonly services: ReadonlySet<ServiceKey>;
  /** Numbers of backends by the reason why they would leave, the most frequent first. */
  readonly reasons: readonly (readonly [LossReason, number])[];
  /** Backends that have just left the rotation unnamed, before this removal; absent when there are none. */
  readonly recent?: number;
}

/** So few are no mass removal, regardless of their share, unless they are all. */
export const SMALL_REMOVAL = 10;
/** The share from which on a removal is a mass removal, where nobody says otherwise: the default of `--mass-removal-percent`. */
export const HALF = 0.5;

/**
 * Whether a removal is so large that the sources are read again first (rule 4): more than ten and more than `share` of all,
 * or all. A single VIP, app or endpoint may go: `among` is how many there are.
 */
export function isMass(lost: number, of: number, share = HALF, among = of): boolean {
  return (among >= 2 && lost === of) || isLarge(lost, of, share);
}

/** Whether a removal is more than ten and more than `share` of all. */
export function isLarge(lost: number, of: number, share: number): boolean {
  return lost > SMALL_REMOVAL && lost > share * of;
}
