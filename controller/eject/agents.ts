import type { Blindness, ProbeResult } from '../ejection.ts';
import { isHostWell } from './restraint.ts';

/** From one reading of the counters to the next; milliseconds of the monotonic clock. */
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
const KEPT_MS = 5_000;
/** Probes that begin within this time met the same network. */
const TOGETHER_MS = 100;

/**
 * Which agents answer this host, and which do not: as the counters show it for nothing, and as probes do. Agents, not
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

  forgetBlindness(): void {
    this.#blind = null;
  }

  /** In this time these agents sent replies to clients. */
  counted(window: Window, answering: ReadonlySet<string>): void {
    this.#windows.push({ window, answering });
    // A reply came after the window began, and that is all that is known.
    for (const agent of answering) this.#answered(agent, window.from);
    this.#windows = this.#windows.filter(({ window: { to } }) => to > window.to - KEPT_MS);
  }

  /** One of the agent's backends was probed: `results` of all its attempts. */
  probed(agent: string, results: readonly ProbeResult[], startedAt: number, now: number): void {
    if (results.some((result) => result === 'connected')) this.#answered(agent, startedAt);
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
   * reached other backends of this agent, or as many agents as fail now.
   */
  isProven(agent: string, during: Window, now: number): boolean {
    const failing = this.failing(now, agent);
    const answering = this.#answeringDuring(during, failing);
    const isProven = this.#answers(agent, during) || isHostWell(failing, answering);
    const since = this.#blind?.since ?? now;
    this.#blind = isProven ? null : { since, failing: failing.size, answering: answering.size };
    return isProven;
  }

  /** Whether the counters have shown until now that agents answer. */
  isAnswerSeen(now: number, except: ReadonlySet<string>): boolean {
    const window = { from: now - AROUND_MS, to: now };
    return this.#isAllAlong(window, (answering) => [...answering].some((agent) => !except.has(agent)));
  }

  /**
   * Agents of which it is known that they could be reached while a probe was made: their backends were probed beside it, or
   * clients got replies all along. Empty where neither is so: this host may have been cut off for a part of that time.
   */
  #answeringDuring({ from, to }: Window, except: ReadonlySet<string>): ReadonlySet<string> {
    const found = new Set<string>();
    for (const { agent, startedAt } of this.#witnesses)
      if (Math.abs(startedAt - from) <= TOGETHER_MS && !except.has(agent)) found.add(agent);
    const around = { from: from - AROUND_MS, to };
    const isOther = (agent: string) => !except.has(agent);
    if (!this.#isAllAlong(around, (answering) => [...answering].some(isOther))) return found;
    for (const { window, answering } of this.#windows)
      if (window.to > around.from && window.from < to)
        for (const agent of answering) if (isOther(agent)) found.add(agent);
    return found;
  }

  /** Whether this very agent could be reached while a probe was made: one of its backends fails then, and not the agent. */
  #answers(agent: string, { from, to }: Window): boolean {
    const isBeside = (startedAt: number) => Math.abs(startedAt - from) <= TOGETHER_MS;
    if (this.#witnesses.some((one) => one.agent === agent && isBeside(one.startedAt))) return true;
    return this.#isAllAlong({ from: from - AROUND_MS, to }, (answering) => answering.has(agent));
  }

  /** Whether each reading that covers a part of this time says so, and all but its end is covered. */
  #isAllAlong({ from, to }: Window, says: (answering: ReadonlySet<string>) => boolean): boolean {
    let seenTo = from;
    for (const { window, answering } of this.#windows) {
      if (window.to <= from || window.from >= to) continue;
      if (window.to - window.from > LONGEST_WINDOW_MS || window.from > seenTo || !says(answering))
        return false;
      seenTo = window.to;
    }
    return seenTo > from && seenTo >= to - AROUND_MS;
  }

  #answered(agent: string, at: number): void {
    const failedAt = this.#failedAt.get(agent);
    if (failedAt !== undefined && at >= failedAt) this.#failedAt.delete(agent);
  }
}

/** Whether it says that a backend cannot be reached, or that nothing listens there. */
export function isFailure(result: ProbeResult): boolean {
  return result === 'timed out' || result === 'unreachable' || result === 'refused';
}
