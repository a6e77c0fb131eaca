import type { Ejection, ProbeResult, Target } from '../ejection.ts';
import type { ServiceKey } from '../model.ts';
import type { Window } from './agents.ts';

/** A backend, and a VIP that has it. */
export interface VipTarget {
  readonly service: ServiceKey;
  readonly target: Target;
}

/**
 * In rotation -> `suspect` -> `ejected` -> `returning`, after a first good probe -> `returned`. A suspect that answers a probe
 * is `cleared`. Of those that are cleared or returned only the back-off is remembered.
 */
export type Phase = 'suspect' | 'ejected' | 'returning' | 'returned' | 'cleared';

export function isProbed(phase: Phase): boolean {
  return phase === 'suspect' || phase === 'ejected' || phase === 'returning';
}

/** What is remembered of a backend that is not simply in rotation. Times are milliseconds of the monotonic clock. */
export interface Watched extends VipTarget {
  phase: Phase;
  /** What made it a suspect. */
  readonly sign: string;
  /** Longer with each probe that changed nothing. */
  readonly backoff: Backoff;
  /** When it is probed next, or may be a suspect again; infinite while a probe is made, or its agent's backends are probed instead. */
  nextAt: number;
  /** All attempts of its last probe failed. */
  failure: Failure | null;
  /** It failed when nothing showed that this host reached others: they are probed beside it. */
  isUnproven: boolean;
  ejection: Ejection | null;
}

export interface Failure {
  readonly result: ProbeResult;
  readonly during: Window;
}

/** A probe that is to be made now. */
export interface Probe extends VipTarget {
  /** How many connections are tried, one shortly after the other. */
  readonly attempts: 1 | 2;
  /** It is made to see whether this host reaches others, at the moment at which a suspect is probed. */
  readonly isWitness: boolean;
  readonly startedAt: number;
}

/** How long an answer is waited for after the last probe before a back-off is forgotten. */
export const REMEMBERED_MS = 120_000;
const FIRST_MS = 1_000;
const LONGEST_MS = 30_000;

/** 1 s, 2 s, 4 s, up to 30 s. */
export class Backoff {
  #level = 0;

  next(): number {
    const delay = Math.min(LONGEST_MS, FIRST_MS * 2 ** this.#level);
    this.#level += 1;
    return delay;
  }
}
