import type { Blindness, EjectionCause, ProbeResult } from '../model/ejection.ts';

/** A span of time, in milliseconds of the monotonic clock. For a reading of connections: since the start of the one before. */
export interface Window {
  readonly from: number;
  readonly to: number;
}

/** How long an agent counts as failing after a failed probe: twice the longest interval between probes. */
const FAILING_MS = 60_000;
/** A reading over a longer window does not show that agents answered throughout it. */
const MAX_WINDOW_MS = 1_000;
/** Answers must be seen from this long before a probe, and until at most this long before its end. */
const AROUND_MS = 600;
/**
 * Maximum time without an answer during a probe. The connection requests of a probe are spread over a second, so a network
 * cut of this host that is too short to be noticed cannot affect all of them.
 */
const MAX_SILENCE_MS = 600;
/** How long readings and successful probes are kept: longer than a probe takes. */
const KEPT_MS = 5_000;
/** Probes that begin within this time of each other see the same network conditions. */
const TOGETHER_MS = 100;

/**
 * Tracks which agents answer this host, from client connections and from probes. It tracks agents rather than backends,
 * since a network failure of this host cuts it off from whole agents.
 */
export class Agents {
  #windows: { readonly window: Window; readonly answering: ReadonlySet<string> }[] = [];
  #witnesses: { readonly agent: string; readonly startedAt: number }[] = [];
  readonly #failedAt = new Map<string, number>();
  #blind: Blindness | null = null;

  /** Set from the first failure that is not proven until one is proven or none is open. */
  get blind(): Blindness | null {
    return this.#blind;
  }

  /** Records the verdict on a failure. null: no unproven failure is open. */
  recordVerdict(verdict: Verdict | null, now: number): void {
    const since = this.#blind?.since ?? now;
    const { isProven, failing, answering } = verdict ?? PROVEN;
    this.#blind = isProven ? null : { since, failing, answering };
  }

  /** Records the agents that answered new client connections in this window. */
  recordAnswers(window: Window, answering: ReadonlySet<string>): void {
    this.#windows.push({ window, answering });
    // An answer arrived at some time after the window began; its exact time is unknown.
    for (const agent of answering) this.#clearFailure(agent, window.from);
    this.#windows = this.#windows.filter(({ window: { to } }) => to > window.to - KEPT_MS);
  }

  /** Records a probe of one of the agent's TCP backends, with the results of all attempts. */
  recordProbe(agent: string, results: readonly ProbeResult[], startedAt: number, now: number): void {
    if (results.some((result) => result === 'connected')) this.#clearFailure(agent, startedAt);
    else if (results.every(isFailure)) this.#failedAt.set(agent, now);
    if (results.length > 1 && results.every((result) => result === 'connected'))
      this.#witnesses.push({ agent, startedAt });
    this.#witnesses = this.#witnesses.filter((one) => one.startedAt > now - KEPT_MS);
  }

  /** Agents with a failed probe and no answer since, together with those in `more`. */
  failing(now: number, ...more: readonly string[]): ReadonlySet<string> {
    for (const [agent, at] of this.#failedAt) if (at < now - FAILING_MS) this.#failedAt.delete(agent);
    return new Set([...this.#failedAt.keys(), ...more]);
  }

  /**
   * Whether this host is not to blame for a failed probe of one of this agent's backends: during the probe it reached other
   * backends of this agent, or at least as many agents as fail. Agents that are still being probed count as failing.
   */
  verdict(agent: string, during: Window, now: number, probed: readonly string[]): Verdict {
    const failing = this.failing(now, agent, ...probed);
    const answering = this.#answeringDuring(during, failing);
    const isProven = this.#reached(agent, during) || isHostHealthy(failing, answering);
    return { isProven, failing: failing.size, answering: answering.size };
  }

  /** Whether each recent reading shows an answer from an agent outside `except`, so that no witness need be probed. */
  isAnswerSeen(now: number, except: ReadonlySet<string>): boolean {
    return this.#holdsBefore(now, (answering) => [...answering].some((agent) => !except.has(agent)));
  }

  /**
   * Agents outside `except` that this host reached during a probe: those that answered a probe made at the same time, and
   * those that answered clients, if clients got answers throughout. Otherwise this host may have been cut off for part of
   * that time.
   */
  #answeringDuring(during: Window, except: ReadonlySet<string>): ReadonlySet<string> {
    const found = new Set<string>();
    for (const { agent, startedAt } of this.#witnesses)
      if (Math.abs(startedAt - during.from) <= TOGETHER_MS && !except.has(agent)) found.add(agent);
    const isOther = (agent: string) => !except.has(agent);
    if (!this.#holdsThroughout(during, (answering) => [...answering].some(isOther))) return found;
    for (const { answering } of this.#windowsIn({ from: during.from - AROUND_MS, to: during.to }))
      for (const agent of answering) if (isOther(agent)) found.add(agent);
    return found;
  }

  /** Whether this host reached this agent during the probe: then one of its backends fails, and not the agent. */
  #reached(agent: string, during: Window): boolean {
    const isSimultaneous = (startedAt: number) => Math.abs(startedAt - during.from) <= TOGETHER_MS;
    if (this.#witnesses.some((one) => one.agent === agent && isSimultaneous(one.startedAt))) return true;
    return this.#holdsThroughout(during, (answering) => answering.has(agent));
  }

  /**
   * Whether readings meet the condition from shortly before a probe until shortly before its end, with no long gap. Before
   * the probe too, since a cut at that time may be what made the backend a suspect.
   */
  #holdsThroughout({ from, to }: Window, condition: Condition): boolean {
    if (!this.#holdsBefore(from, condition)) return false;
    let last: Window | null = null;
    for (const { window, answering } of this.#windowsIn({ from: from - AROUND_MS, to })) {
      if (window.to - window.from > MAX_WINDOW_MS || !condition(answering)) continue;
      const isNext = last === null || window.from <= last.to;
      if (!isNext && window.to - (last?.from ?? 0) > MAX_SILENCE_MS) return false;
      last = window;
    }
    return last !== null && last.to >= to - AROUND_MS;
  }

  /** Whether each reading that ended shortly before this moment meets the condition, with no gap; false if there is none. */
  #holdsBefore(at: number, condition: Condition): boolean {
    const from = at - AROUND_MS;
    let seenTo = from;
    for (const { window, answering } of this.#windowsIn({ from, to: at })) {
      if (window.to > at) break;
      if (window.to - window.from > MAX_WINDOW_MS || window.from > seenTo || !condition(answering))
        return false;
      seenTo = window.to;
    }
    return seenTo > from;
  }

  /** Readings whose window overlaps this one, in order. */
  #windowsIn({ from, to }: Window) {
    return this.#windows.filter(({ window }) => window.to > from && window.from < to);
  }

  #clearFailure(agent: string, at: number): void {
    const failedAt = this.#failedAt.get(agent);
    if (failedAt !== undefined && at >= failedAt) this.#failedAt.delete(agent);
  }
}

type Condition = (answering: ReadonlySet<string>) => boolean;

/** Whether a failure is proven to be the backend's, with the numbers of agents that fail and that answered meanwhile. */
export interface Verdict {
  readonly isProven: boolean;
  readonly failing: number;
  readonly answering: number;
}

/** The verdict on a failure that needs no witness. */
export const PROVEN: Verdict = { isProven: true, failing: 0, answering: 0 };

/** Whether a probe attempt found that the backend cannot be reached or nothing listens on its port. */
export function isFailure(result: ProbeResult): boolean {
  return result === 'timed out' || result === 'unreachable' || result === 'refused';
}

/** Whether the failure may be of the whole agent, rather than of one of its ports. */
export function isAgentFailure(result: ProbeResult | EjectionCause | undefined): boolean {
  return result === 'timed out' || result === 'unreachable';
}

/**
 * Whether enough agents answer to blame those that do not: at least one, and as many as fail. Otherwise this host may be at
 * fault. `failing` and `answering` are agents other than this host.
 */
export function isHostHealthy(failing: ReadonlySet<string>, answering: ReadonlySet<string>): boolean {
  let answers = 0;
  for (const agent of answering) if (!failing.has(agent)) answers += 1;
  return answers >= failing.size && answers > 0;
}
