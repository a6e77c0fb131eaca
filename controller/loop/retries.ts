import { familyOf } from '../address.ts';
import { Backoff } from '../backoff.ts';
import { endpointKey } from '../model/endpoint.ts';
import type { Step, Table } from '../model/kernel.ts';
import { serviceKey } from '../model/service.ts';
import type { RefusedBackend } from '../pass-status.ts';
import type { Decision } from '../plan/decision.ts';
import type { Plan } from '../plan/plan.ts';
import type { StepFailure } from '../ports.ts';
import { earliest } from '../time.ts';

const STEP_RETRY = { firstMs: 200, limitMs: 60_000 };
const ADDRESS_RETRY = { firstMs: 60_000, limitMs: 3_600_000 };
/** Each retry makes the kernel look for a module and log that there is none. */
const SCHEDULER_RETRY = { firstMs: 5_000, limitMs: 60_000 };

const REFUSED = "this host's kernel does not accept the address as a destination (EINVAL)";

/**
 * What the kernel refused, and when it is tried again. Every failed step is postponed by itself, with two exceptions:
 *
 * - An address that the kernel refuses as a destination is a fault in the data of one app and not a failure: the service works
 *   without these backends. Only when the kernel accepts another backend of the family: if it refuses all, the fault is not in
 *   one app.
 * - A scheduler that the kernel lacks is replaced until its retry. The kernel loads its module with the first service that uses
 *   it, so a refusal is the only way to find out.
 */
export class Retries {
  readonly #steps: Backoff;
  readonly #addresses: Backoff;
  readonly #schedulers: Backoff;
  /** Schedulers that a service has been added or changed with. */
  readonly #present = new Set<string>();

  /** `random` gives numbers in [0, 1). */
  constructor(random: () => number) {
    this.#steps = new Backoff(STEP_RETRY, random);
    this.#addresses = new Backoff(ADDRESS_RETRY, random);
    this.#schedulers = new Backoff(SCHEDULER_RETRY, random);
  }

  /** When the next retry after the pass at `lastPass` is due; null when there is none. */
  nextDue(lastPass: number): number | null {
    const tables = [this.#steps, this.#addresses, this.#schedulers];
    return earliest(...tables.map((table) => table.nextDue(lastPass)));
  }

  /** Whether the retry of this step is not due yet. */
  postpones(step: Step, now: number): boolean {
    if (step.op === 'add-backend' && this.#addresses.postpones(step.backend.address, now)) return true;
    return !this.#steps.isEmpty && this.#steps.postpones(retryKey(step), now);
  }

  /**
   * Ends a pass, with the results of the steps of a plan. Forgets what the plan no longer has, and schedulers whose retry was
   * due and that no service declared.
   */
  settle(succeeded: readonly Step[], failures: readonly StepFailure[], plan: Plan, now: number): void {
    this.#schedulers.prune((scheduler) => this.#schedulers.postpones(scheduler, now));
    if (!this.#addresses.isEmpty) {
      const wanted = new Set(plan.growing.flatMap((step) => ('backend' in step ? step.backend.address : [])));
      this.#addresses.prune((address) => wanted.has(address));
    }
    if (failures.length === 0 && this.#steps.isEmpty) return;
    const failed = new Set(failures.map(({ step }) => retryKey(step)));
    for (const key of succeeded.map(retryKey)) if (!failed.has(key)) this.#steps.succeeded(key);
    for (const key of failed) this.#steps.failed(key, now);
    const wanted = new Set([...plan.growing, ...plan.shrinking].map(retryKey));
    this.#steps.prune((key) => wanted.has(key));
  }

  /** The decision about a step that was not applied because it, its backend's address or its service failed. */
  decisionOf(step: Step): Decision {
    const refused = step.op === 'add-backend' ? this.#addresses.all.get(step.backend.address) : undefined;
    if (refused !== undefined) {
      const endsWhen = 'the kernel accepts its address; it is retried';
      return { rule: 'refused', since: refused.since, endsWhen, endsAt: refused.due };
    }
    const own = this.#steps.all.get(retryKey(step));
    const { since, due = null } = own ?? this.#steps.all.get(serviceKey(step.service)) ?? {};
    const waitsForService = own === undefined && 'backend' in step;
    const what = waitsForService
      ? 'its service, which could not be added, is in the kernel'
      : 'its write succeeds';
    const endsWhen = `${what}; it is retried`;
    return { rule: 'postponed', ...(since !== undefined && { since }), endsWhen, endsAt: due };
  }

  // ---- addresses that the kernel does not accept as destinations ----------------------------------------

  /** All refused addresses. */
  get refused(): readonly RefusedBackend[] {
    return [...this.#addresses.all].map(([address, { since, due }]) => {
      return { address, since, endsAt: due, reason: REFUSED };
    });
  }

  /** Whether this step adds a backend at a refused address. */
  isRefused(step: Step): boolean {
    return step.op === 'add-backend' && this.#addresses.all.has(step.backend.address);
  }

  /**
   * Learns the refused addresses from the results of the `tried` steps and the table after them. Returns the failures that are
   * no such refusals.
   */
  learnRefused(
    tried: readonly Step[],
    failures: readonly StepFailure[],
    table: Table,
    now: number,
  ): readonly StepFailure[] {
    const refused = new Set<string>();
    const others = failures.filter(({ step, why }) => {
      if (step.op !== 'add-backend' || why !== 'refused-backend' || !hasOther(step, table)) return true;
      refused.add(step.backend.address);
      return false;
    });
    for (const step of tried)
      if (step.op === 'add-backend' && !refused.has(step.backend.address))
        this.#addresses.succeeded(step.backend.address);
    for (const address of refused) this.#addresses.failed(address, now);
    return others;
  }

  // ---- schedulers that the kernel lacks -----------------------------------------------------------------

  /** Schedulers that the kernel lacks, without those whose retry is due. */
  lacking(now: number): ReadonlySet<string> {
    const missed = [...this.#schedulers.all.keys()];
    return new Set(missed.filter((scheduler) => this.#schedulers.postpones(scheduler, now)));
  }

  /** The first of these steps for each scheduler that no service has been added with yet. */
  firstOfEachUnknown(steps: readonly Step[]): ReadonlySet<Step> {
    const first = new Map<string, Step>();
    for (const step of steps) {
      const scheduler = schedulerOf(step);
      if (scheduler !== null && !this.#present.has(scheduler) && !first.has(scheduler))
        first.set(scheduler, step);
    }
    return new Set(first.values());
  }

  /** Records that a service was added or changed with this scheduler. */
  schedulerFound(scheduler: string): void {
    this.#present.add(scheduler);
    this.#schedulers.succeeded(scheduler);
  }

  /** Records that the kernel refused a service because it lacks this scheduler. */
  schedulerMissed(scheduler: string, now: number): void {
    this.#present.delete(scheduler);
    this.#schedulers.failed(scheduler, now);
  }
}

/** The scheduler in a step; null when it has none. */
export function schedulerOf(step: Step): string | null {
  return step.op === 'add-service' || step.op === 'update-service' ? step.service.scheduler : null;
}

/** Each backend is postponed by itself, as are the existence and the settings of a service. */
function retryKey(step: Step): string {
  if ('backend' in step) return `${serviceKey(step.service)} ${endpointKey(step.backend)}`;
  return step.op === 'update-service' ? `${serviceKey(step.service)} settings` : serviceKey(step.service);
}

function hasOther({ service }: Step, table: Table): boolean {
  const family = familyOf(service.address);
  for (const { address, backends } of table.values())
    if (familyOf(address) === family && backends.size > 0) return true;
  return false;
}
