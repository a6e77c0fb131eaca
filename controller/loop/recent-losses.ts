import type { BackendKey } from '../model/endpoint.ts';
import type { Table } from '../model/kernel.ts';
import type { ServiceKey } from '../model/service.ts';
import type { RecentLoss } from '../plan/brake.ts';
import { inRotation, type Losses } from '../plan/losses.ts';

/** What one pass took out of the rotation of a VIP. */
interface Step {
  readonly at: number;
  /** Backends in rotation before, and how many fewer the unnamed removals left. */
  readonly before: number;
  readonly lost: number;
  /** Whether none was left. */
  readonly whole: boolean;
}

/** What a plan is about to take out of the rotation of a VIP. */
interface Planned extends Step {
  readonly backends: readonly BackendKey[];
}

/**
 * How far each VIP is below the most backends that it had in rotation within a window, because of removals that no source named
 * and that were too few to be held. Many such passes in a row, as when apps are read one by one, are one mass removal; a rolling
 * restart is none, although each of its passes may lose one backend, since each other pass adds one.
 *
 * Removals that are named, or decided here, lower the most that counts.
 */
export class RecentLosses {
  readonly #steps = new Map<ServiceKey, Step[]>();
  /** Of the last plan; whether it was carried out shows in the kernel's table. */
  readonly #planned = new Map<ServiceKey, Planned>();
  readonly #windowMs: number;

  /** `windowMs`: how long a loss counts, in milliseconds. */
  constructor(windowMs: number) {
    this.#windowMs = windowMs;
  }

  /** Sets what a plan takes out of rotation. A later plan of the same pass replaces it. */
  plan(losses: Losses, observed: Table, now: number): void {
    this.#planned.clear();
    for (const [service, { backends, net, whole }] of losses) {
      const before = inRotation(observed.get(service));
      this.#planned.set(service, { at: now, before, lost: net, whole, backends: [...backends.keys()] });
    }
  }

  /** Takes what the last plan did: what failed, or was planned otherwise later, is not lost. */
  settle(observed: Table): void {
    for (const [key, { backends, ...step }] of this.#planned) {
      const there = observed.get(key);
      const left = inRotation(there);
      const out = backends.filter((endpoint) => !((there?.backends.get(endpoint)?.weight ?? 0) > 0)).length;
      const lost = Math.min(step.lost, out, step.before - left);
      if (lost <= 0) continue;
      const steps = this.#steps.get(key) ?? [];
      steps.push({ ...step, lost, whole: step.whole && left === 0 });
      this.#steps.set(key, steps);
    }
    this.#planned.clear();
  }

  /** What the VIPs lost within the window and have not gained since. Times are milliseconds of the monotonic clock. */
  count(observed: Table, now: number): RecentLoss {
    let vips = 0;
    let backends = 0;
    for (const [key, all] of this.#steps) {
      const steps = all.filter(({ at }) => now - at < this.#windowMs);
      if (steps.length === 0) {
        this.#steps.delete(key);
        continue;
      }
      this.#steps.set(key, steps);
      const left = inRotation(observed.get(key));
      backends += shortfall(steps, left);
      if (left === 0 && steps.at(-1)?.whole === true) vips += 1;
    }
    return { vips, backends };
  }
}

/** `left`: how many backends are in rotation now. */
function shortfall(steps: readonly Step[], left: number): number {
  let short = 0;
  let after: number | null = null;
  for (const { before, lost } of steps) {
    short = missing(short, after, before) + lost;
    after = before - lost;
  }
  return missing(short, after, left);
}

/** What is still missing of `short` backends where a VIP had `then` in rotation and has `now`. */
function missing(short: number, then: number | null, now: number): number {
  return Math.max(0, short - Math.max(0, now - (then ?? now)));
}
