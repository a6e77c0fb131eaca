import { familyOf } from '../address.ts';
import type { Step, Table } from '../model/kernel.ts';
import type { RefusedBackend } from '../pass-status.ts';
import type { Decision } from '../plan/decision.ts';
import type { StepFailure } from '../ports.ts';
import { Backoff } from './backoff.ts';

const RETRY = { firstMs: 60_000, limitMs: 3_600_000 };
const REASON = "this host's kernel does not accept the address as a destination (EINVAL)";

/**
 * Addresses of backends that this host's kernel refuses as destinations. That is a fault in the data of one app and not a
 * failure: the service works without these backends, and each address is retried after a minute, two, and so on up to an
 * hour.
 *
 * Only when the kernel accepts another backend of the family: if it refuses all, the fault is not in one app.
 */
export class RefusedBackends {
  readonly #backoff: Backoff<string>;

  /** `random` gives numbers in [0, 1). */
  constructor(random: () => number) {
    this.#backoff = new Backoff(RETRY, random);
  }

  /** All refused addresses. */
  get all(): readonly RefusedBackend[] {
    return [...this.#backoff.all].map(([address, { since, due }]) => {
      return { address, since, endsAt: due, reason: REASON };
    });
  }

  /** Whether this step adds a backend at a refused address. */
  has(step: Step): boolean {
    return step.op === 'add-backend' && this.#backoff.all.has(step.backend.address);
  }

  /** Whether the retry of this step is not due yet. */
  postpones(step: Step, now: number): boolean {
    return step.op === 'add-backend' && this.#backoff.postpones(step.backend.address, now);
  }

  /** When the next retry after the pass at `looked` is due; null when there is none. */
  nextDue(looked: number): number | null {
    return this.#backoff.nextDue(looked);
  }

  /**
   * Takes the results of the `tried` steps, and the table after them. Returns the failures that are not refusals.
   */
  learn(
    tried: readonly Step[],
    failures: readonly StepFailure[],
    table: Table,
    now: number,
  ): readonly StepFailure[] {
    const refused = new Set<string>();
    const others = failures.filter((failure) => {
      const { step, why } = failure;
      if (step.op !== 'add-backend' || why !== 'refused-backend' || !hasOther(step, table)) return true;
      refused.add(step.backend.address);
      return false;
    });
    for (const step of tried)
      if (step.op === 'add-backend' && !refused.has(step.backend.address))
        this.#backoff.succeeded(step.backend.address);
    for (const address of refused) this.#backoff.failed(address, now);
    return others;
  }

  /** Forgets addresses that none of these steps adds any more. */
  prune(planned: readonly Step[]): void {
    if (this.#backoff.isEmpty) return;
    const wanted = new Set(planned.flatMap((step) => ('backend' in step ? step.backend.address : [])));
    this.#backoff.prune((address) => wanted.has(address));
  }

  /** The decision about a step at a refused address; null for any other step. */
  decisionOf(step: Step): Decision | null {
    const postponed = step.op === 'add-backend' ? this.#backoff.all.get(step.backend.address) : undefined;
    if (postponed === undefined) return null;
    const { since, due } = postponed;
    return {
      rule: 'refused',
      since,
      endsWhen: 'the kernel accepts its address; it is retried',
      endsAt: due,
    };
  }
}

function hasOther({ service }: Step, table: Table): boolean {
  const family = familyOf(service.address);
  for (const { address, backends } of table.values())
    if (familyOf(address) === family && backends.size > 0) return true;
  return false;
}
