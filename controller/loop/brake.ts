import type { BackendKey, ServiceKey } from '../model.ts';
import type { HeldRemoval } from '../pass-status.ts';
import { type BrakeContext, holdMassRemoval } from '../plan/brake.ts';
import type { DecisionTable } from '../plan/decision.ts';
import { lossText } from '../plan/held-text.ts';
import { type LargeRemoval, type Leave, largeRemoval, type NamedEnd } from '../plan/let-go.ts';
import { type Losses, leaving } from '../plan/losses.ts';
import type { Plan } from '../plan/plan.ts';

export interface BrakeRules {
  /** Share of VIPs, or of backends in rotation, up to which a pass may take away: 0.5 is half. */
  readonly share: number;
  /** How long the sources must say the same before it is accepted, in milliseconds. */
  readonly holdMs: number;
}

interface HoldContext extends Omit<BrakeContext, 'named' | 'heldBefore' | 'share'> {
  /** Whether a backend leaves by a decision of this host, for which no source need give its word. */
  readonly decidedHere: (endpoint: BackendKey, service: ServiceKey) => boolean;
}

/** Share by which a removal counts as large where there are no rules: the default of `--mass-removal-percent`. */
const HALF = 0.5;
/** A backend said to be gone by name is out of the kernel long before this, or fails to go for other reasons. */
const NAMED_MS = 600_000;

/**
 * Holds a mass removal until the sources have said the same for a while (rule 4): remembers since when each backend is
 * held, which ends were told by name, and which were confirmed by reading the sources anew.
 */
export class Brake {
  /** null: never holds. */
  readonly #rules: BrakeRules | null;
  /** Backends that are held, since when; and in which VIPs. */
  #since: ReadonlyMap<BackendKey, number> = new Map();
  #held: Losses = new Map();
  /** Endpoints whose end is accepted and that no plan has been made with yet, with why. */
  readonly #accepted = new Map<BackendKey, Leave>();
  /** What is let go because it was accepted, VIP by VIP, since when and for what; until it is done. */
  readonly #letGo = new Map<string, { readonly since: number; readonly leave: Leave }>();
  /** Whether a plan has been made with all that is accepted. */
  #planned = false;

  constructor(rules: BrakeRules | null) {
    this.#rules = rules;
  }

  /**
   * A pass begins: the sources said by name that what is at these endpoints is gone, or serves a VIP no more. It counts for
   * the VIPs that the endpoints leave in this pass: in which others they are later is to be told of anew.
   */
  begin(gone: Iterable<NamedEnd>, now: number): void {
    for (const [endpoint, { at }] of this.#accepted)
      if (this.#planned || now - at > NAMED_MS) this.#accepted.delete(endpoint);
    this.#planned = false;
    for (const { endpoint, source } of gone) this.#accepted.set(endpoint, { rule: 'named', source, at: now });
  }

  /** Whether a source said by name that what is at this endpoint is gone, or serves this VIP no more. */
  isNamed(endpoint: BackendKey, service: ServiceKey): boolean {
    const leaves = [this.#accepted.get(endpoint), this.#letGo.get(`${service} ${endpoint}`)?.leave];
    return leaves.some((leave) => leave?.rule === 'named');
  }

  /** The plan without what is held, and what that is; null: nothing. */
  hold(
    plan: Plan,
    context: HoldContext,
    now: number,
  ): { readonly plan: Plan; readonly held: HeldRemoval | null } {
    if (this.#rules === null) return { plan, held: null };
    const { share, holdMs } = this.#rules;
    this.#letGoWhatIsAccepted(plan, context, now);
    const named = (endpoint: BackendKey, service: ServiceKey) =>
      this.#letGo.has(`${service} ${endpoint}`) || context.decidedHere(endpoint, service);
    const heldBefore = (endpoint: BackendKey, service: ServiceKey) =>
      this.#held.get(service)?.backends.has(endpoint) === true;
    const result = holdMassRemoval(plan, { ...context, named, heldBefore, share });
    const since = new Map<BackendKey, number>();
    for (const endpoint of result.held?.endpoints ?? [])
      since.set(endpoint, this.#since.get(endpoint) ?? now);
    this.#since = since;
    this.#held = result.held === null ? new Map() : result.losses;
    if (result.held === null) return { plan: result.plan, held: null };
    const first = Math.min(...since.values());
    return { plan: result.plan, held: { ...result.held, since: first, until: first + holdMs } };
  }

  /** Why each backend that is held stays, as of the last plan. */
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

  /** The backends that have been held for long enough to ask the sources once more. */
  due(now: number): ReadonlySet<BackendKey> {
    const holdMs = this.#rules?.holdMs ?? 0;
    return new Set(
      [...this.#since].filter(([, since]) => now - since >= holdMs).map(([endpoint]) => endpoint),
    );
  }

  /** The sources were read anew: of what was due, `confirmed` still is not to serve and may go. The rest waits again. */
  confirm(due: ReadonlySet<BackendKey>, confirmed: ReadonlySet<BackendKey>, now: number): void {
    // What was told before a pass has been planned with; this has not.
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

  /** Why what this plan takes away is not held, where it is so much that one may ask; `plan` is without what is held. */
  letGo(plan: Plan, context: HoldContext, now: number): LargeRemoval | null {
    const { taskAt } = context;
    const leaveOf = (endpoint: BackendKey, service: ServiceKey): Leave => {
      if (this.#rules === null) return { rule: 'brake off', source: null, at: now };
      const known = this.#letGo.get(`${service} ${endpoint}`)?.leave;
      if (known !== undefined) return known;
      const rule = taskAt(endpoint)?.condition === 'ended' ? 'ended' : 'few';
      return { rule, source: null, at: now };
    };
    return largeRemoval(plan, { ...context, share: this.#rules?.share ?? HALF }, leaveOf);
  }

  #letGoWhatIsAccepted(plan: Plan, context: Pick<BrakeContext, 'observed' | 'owned'>, now: number): void {
    this.#planned = true;
    if (this.#accepted.size + this.#letGo.size === 0) return;
    const left = new Set<string>();
    for (const [service, endpoint] of leaving(plan, context)) {
      const key = `${service} ${endpoint}`;
      const leave = this.#accepted.get(endpoint);
      if (leave !== undefined) this.#letGo.set(key, { since: now, leave });
      left.add(key);
    }
    // What has been done, or come to nothing, and what cannot be done for other reasons.
    for (const [key, { since }] of this.#letGo)
      if (!left.has(key) || now - since > NAMED_MS) this.#letGo.delete(key);
  }
}
