import type { Blindness, EjectionCause, ProbeResult } from '../ejection.ts';
import { isHostWell } from './restraint.ts';

/** From one reading of the connections to the next; milliseconds of the monotonic clock. */
export interface Window {
  readonly from: number;
  readonly to: number;
}

/** How long an agent counts as failing after a probe of it failed: the longest time between two probes, and one more. */
const FAILING_MS = 60_000;
/** A reading that covers more than this does not show that agents answered all along. */
const LONGEST_WINDOW_MS = 1_000;
/** So long before a probe, and so shortly before its end, agents must have been seen to answer. */
const AROUND_MS = 600;
/**
 * While a probe is made no more time than this passes without an answer. Its connection requests are spread over a second, so
 * that no cut of this host which is too short to be seen meets all of them.
 */
const LONGEST_SILENCE_MS = 600;
const KEPT_MS = 5_000;
/** Probes that begin within this time met the same network. */
const TOGETHER_MS = 100;

/**
 * Which agents answer this host, and which do not: as clients' connections show it for nothing, and as probes do. Agents, not
 * backends, since what cuts this host off cuts it off from agents.
 */
export class Agents {
  #windows: { readonly window: Window; readonly answering: ReadonlySet<string> }[] = [];
  #witnesses: { readonly agent: string; readonly startedAt: number }[] = [];
  readonly #failedAt = new Map<string, number>();
  #blind: Blindness | null = null;

  /** Set from the first failure that was not proven until one is. */
  get blind(): Blindness | null {
    return this.#blind;
  }

  /** A failure was judged; null: none is open any more. */
  judged(verdict: Verdict | null, now: number): void {
    const since = this.#blind?.since ?? now;
    const { isProven, failing, answering } = verdict ?? PROVEN;
    this.#blind = isProven ? null : { since, failing, answering };
  }

  /** In this time these agents answered new connections of clients. */
  answered(window: Window, answering: ReadonlySet<string>): void {
    this.#windows.push({ window, answering });
    // An answer came after the window began, and that is all that is known.
    for (const agent of answering) this.#clearFailure(agent, window.from);
    this.#windows = this.#windows.filter(({ window: { to } }) => to > window.to - KEPT_MS);
  }

  /** One of the agent's backends was probed: `results` of all its attempts. */
  probed(agent: string, results: readonly ProbeResult[], startedAt: number, now: number): void {
    if (results.some((result) => result === 'connected')) this.#clearFailure(agent, startedAt);
    else if (results.every(isFailure)) this.#failedAt.set(agent, now);
    if (results.length > 1 && results.every((result) => result === 'connected'))
      this.#witnesses.push({ agent, startedAt });
    this.#witnesses = this.#witnesses.filter((one) => one.startedAt > now - KEPT_MS);
  }

  /** Agents of which a probe failed and that have not answered since, and these. */
  failing(now: number, ...more: readonly string[]): ReadonlySet<string> {
    for (const [agent, at] of this.#failedAt) if (at < now - FAILING_MS) this.#failedAt.delete(agent);
    return new Set([...this.#failedAt.keys(), ...more]);
  }

  /**
   * Whether a probe of one of this agent's backends, made in this time, failed for no fault of this host: meanwhile it
   * reached other backends of this agent, or as many agents as fail. Agents that are still being probed count as failing.
   */
  verdict(agent: string, during: Window, now: number, probed: readonly string[]): Verdict {
    const failing = this.failing(now, agent, ...probed);
    const answering = this.#answeringDuring(during, failing);
    const isProven = this.#answers(agent, during) || isHostWell(failing, answering);
    return { isProven, failing: failing.size, answering: answering.size };
  }

  /** Whether each reading of late has shown that agents answer, so that nobody need be probed to see it. */
  isAnswerSeen(now: number, except: ReadonlySet<string>): boolean {
    return this.#isSeenUntil(now, (answering) => [...answering].some((agent) => !except.has(agent)));
  }

  /**
   * Agents of which it is known that they could be reached while a probe was made: their backends were probed beside it, or
   * clients got answers all along. Empty where neither is so: this host may have been cut off for a part of that time.
   */
  #answeringDuring(during: Window, except: ReadonlySet<string>): ReadonlySet<string> {
    const found = new Set<string>();
    for (const { agent, startedAt } of this.#witnesses)
      if (Math.abs(startedAt - during.from) <= TOGETHER_MS && !except.has(agent)) found.add(agent);
    const isOther = (agent: string) => !except.has(agent);
    if (!this.#isAllAlong(during, (answering) => [...answering].some(isOther))) return found;
    for (const { answering } of this.#windowsIn({ from: during.from - AROUND_MS, to: during.to }))
      for (const agent of answering) if (isOther(agent)) found.add(agent);
    return found;
  }

  /** Whether this very agent could be reached while a probe was made: one of its backends fails then, and not the agent. */
  #answers(agent: string, during: Window): boolean {
    const isBeside = (startedAt: number) => Math.abs(startedAt - during.from) <= TOGETHER_MS;
    if (this.#witnesses.some((one) => one.agent === agent && isBeside(one.startedAt))) return true;
    return this.#isAllAlong(during, (answering) => answering.has(agent));
  }

  /** Whether readings say so from before a probe to its end. What makes a backend a suspect lies before the probe: no cut may hide there. */
  #isAllAlong({ from, to }: Window, says: Says): boolean {
    if (!this.#isSeenUntil(from, says)) return false;
    let last: Window | null = null;
    for (const { window, answering } of this.#windowsIn({ from: from - AROUND_MS, to })) {
      if (window.to - window.from > LONGEST_WINDOW_MS || !says(answering)) continue;
      const isNext = last === null || window.from <= last.to;
      if (!isNext && window.to - (last?.from ?? 0) > LONGEST_SILENCE_MS) return false;
      last = window;
    }
    return last !== null && last.to >= to - AROUND_MS;
  }

  /** Whether each reading that ended within a short time before this moment says so. */
  #isSeenUntil(at: number, says: Says): boolean {
    const from = at - AROUND_MS;
    let seenTo = from;
    for (const { window, answering } of this.#windowsIn({ from, to: at })) {
      if (window.to > at) break;
      if (window.to - window.from > LONGEST_WINDOW_MS || window.from > seenTo || !says(answering))
        return false;
      seenTo = window.to;
    }
    return seenTo > from;
  }

  /** Readings that cover a part of this time, in order. */
  #windowsIn({ from, to }: Window) {
    return this.#windows.filter(({ window }) => window.to > from && window.from < to);
  }

  #clearFailure(agent: string, at: number): void {
    const failedAt = this.#failedAt.get(agent);
    if (failedAt !== undefined && at >= failedAt) this.#failedAt.delete(agent);
  }
}

type Says = (answering: ReadonlySet<string>) => boolean;

/** How many agents fail, and how many answered meanwhile. */
export interface Verdict {
  readonly isProven: boolean;
  readonly failing: number;
  readonly answering: number;
}

/** Of a failure that no agent has to bear witness to. */
export const PROVEN: Verdict = { isProven: true, failing: 0, answering: 0 };

/** Whether it says that a backend cannot be reached, or that nothing listens there. */
export function isFailure(result: ProbeResult): boolean {
  return result === 'timed out' || result === 'unreachable' || result === 'refused';
}

/** Whether it may be the agent that cannot be reached, and not only a port of it. */
export function isAgentFailure(result: ProbeResult | EjectionCause | undefined): boolean {
  return result === 'timed out' || result === 'unreachable';
}
