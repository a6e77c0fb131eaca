import type { BackendKey } from '../model/endpoint.ts';
import type { ServiceKey } from '../model/service.ts';
import type { HeldRemoval } from '../pass-status.ts';
import { type BrakeContext, holdMassRemoval } from '../plan/brake.ts';
import type { DecisionTable } from '../plan/decision.ts';
import { lossText } from '../plan/held-text.ts';
import { type LargeRemoval, type Leave, largeRemoval, type NamedEnd } from '../plan/large-removal.ts';
import { type Losses, leaving } from '../plan/losses.ts';
import { HALF } from '../plan/mass.ts';
import type { PlanDraft } from '../plan/plan.ts';
import { RecentLosses } from './recent-losses.ts';

/** What counts as a mass removal, and how long one is held. */
export interface BrakeRules {
  /** The share of VIPs, or of backends in rotation, that one pass may remove: 0.5 is half. */
  readonly share: number;
  /** How long a removal is held before the sources are read again, in milliseconds. */
  readonly holdMs: number;
}

/** What is compared with what, to find losses that no source named. */
export interface HoldContext extends Omit<BrakeContext, 'named' | 'heldBefore' | 'share'> {
  /** Whether a backend leaves by a decision of this host, which no source has to name. */
  readonly decidedHere: (endpoint: BackendKey, service: ServiceKey) => boolean;
}

/** A named end is forgotten after this: by then the backend is gone, or stays for other reasons. */
const NAMED_MS = 600_000;

/**
 * The mass-removal brake (rule 4): remembers since when each backend is held, which ends sources named, and which removals
 * were confirmed by reading the sources again.
 */
export class Brake {
  /** null: the brake is off. */
  readonly #rules: BrakeRules | null;
  /** Held backends, and since when they are held. */
  #since: ReadonlyMap<BackendKey, number> = new Map();
  #held: Losses = new Map();
  /** Endpoints whose removal is accepted, and why; until a plan was made with them. */
  readonly #accepted = new Map<BackendKey, Leave>();
  /** Accepted removals of backends from VIPs, until they are done. */
  readonly #released = new Map<string, { readonly since: number; readonly leave: Leave }>();
  /** Whether a plan was made with everything in `#accepted`. */
  #planned = false;
  readonly #recent: RecentLosses;

  constructor(rules: BrakeRules | null) {
    this.#rules = rules;
    this.#recent = new RecentLosses(rules?.holdMs ?? 0);
  }

  /**
   * Starts a pass. `gone`: the tasks that sources named as ended, or as no longer serving a VIP. That counts for the VIPs that
   * these endpoints leave in this pass, and not for later ones.
   */
  begin(gone: Iterable<NamedEnd>, now: number): void {
    for (const [endpoint, { at }] of this.#accepted)
      if (this.#planned || now - at > NAMED_MS) this.#accepted.delete(endpoint);
    this.#planned = false;
    for (const { endpoint, source } of gone) this.#accepted.set(endpoint, { rule: 'named', source, at: now });
  }

  /** Whether a source named the task at this endpoint as ended, or as no longer serving this VIP. */
  isNamed(endpoint: BackendKey, service: ServiceKey): boolean {
    const leaves = [this.#accepted.get(endpoint), this.#released.get(`${service} ${endpoint}`)?.leave];
    return leaves.some((leave) => leave?.rule === 'named');
  }

  /** Holds a mass removal: returns the plan without the held removals, and what is held (null when nothing is). */
  hold(
    plan: PlanDraft,
    context: HoldContext,
    now: number,
  ): { readonly plan: PlanDraft; readonly held: HeldRemoval | null } {
    if (this.#rules === null) return { plan, held: null };
    const { share, holdMs } = this.#rules;
    this.#releaseAccepted(plan, context, now);
    const named = (endpoint: BackendKey, service: ServiceKey) =>
      this.#released.has(`${service} ${endpoint}`) || context.decidedHere(endpoint, service);
    const heldBefore = (endpoint: BackendKey, service: ServiceKey) =>
      this.#held.get(service)?.backends.has(endpoint) === true;
    const { observed } = context;
    this.#recent.settle(observed);
    const recent = () => this.#recent.count(observed, now);
    const result = holdMassRemoval(plan, { ...context, named, heldBefore, share, recent });
    this.#recent.plan(result.gone, observed, now);
    const since = new Map<BackendKey, number>();
    for (const endpoint of result.held?.endpoints ?? [])
      since.set(endpoint, this.#since.get(endpoint) ?? now);
    this.#since = since;
    this.#held = result.held === null ? new Map() : result.losses;
    if (result.held === null) return { plan: result.plan, held: null };
    const first = since.values().reduce((earliest, at) => Math.min(earliest, at), now);
    return { plan: result.plan, held: { ...result.held, since: first, until: first + holdMs } };
  }

  /** Adds the decisions about held backends, as of the last plan. */
  decide(decisions: DecisionTable, now: number): void {
    const holdMs = this.#rules?.holdMs ?? 0;
    for (const [service, { backends }] of this.#held)
      for (const [endpoint, why] of backends) {
        const since = this.#since.get(endpoint) ?? now;
        decisions.add(service, endpoint, {
          rule: 'mass removal',
          since,
          reason: lossText(why),
          endsWhen: 'a source names it, or the sources, read again, say the same',
          endsAt: since + holdMs,
        });
      }
  }

  /** The backends that have been held for long enough to read the sources again. */
  due(now: number): ReadonlySet<BackendKey> {
    const holdMs = this.#rules?.holdMs ?? 0;
    return new Set(
      [...this.#since].filter(([, since]) => now - since >= holdMs).map(([endpoint]) => endpoint),
    );
  }

  /** Takes a new read of the sources: of the backends that were due, the `confirmed` ones may go; the others are held again. */
  confirm(due: ReadonlySet<BackendKey>, confirmed: ReadonlySet<BackendKey>, now: number): void {
    // A plan was made with earlier ends, but not with these.
    if (this.#planned) this.#accepted.clear();
    this.#planned = false;
    for (const endpoint of confirmed)
      this.#accepted.set(endpoint, { rule: 'confirmed', source: null, at: now });
    this.#since = new Map(
      [...this.#since].map(([endpoint, since]) => [
        endpoint,
        due.has(endpoint) && !confirmed.has(endpoint) ? now : since,
      ]),
    );
  }

  /** Explains a large removal that is not held; null when the removal is small. `plan`: without what is held. */
  largeRemoval(plan: PlanDraft, context: HoldContext, now: number): LargeRemoval | null {
    const { taskAt } = context;
    const leaveOf = (endpoint: BackendKey, service: ServiceKey): Leave => {
      if (this.#rules === null) return { rule: 'brake off', source: null, at: now };
      const known = this.#released.get(`${service} ${endpoint}`)?.leave;
      if (known !== undefined) return known;
      const rule = taskAt(endpoint)?.condition === 'ended' ? 'ended' : 'few';
      return { rule, source: null, at: now };
    };
    return largeRemoval(plan, { ...context, share: this.#rules?.share ?? HALF }, leaveOf);
  }

  #releaseAccepted(plan: PlanDraft, context: Pick<BrakeContext, 'observed' | 'owned'>, now: number): void {
    this.#planned = true;
    if (this.#accepted.size + this.#released.size === 0) return;
    const left = new Set<string>();
    for (const [service, endpoint] of leaving(plan, context)) {
      const key = `${service} ${endpoint}`;
      const leave = this.#accepted.get(endpoint);
      if (leave !== undefined) this.#released.set(key, { since: now, leave });
      left.add(key);
    }
    // Removals that are done or obsolete, and those that cannot be done for other reasons.
    for (const [key, { since }] of this.#released)
      if (!left.has(key) || now - since > NAMED_MS) this.#released.delete(key);
  }
}
