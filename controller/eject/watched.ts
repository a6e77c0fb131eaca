import { delayAfter } from '../backoff.ts';
import type { Ejection, ProbeResult, Target } from '../model/ejection.ts';
import type { ServiceKey } from '../model/service.ts';
import type { Window } from './agents.ts';

/** A backend of a VIP. */
export interface VipTarget {
  readonly service: ServiceKey;
  readonly target: Target;
}

/**
 * In rotation -> `suspect` -> `ejected` -> `returning` (after the first good probe) -> `returned`. A suspect that answers a
 * probe is `cleared`. For cleared and returned backends only the back-off is kept.
 */
export type Phase = 'suspect' | 'ejected' | 'returning' | 'returned' | 'cleared';

/** Whether backends in this phase are probed. */
export function isProbed(phase: Phase): boolean {
  return phase === 'suspect' || phase === 'ejected' || phase === 'returning';
}

/** A backend that is or was a suspect, and its state. Times are milliseconds of the monotonic clock. */
export interface Watched extends VipTarget {
  /** One of its VIPs. */
  service: ServiceKey;
  phase: Phase;
  /** Why it became a suspect. */
  readonly sign: string;
  /** Delays between its probes. */
  readonly backoff: Backoff;
  /** When it is probed next, or may become a suspect again; infinite while it is probed or follows its agent's other backends. */
  nextAt: number;
  /** The failed probe of a suspect, until it is decided whether to eject it. */
  failure: Failure | null;
  /** Whether it failed without proof that this host reaches others; witnesses are then probed together with it. */
  isUnproven: boolean;
  /** Whether it has returned from an ejection: if it fails again, it stays out for longer. */
  readonly hasReturned: boolean;
  ejection: Ejection | null;
}

/** The state of a new suspect: `sign` says that its clients seem to get no reply. `known`: its state so far. */
export function suspectOf(
  { service, target }: VipTarget,
  sign: string,
  now: number,
  known: Watched | undefined,
): Watched {
  const { backoff = new Backoff(), hasReturned = false, phase } = known ?? {};
  const state = { phase: 'suspect', nextAt: now, failure: null, isUnproven: false, ejection: null } as const;
  return { service, target, sign, backoff, hasReturned: hasReturned || phase === 'returned', ...state };
}

/** Marks a backend as ejected; with an infinite `nextAt` it follows its agent's other backends. Returns the ejection. */
export function markEjected(
  watched: Watched,
  { cause, reason, nextAt }: Pick<Ejection, 'cause' | 'reason'> & Pick<Watched, 'nextAt'>,
  now: number,
): Ejection {
  const nextProbe = Number.isFinite(nextAt) ? nextAt : null;
  const ejection = { target: watched.target, since: now, cause, reason, nextProbe };
  Object.assign(watched, { phase: 'ejected', failure: null, isUnproven: false, nextAt, ejection });
  return ejection;
}

/** The result of a failed probe, and when it ran. */
export interface Failure {
  readonly result: ProbeResult;
  readonly during: Window;
}

/** A probe to make now. */
export interface Probe extends VipTarget {
  /** Number of connection attempts, one shortly after the other. */
  readonly attempts: 1 | 2;
  /** Whether it only checks that this host reaches other agents while a suspect is probed. */
  readonly isWitness: boolean;
  readonly startedAt: number;
}

/** A cleared or returned backend is forgotten, with its back-off, this long after it could be a suspect again. */
export const REMEMBERED_MS = 120_000;
const DELAYS = { firstMs: 1_000, limitMs: 30_000 };

/** Delays of 1 s, 2 s, 4 s, and so on, up to 30 s. */
export class Backoff {
  #delays = 0;

  /** Returns the next delay in milliseconds. */
  next(): number {
    this.#delays += 1;
    return delayAfter(this.#delays, DELAYS);
  }
}
