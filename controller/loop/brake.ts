import { type BackendKey, endpointKey } from '../model.ts';
import { type BrakeContext, holdMassRemoval } from '../plan/brake.ts';
import type { Plan } from '../plan/plan.ts';
import type { HeldRemoval } from '../status/pass-status.ts';

export interface BrakeRules {
  /** Share of VIPs, or of backends in rotation, up to which a pass may take away: 0.5 is half. */
  readonly share: number;
  /** How long the sources must say the same before it is believed, in milliseconds. */
  readonly holdMs: number;
}

/** A backend said to be gone by name is out of the kernel long before this, or fails to go for other reasons. */
const NAMED_MS = 600_000;

/**
 * Holds a mass removal until the sources have said the same for a while (rule 4): remembers since when each backend is
 * held, which ends were told by name, and which were confirmed by reading the sources anew.
 */
export class Brake {
  /** null: never holds. */
  readonly #rules: BrakeRules | null;
  /** Backends that are held, since when. */
  #since: ReadonlyMap<BackendKey, number> = new Map();
  /** Endpoints whose end is believed, since when. */
  readonly #believed = new Map<BackendKey, number>();

  constructor(rules: BrakeRules | null) {
    this.#rules = rules;
  }

  /** The sources said by name that what was at these endpoints is gone. */
  believe(gone: Iterable<BackendKey>, now: number): void {
    for (const endpoint of gone) {
      // The oldest stand first.
      this.#believed.delete(endpoint);
      this.#believed.set(endpoint, now);
    }
  }

  /** The plan without what is held, and what that is; null: nothing. */
  hold(
    plan: Plan,
    context: Omit<BrakeContext, 'named' | 'heldBefore' | 'share'>,
    now: number,
  ): { readonly plan: Plan; readonly held: HeldRemoval | null } {
    if (this.#rules === null) return { plan, held: null };
    const { share, holdMs } = this.#rules;
    this.#forget(plan, now);
    const named = (endpoint: BackendKey) => this.#believed.has(endpoint);
    const heldBefore = (endpoint: BackendKey) => this.#since.has(endpoint);
    const result = holdMassRemoval(plan, { ...context, named, heldBefore, share });
    const since = new Map<BackendKey, number>();
    for (const endpoint of result.held?.endpoints ?? [])
      since.set(endpoint, this.#since.get(endpoint) ?? now);
    this.#since = since;
    if (result.held === null) return { plan: result.plan, held: null };
    const first = Math.min(...since.values());
    return { plan: result.plan, held: { ...result.held, since: first, until: first + holdMs } };
  }

  /** The backends that have been held for long enough to ask the sources once more. */
  due(now: number): ReadonlySet<BackendKey> {
    const holdMs = this.#rules?.holdMs ?? 0;
    return new Set(
      [...this.#since].filter(([, since]) => now - since >= holdMs).map(([endpoint]) => endpoint),
    );
  }

  /** The sources were read anew: of what was due, `missing` is still missing and may go. The rest waits again. */
  confirm(due: ReadonlySet<BackendKey>, missing: ReadonlySet<BackendKey>, now: number): void {
    this.believe(missing, now);
    this.#since = new Map(
      [...this.#since].map(([endpoint, since]) => [
        endpoint,
        due.has(endpoint) && !missing.has(endpoint) ? now : since,
      ]),
    );
  }

  #forget(plan: Plan, now: number): void {
    // Who comes into rotation there is somebody else, or well again.
    for (const step of plan.growing) {
      const enters = step.op === 'add-backend' || step.op === 'update-backend';
      if (enters && step.backend.weight > 0) this.#believed.delete(endpointKey(step.backend));
    }
    for (const [endpoint, at] of this.#believed) {
      if (now - at <= NAMED_MS) break;
      this.#believed.delete(endpoint);
    }
  }
}
