import { endpointKey, type Step, serviceKey } from '../model.ts';
import type { Decision } from '../plan/decision.ts';
import type { Plan } from '../plan/plan.ts';
import type { StepFailure } from '../ports.ts';
import { Backoff } from './backoff.ts';

const RETRY = { firstMs: 200, limitMs: 60_000 };

/** Steps whose write failed: each waits for its next try, after a delay that grows. */
export class PostponedSteps {
  readonly #backoff: Backoff<string>;

  /** `random` gives numbers in [0, 1). */
  constructor(random: () => number) {
    this.#backoff = new Backoff(RETRY, random);
  }

  /** Whether this step is to be left alone for now. */
  has(step: Step, now: number): boolean {
    return !this.#backoff.isEmpty && this.#backoff.postpones(backoffKey(step), now);
  }

  /** When the next of them may be tried; null where there is none. */
  nextDue(): number | null {
    return this.#backoff.nextDue();
  }

  /** Takes how `tried` steps of a plan went. Forgets those that it does not have any more. */
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

  /** Why a step was not made: its own write failed, or that of its service. */
  decisionOf(step: Step): Decision {
    const own = this.#backoff.all.get(backoffKey(step));
    const { since, due = null } = own ?? this.#backoff.all.get(serviceKey(step.service)) ?? {};
    const waitsForService = own === undefined && 'backend' in step;
    const what = waitsForService
      ? 'its service, which could not be made, is in the kernel'
      : 'its write succeeds';
    return {
      rule: 'postponed',
      ...(since !== undefined && { since }),
      endsWhen: `${what}; it is tried again`,
      endsAt: due,
    };
  }
}

/** Each backend waits by itself after a failure, and so does the service: as a whole, and its settings. */
function backoffKey(step: Step): string {
  if ('backend' in step) return `${serviceKey(step.service)} ${endpointKey(step.backend)}`;
  return step.op === 'update-service' ? `${serviceKey(step.service)} settings` : serviceKey(step.service);
}
