import { type Desired, endpointKey, type ServiceKey, type Step, serviceKey } from '../model.ts';
import type { Pace } from '../pace.ts';
import type { RefusedBackend } from '../pass-status.ts';
import type { Decision, DecisionTable } from '../plan/decision.ts';
import { formatStep } from '../plan/ipvsadm.ts';
import { type LastRules, withoutLastInRotation } from '../plan/last-in-rotation.ts';
import type { Plan } from '../plan/plan.ts';
import type { IpvsTable, Names, StepFailure } from '../ports.ts';
import { FALLBACK_SCHEDULER } from '../schedulers.ts';
import { Backoff, earliest } from './backoff.ts';
import { Forwarding } from './forwarding.ts';
import type { KernelView } from './kernel-view.ts';
import { made, type Outcome } from './outcome.ts';
import type { ReachabilityView } from './reachability-view.ts';
import { RefusedBackends } from './refused-backends.ts';
import { Routes } from './routes.ts';
import { Schedulers } from './schedulers.ts';

/** So many steps are written before others have a turn. */
const STEPS_AT_ONCE = 4_096;
const RETRY = { firstMs: 200, limitMs: 60_000 };

export interface ApplierPorts {
  readonly table: IpvsTable;
  readonly names?: Names | undefined;
  readonly view: KernelView;
  readonly reachability: ReachabilityView;
  /** Why nothing may be written to this service; null where it may. */
  readonly unrecorded: (service: ServiceKey) => Error | null;
  /** Whether an address lies in a pool of named VIPs. */
  readonly inPool: (address: string) => boolean;
  /** In [0, 1). */
  readonly random: () => number;
}

/** What a pass works with. */
export interface ApplyRequest extends Pick<LastRules, 'named' | 'lives'> {
  readonly desired: Desired;
  readonly plan: Plan;
  /** Takes why steps are not made. */
  readonly decisions: DecisionTable;
  readonly full: boolean;
  readonly now: number;
  /** Of the pass. */
  readonly pace: Pace;
}

/**
 * Makes the steps of a plan, in the order of rule 7: what is new is made, then reachable, then has a name; what goes has
 * lost its name and is unreachable before; nothing goes before what is new is there.
 *
 * A step that fails is tried again after a delay that grows. What cannot be done without it waits too, and nothing
 * else: the backends of a service that could not be made, and the last backend in rotation where a new one could not be added.
 */
export class Applier {
  readonly #ports: ApplierPorts;
  readonly #backoff: Backoff<string>;
  readonly #schedulers: Schedulers;
  readonly #refused: RefusedBackends;
  readonly #forwarding = new Forwarding();
  readonly #routes = new Routes();
  /** Steps of this pass that make or change a service, by their text, since a plan may be made anew; whether each was made. */
  readonly #tried = new Map<string, boolean>();

  constructor(ports: ApplierPorts) {
    this.#ports = ports;
    this.#backoff = new Backoff(RETRY, ports.random);
    this.#schedulers = new Schedulers(ports.random);
    this.#refused = new RefusedBackends(ports.random);
  }

  /** When something that failed is to be tried again; null when nothing is. */
  nextDue(): number | null {
    return earliest(this.#backoff.nextDue(), this.#schedulers.nextDue(), this.#refused.nextDue());
  }

  /** To be called when a pass begins. */
  begin(): void {
    this.#tried.clear();
  }

  /** Schedulers that this kernel is known to lack, without those that are to be tried again now. */
  lacking(now: number): ReadonlySet<string> {
    return this.#schedulers.lacking(now);
  }

  /**
   * Makes and changes the services themselves, of a plan of this pass. Resolves with true where the kernel turned out to
   * lack a scheduler: the plan is then to be made anew, without what it is `lacking`, and given to this function again.
   */
  async applyServices(
    plan: Plan,
    outcome: Outcome,
    { now, pace }: Pick<ApplyRequest, 'now' | 'pace'>,
  ): Promise<boolean> {
    const untried = plan.growing.filter(
      (step) => isServiceStep(step) && !this.#tried.has(formatStep(step)) && this.#isDue(step, now),
    );
    // A thousand services that ask for a scheduler that the kernel lacks need not all be refused.
    const first = this.#firstOfEachUnknown(untried);
    for (const steps of [[...first], untried.filter((step) => !first.has(step))]) {
      const failures = await this.#write(steps, pace);
      await pace.restIfDue();
      if (this.#learn(steps, failures, outcome, now)) return true;
    }
    return false;
  }

  /** Addresses of backends that the kernel takes for no destination. */
  get refused(): readonly RefusedBackend[] {
    return this.#refused.all;
  }

  /** Makes the rest of the plan; the view of the kernel is then as it was left, as far as known. */
  async apply(request: ApplyRequest, outcome: Outcome): Promise<void> {
    const { desired, plan, decisions, full, now, pace } = request;
    const { view, reachability, names } = this.#ports;
    await pace.restIfDue();
    const [services, untriedServices] = split(plan.growing.filter(isServiceStep), (step) =>
      this.#tried.has(formatStep(step)),
    );
    const missing = this.#missing(plan);
    await pace.restIfDue();
    const [backends, others] = split(
      plan.growing.filter((step) => !isServiceStep(step)),
      (step) => (missing.size === 0 || !missing.has(serviceKey(step.service))) && this.#isDue(step, now),
    );
    await pace.restIfDue();
    const failures = await this.#write(backends, pace);
    const changed = services.filter((step) => this.#tried.get(formatStep(step)));
    const added = made(backends, failures);
    await view.accept([...changed, ...added], failures.map(stepOf));
    outcome.failures.push(...this.#refused.learn(backends, failures, view.table, now));
    outcome.refused = [...others, ...failures.map(stepOf)].filter((step) => this.#refused.has(step));
    const untriedBackends = others.filter((step) => !this.#refused.has(step));
    const short = this.#shortOfBackends([...untriedBackends, ...outcome.failures.map(stepOf)]);

    const routed = this.#routes.update(plan, view.table, { short, inPool: this.#ports.inPool });
    outcome.reached = await reachability.ensure(routed, full);

    const [due, postponed] = split(plan.shrinking, (step) => this.#isDue(step, now));
    const shrinking = withoutLastInRotation(due, { ...request, table: view.table, short });
    const changes = this.#forwarding.update(desired, plan, { table: view.table, shrinking });
    outcome.unanswered = names?.publish(changes) ?? [];
    await pace.restIfDue();
    const notTaken = await this.#write(shrinking, pace);
    const taken = made(shrinking, notTaken);
    await view.accept(taken, notTaken.map(stepOf));
    outcome.failures.push(...notTaken);

    const removing = new Set(shrinking);
    const kept = due.filter((step) => !removing.has(step));
    outcome.untried = [...untriedServices, ...untriedBackends, ...postponed, ...kept];
    outcome.made = [...changed, ...added, ...taken];
    this.#settle([...services, ...backends, ...shrinking], plan, outcome.failures, now);
    decisions.addSteps(kept, () => LAST_IN_ROTATION);
    const unmade = [...outcome.refused, ...untriedServices, ...untriedBackends, ...postponed];
    const waiting = [...unmade, ...outcome.failures.map(stepOf)];
    decisions.addSteps(waiting, (step) => this.#refused.decisionOf(step) ?? this.#postponed(step));
  }

  /** Services with a backend that should have come into rotation and is not there, since these steps were not made. */
  #shortOfBackends(unmade: readonly Step[]): ReadonlySet<ServiceKey> {
    const short = new Set<ServiceKey>();
    for (const step of unmade) {
      if (step.op !== 'add-backend' && step.op !== 'update-backend') continue;
      const key = serviceKey(step.service);
      const weight = this.#ports.view.table.get(key)?.backends.get(endpointKey(step.backend))?.weight ?? 0;
      if (step.backend.weight > 0 && weight === 0) short.add(key);
    }
    return short;
  }

  #postponed(step: Step): Decision {
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

  #isDue(step: Step, now: number): boolean {
    if (this.#refused.postpones(step, now)) return false;
    return this.#backoff.isEmpty || !this.#backoff.postpones(backoffKey(step), now);
  }

  async #write(steps: readonly Step[], pace: Pace): Promise<readonly StepFailure[]> {
    const { table, view, unrecorded } = this.#ports;
    const failures: StepFailure[] = [];
    for (let from = 0; from < steps.length; from += STEPS_AT_ONCE) {
      await pace.restIfDue();
      const some = steps.slice(from, from + STEPS_AT_ONCE);
      const recorded = some.filter((step) => {
        const error = unrecorded(serviceKey(step.service));
        if (error !== null) failures.push({ step, error });
        return error === null;
      });
      if (recorded.length === 0) continue;
      view.markWritten(recorded);
      failures.push(...(await table.apply(recorded)));
    }
    return failures;
  }

  #firstOfEachUnknown(steps: readonly Step[]): ReadonlySet<Step> {
    const first = new Map<string, Step>();
    for (const step of steps) {
      const scheduler = schedulerOf(step);
      if (scheduler !== null && !this.#schedulers.knows(scheduler) && !first.has(scheduler))
        first.set(scheduler, step);
    }
    return new Set(first.values());
  }

  /** Whether a scheduler is lacking in whose place another one can be taken: that is no failure, and told elsewhere. */
  #learn(steps: readonly Step[], failures: readonly StepFailure[], outcome: Outcome, now: number): boolean {
    const failed = new Set(failures.map(({ step }) => step));
    for (const step of steps) {
      this.#tried.set(formatStep(step), !failed.has(step));
      const scheduler = schedulerOf(step);
      if (!failed.has(step) && scheduler !== null) this.#schedulers.found(scheduler);
    }
    const missed = new Set<string>();
    for (const failure of failures) {
      const scheduler = failure.why === 'no-scheduler' ? schedulerOf(failure.step) : null;
      if (scheduler === null || scheduler === FALLBACK_SCHEDULER) outcome.failures.push(failure);
      else missed.add(scheduler);
    }
    for (const scheduler of missed) this.#schedulers.missed(scheduler, now);
    return missed.size > 0;
  }

  /** Services that the kernel lacks and that could not be made, or not yet again: their backends would be refused too. */
  #missing({ growing }: Plan): ReadonlySet<ServiceKey> {
    const missing = growing.filter(
      (step) => step.op === 'add-service' && this.#tried.get(formatStep(step)) !== true,
    );
    return new Set(missing.map(({ service }) => serviceKey(service)));
  }

  #settle(tried: readonly Step[], plan: Plan, failures: readonly StepFailure[], now: number): void {
    this.#schedulers.settle(now);
    this.#refused.prune(plan.growing);
    if (failures.length === 0 && this.#backoff.isEmpty) return;
    const failed = new Set(failures.map(({ step }) => backoffKey(step)));
    for (const key of new Set(tried.map(backoffKey))) {
      if (failed.has(key)) this.#backoff.failed(key, now);
      else this.#backoff.succeeded(key);
    }
    const wanted = new Set([...plan.growing, ...plan.shrinking].map(backoffKey));
    this.#backoff.prune((key) => wanted.has(key));
  }
}

const LAST_IN_ROTATION: Decision = {
  rule: 'last in rotation',
  endsWhen: 'a backend that replaces it is in rotation',
  endsAt: null,
};

/** Those for which `isChosen` is true, and the others. */
function split(
  steps: readonly Step[],
  isChosen: (step: Step) => boolean,
): readonly [chosen: readonly Step[], others: readonly Step[]] {
  const [chosen, others]: [Step[], Step[]] = [[], []];
  for (const step of steps) (isChosen(step) ? chosen : others).push(step);
  return [chosen, others];
}

function stepOf({ step }: StepFailure): Step {
  return step;
}

function isServiceStep({ op }: Step): boolean {
  return op === 'add-service' || op === 'update-service';
}

function schedulerOf(step: Step): string | null {
  return step.op === 'add-service' || step.op === 'update-service' ? step.service.scheduler : null;
}

/** Each backend waits by itself after a failure, and so does the service: as a whole, and its settings. */
function backoffKey(step: Step): string {
  if ('backend' in step) return `${serviceKey(step.service)} ${endpointKey(step.backend)}`;
  return step.op === 'update-service' ? `${serviceKey(step.service)} settings` : serviceKey(step.service);
}
