import type { Table } from '../model/kernel.ts';
import type { UnknownPart } from '../model/snapshot.ts';
import type { DecisionTable } from '../plan/decision.ts';
import type { PlanDraft } from '../plan/plan.ts';
import {
  findUnclaimed,
  KEPT_UNTIL,
  keepUnclaimed,
  NOTHING_KEPT,
  stillUnclaimed,
  type Unclaimed,
  whyKept,
} from '../plan/unclaimed.ts';

/** Whether every source has been read, what of them is unknown, and the kernel's table. */
interface SourcesAndTable {
  readonly complete: boolean;
  readonly unknown: readonly UnknownPart[];
  readonly observed: Table;
}

/**
 * Keeps owned backends from before the start that no source claims, as long as some part of a source is unknown (rule 2): they
 * may belong to that part.
 *
 * A backend that was claimed since the start is not kept: the source that claimed it reports its end. So only the first
 * complete plan, and services that are adopted, add kept backends.
 */
export class UnclaimedBackends {
  #unclaimed: Unclaimed = NOTHING_KEPT;
  #isFirst = true;
  /** Whether a complete plan was made. */
  #isPlanned = false;

  /** Starts a pass, which may plan several times. */
  begin(): void {
    if (this.#isPlanned) this.#isFirst = false;
  }

  /** Returns the plan without the removals of what is kept. */
  keep(
    plan: PlanDraft,
    context: Parameters<typeof findUnclaimed>[1],
    { complete, unknown, observed }: SourcesAndTable,
  ): { readonly plan: PlanDraft; readonly kept: Unclaimed } {
    if (!complete) return { plan, kept: NOTHING_KEPT };
    this.#isPlanned = true;
    if (unknown.length === 0) {
      this.#unclaimed = NOTHING_KEPT;
      return { plan, kept: NOTHING_KEPT };
    }
    const adopted = new Set(plan.services.filter((service) => service.adopted).map(({ key }) => key));
    const found = new Map(stillUnclaimed(this.#unclaimed, context));
    if (this.#isFirst || adopted.size > 0)
      for (const [key, endpoints] of findUnclaimed(plan, context))
        if (this.#isFirst || adopted.has(key)) found.set(key, endpoints);
    this.#unclaimed = found;
    return { plan: found.size === 0 ? plan : keepUnclaimed(plan, found, observed, unknown), kept: found };
  }
}

/** Adds the decisions about what is kept. */
export function decideKept(decisions: DecisionTable, kept: Unclaimed, unknown: readonly UnknownPart[]): void {
  if (kept.size === 0) return;
  const decision = {
    rule: 'unknown part',
    reason: whyKept(unknown),
    endsWhen: KEPT_UNTIL,
    endsAt: null,
  } as const;
  for (const [service, endpoints] of kept)
    for (const endpoint of endpoints) decisions.add(service, endpoint, decision);
}
