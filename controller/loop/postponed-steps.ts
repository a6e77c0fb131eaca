import { endpointKey } from '../model/endpoint.ts';
import type { Step } from '../model/kernel.ts';
import { serviceKey } from '../model/service.ts';
import type { Decision } from '../plan/decision.ts';
import type { Plan } from '../plan/plan.ts';
import type { StepFailure } from '../ports.ts';
import { Backoff } from './backoff.ts';

const RETRY = { firstMs: 200, limitMs: 60_000 };

/** Steps that failed. Each is retried after a growing delay. */
export class PostponedSteps {
  readonly #backoff: Backoff<string>;

  /** `random` gives numbers in [0, 1). */
  constructor(random: () => number) {
    this.#backoff = new Backoff(RETRY, random);
  }

  /** Whether the retry of this step is not due yet. */
  has(step: Step, now: number): boolean {
    return !this.#backoff.isEmpty && this.#backoff.postpones(backoffKey(step), now);
  }

  /** When the next retry after the pass at `looked` is due; null when there is none. */
  nextDue(looked: number): number | null {
    return this.#backoff.nextDue(looked);
  }

  /** Takes the results of the `tried` steps of a plan. Forgets steps that the plan no longer has. */
  settle(
    tried: readonly Step[],
    failures: readonly StepFailure[],
    { growing, shrinking }: Plan,
    now: number,
  ): void {
    if (failures.length === 0 && this.#backoff.isEmpty) return;
    const failed = new Set(failures.map(({ step }) => backoffKey(step)));
    for (const key of new Set(tried.map(backoffKey))) {
      if (failed.has(key)) this.#backoff.failed(key, now);
      else this.#backoff.succeeded(key);
    }
    const wanted = new Set([...growing, ...shrinking].map(backoffKey));
    this.#backoff.prune((key) => wanted.has(key));
  }

  /** The decision about a step that was not applied because it failed, or because its service did. */
  decisionOf(step: Step): Decision {
    const own = this.#backoff.all.get(backoffKey(step));
    const { since, due = null } = own ?? this.#backoff.all.get(serviceKey(step.service)) ?? {};
    const waitsForService = own === undefined && 'backend' in step;
    const what = waitsForService
      ? 'its service, which could not be added, is in the kernel'
      : 'its write succeeds';
    return {
      rule: 'postponed',
      ...(since !== undefined && { since }),
      endsWhen: `${what}; it is retried`,
      endsAt: due,
    };
  }
}

/** Each backend is postponed by itself, as are the existence and the settings of a service. */
function backoffKey(step: Step): string {
  if ('backend' in step) return `${serviceKey(step.service)} ${endpointKey(step.backend)}`;
  return step.op === 'update-service' ? `${serviceKey(step.service)} settings` : serviceKey(step.service);
}
