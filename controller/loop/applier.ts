import type { Desired } from '../model/desired.ts';
import { endpointKey } from '../model/endpoint.ts';
import type { Step } from '../model/kernel.ts';
import { type ServiceKey, serviceKey } from '../model/service.ts';
import type { Pace } from '../pace.ts';
import type { RefusedBackend } from '../pass-status.ts';
import type { Decision, DecisionTable } from '../plan/decision.ts';
import { formatStep } from '../plan/ipvsadm.ts';
import { type LastRules, withoutLastInRotation } from '../plan/last-in-rotation.ts';
import type { Plan } from '../plan/plan.ts';
import type { IpvsTable, Names, StepFailure } from '../ports.ts';
import { FALLBACK_SCHEDULER } from '../settings/schedulers.ts';
import { Forwarding } from './forwarding.ts';
import type { KernelView } from './kernel-view.ts';
import type { Outcome } from './outcome.ts';
import type { ReachabilityView } from './reachability-view.ts';
import { Retries, schedulerOf } from './retries.ts';
import { Routes } from './routes.ts';

/** The number of steps between two yields to the event loop. */
const STEPS_AT_ONCE = 4_096;

/** The kernel table to write, and what limits the writes. */
export interface ApplierPorts {
  readonly table: IpvsTable;
  readonly names?: Names | undefined;
  readonly view: KernelView;
  readonly reachability: ReachabilityView;
  /** Why this service may not be written, since it could not be recorded; null when it may. */
  readonly unrecorded: (service: ServiceKey) => Error | null;
  /** Removes services from the ledger that another program added first. Never rejects. */
  readonly disown: (services: ReadonlySet<ServiceKey>) => Promise<void>;
  /** Whether an address lies in a pool of named VIPs. */
  readonly inPool: (address: string) => boolean;
  /** In [0, 1). */
  readonly random: () => number;
}

/** What a pass applies. */
export interface ApplyRequest extends Pick<LastRules, 'named' | 'lives'> {
  readonly desired: Desired;
  readonly plan: Plan;
  /** Gets the decisions about steps that are not applied. */
  readonly decisions: DecisionTable;
  readonly full: boolean;
  readonly now: number;
  /** The pace of the pass. */
  readonly pace: Pace;
}

/**
 * Applies a plan in the order of rule 7: additions first, then routes, then names; a VIP that is removed loses its name and
 * route before its service; and removals come after all additions.
 *
 * A failed step is retried after a growing delay. Only what depends on it waits, too: the backends of a service that could
 * not be added, and the last backend in rotation when its replacement could not be added.
 */
export class Applier {
  readonly #ports: ApplierPorts;
  readonly #retries: Retries;
  readonly #forwarding = new Forwarding();
  readonly #routes = new Routes();
  /** Steps of this pass that add or change a service, and whether they succeeded. By text, since a plan may be made again. */
  readonly #tried = new Map<string, boolean>();
  /** The time that the last pass decided for. */
  #begunAt = Number.NEGATIVE_INFINITY;

  constructor(ports: ApplierPorts) {
    this.#ports = ports;
    this.#retries = new Retries(ports.random);
  }

  /** When the next retry after the last pass is due; null when there is none. */
  nextDue(): number | null {
    return this.#retries.nextDue(this.#begunAt);
  }

  /** Starts a pass. */
  begin(now: number): void {
    this.#begunAt = now;
    this.#tried.clear();
  }

  /** Schedulers that this kernel is known to lack, without those whose retry is due. */
  lacking(now: number): ReadonlySet<string> {
    return this.#retries.lacking(now);
  }

  /**
   * Adds and changes the services themselves. Resolves with true when the kernel turned out to lack a scheduler: the plan
   * must then be made again without the `lacking` schedulers, and passed to this function again.
   */
  async applyServices(
    plan: Plan,
    outcome: Outcome,
    { now, pace }: Pick<ApplyRequest, 'now' | 'pace'>,
  ): Promise<boolean> {
    const untried = plan.growing.filter(
      (step) =>
        isServiceStep(step) && !this.#tried.has(formatStep(step)) && !this.#retries.postpones(step, now),
    );
    // One service for each unknown scheduler first, so that a missing one is found out by one refusal and not by a thousand.
    const first = this.#retries.firstOfEachUnknown(untried);
    for (const steps of [[...first], untried.filter((step) => !first.has(step))]) {
      const failures = await this.#write(steps, pace);
      await pace.restIfDue();
      if (this.#learn(steps, failures, outcome, now)) return true;
    }
    return false;
  }

  /** Addresses that the kernel does not accept as destinations. */
  get refused(): readonly RefusedBackend[] {
    return this.#retries.refused;
  }

  /** Applies the rest of the plan, and updates the view of the kernel by the results. */
  async apply(request: ApplyRequest, outcome: Outcome): Promise<void> {
    const { plan, decisions, full, now, pace } = request;
    const { view, reachability, inPool } = this.#ports;
    await pace.restIfDue();
    const short = await this.#grow(request, outcome);
    const routed = this.#routes.update(plan, view.table, { short, inPool });
    outcome.reached = await reachability.ensure(routed, full);
    await this.#shrink(request, short, outcome);

    const { applied, failed, refused, postponed, lastInRotation } = outcome;
    this.#retries.settle([...applied, ...refused], failed, plan, now);
    decisions.addSteps(lastInRotation, () => LAST_IN_ROTATION);
    decisions.addSteps([...refused, ...postponed, ...failed.map(stepOf)], (step) =>
      this.#retries.decisionOf(step),
    );
  }

  /** Adds and changes backends. Resolves with the services that have a new backend which could not be added. */
  async #grow({ plan, now, pace }: ApplyRequest, outcome: Outcome): Promise<ReadonlySet<ServiceKey>> {
    const { view } = this.#ports;
    const [services, untriedServices] = split(plan.growing.filter(isServiceStep), (step) =>
      this.#tried.has(formatStep(step)),
    );
    const changed = services.filter((step) => this.#tried.get(formatStep(step)));
    const missing = this.#missing(plan);
    await pace.restIfDue();
    const [due, others] = split(
      plan.growing.filter((step) => !isServiceStep(step)),
      (step) =>
        (missing.size === 0 || !missing.has(serviceKey(step.service))) && !this.#retries.postpones(step, now),
    );
    await pace.restIfDue();
    const failures = await this.#write(due, pace);
    await pace.restIfDue();
    outcome.applied = [...changed, ...without(due, failures)];
    await view.accept(outcome.applied, failures.map(stepOf));
    await pace.restIfDue();
    const notRefused = this.#retries.learnRefused(due, failures, view.table, now);
    outcome.failed = [...outcome.failed, ...notRefused];
    const isRefused = (step: Step) => this.#retries.isRefused(step);
    const [refused, postponed] = split(others, isRefused);
    outcome.refused = [...refused, ...failures.map(stepOf).filter(isRefused)];
    outcome.postponed = [...untriedServices, ...postponed];
    return this.#shortOfBackends([...postponed, ...outcome.failed.map(stepOf)]);
  }

  /** Publishes names, then applies removals. `short`: services with a new backend that could not be added. */
  async #shrink(request: ApplyRequest, short: ReadonlySet<ServiceKey>, outcome: Outcome): Promise<void> {
    const { desired, plan, now, pace } = request;
    const { view, names } = this.#ports;
    const [due, postponed] = split(plan.shrinking, (step) => !this.#retries.postpones(step, now));
    outcome.postponed = [...outcome.postponed, ...postponed];
    const shrinking = withoutLastInRotation(due, { ...request, table: view.table, short });
    const removing = new Set(shrinking);
    outcome.lastInRotation = due.filter((step) => !removing.has(step));
    const changes = this.#forwarding.update(desired, plan, { table: view.table, shrinking });
    outcome.unanswered = names?.publish(changes) ?? [];
    await pace.restIfDue();
    const failures = await this.#write(shrinking, pace);
    const applied = without(shrinking, failures);
    await view.accept(applied, failures.map(stepOf));
    outcome.applied = [...outcome.applied, ...applied];
    outcome.failed = [...outcome.failed, ...failures];
  }

  /** Services with a backend that is not in rotation because one of these steps was not applied. */
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
      const failed = await table.apply(recorded);
      failures.push(...failed);
      await this.#disownExisting(failed);
    }
    return failures;
  }

  /**
   * A service that exists although the last read did not find it was added by another program. The next pass reads it again,
   * and adopts it or reports a conflict. The ledger is corrected at once, in case of an error later in this pass.
   */
  async #disownExisting(failures: readonly StepFailure[]): Promise<void> {
    const existing = failures.filter(({ why }) => why === 'exists');
    if (existing.length > 0)
      await this.#ports.disown(new Set(existing.map(({ step }) => serviceKey(step.service))));
  }

  /** Learns from results. Returns whether the kernel lacks a scheduler that has a replacement, which does not count as a failure. */
  #learn(steps: readonly Step[], failures: readonly StepFailure[], outcome: Outcome, now: number): boolean {
    const failed = new Set(failures.map(({ step }) => step));
    for (const step of steps) {
      this.#tried.set(formatStep(step), !failed.has(step));
      const scheduler = schedulerOf(step);
      if (!failed.has(step) && scheduler !== null) this.#retries.schedulerFound(scheduler);
    }
    const missed = new Set<string>();
    const others: StepFailure[] = [];
    for (const failure of failures) {
      const scheduler = failure.why === 'no-scheduler' ? schedulerOf(failure.step) : null;
      if (scheduler === null || scheduler === FALLBACK_SCHEDULER) others.push(failure);
      else missed.add(scheduler);
    }
    outcome.failed = [...outcome.failed, ...others];
    for (const scheduler of missed) this.#retries.schedulerMissed(scheduler, now);
    return missed.size > 0;
  }

  /** Services that could not be added, or whose retry is not due: their backends would be refused, too. */
  #missing({ growing }: Plan): ReadonlySet<ServiceKey> {
    const missing = growing.filter(
      (step) => step.op === 'add-service' && this.#tried.get(formatStep(step)) !== true,
    );
    return new Set(missing.map(({ service }) => serviceKey(service)));
  }
}

const LAST_IN_ROTATION: Decision = {
  rule: 'last in rotation',
  endsWhen: 'a backend that replaces it is in rotation',
  endsAt: null,
};

/** Splits steps into those for which `isChosen` is true and the others. */
function split(
  steps: readonly Step[],
  isChosen: (step: Step) => boolean,
): readonly [chosen: readonly Step[], others: readonly Step[]] {
  const [chosen, others]: [Step[], Step[]] = [[], []];
  for (const step of steps) (isChosen(step) ? chosen : others).push(step);
  return [chosen, others];
}

/** The steps that did not fail. */
function without(steps: readonly Step[], failures: readonly StepFailure[]): readonly Step[] {
  if (failures.length === 0) return steps;
  const failed = new Set(failures.map(stepOf));
  return steps.filter((step) => !failed.has(step));
}

function stepOf({ step }: StepFailure): Step {
  return step;
}

function isServiceStep({ op }: Step): boolean {
  return op === 'add-service' || op === 'update-service';
}
