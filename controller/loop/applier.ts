import { type Desired, endpointKey, type ServiceKey, type Step, serviceKey } from '../model.ts';
import type { Pace } from '../pace.ts';
import type { RefusedBackend } from '../pass-status.ts';
import type { Decision, DecisionTable } from '../plan/decision.ts';
import { formatStep } from '../plan/ipvsadm.ts';
import { type LastRules, withoutLastInRotation } from '../plan/last-in-rotation.ts';
import type { Plan } from '../plan/plan.ts';
import type { IpvsTable, Names, StepFailure } from '../ports.ts';
import { FALLBACK_SCHEDULER } from '../schedulers.ts';
import { earliest } from './backoff.ts';
import { Forwarding } from './forwarding.ts';
import type { KernelView } from './kernel-view.ts';
import { made, type Outcome } from './outcome.ts';
import { PostponedSteps } from './postponed-steps.ts';
import type { ReachabilityView } from './reachability-view.ts';
import { RefusedBackends } from './refused-backends.ts';
import { Routes } from './routes.ts';
import { Schedulers, schedulerOf } from './schedulers.ts';

/** So many steps are written before others have a turn. */
const STEPS_AT_ONCE = 4_096;

export interface ApplierPorts {
  readonly table: IpvsTable;
  readonly names?: Names | undefined;
  readonly view: KernelView;
  readonly reachability: ReachabilityView;
  /** Why nothing may be written to this service; null where it may. */
  readonly unrecorded: (service: ServiceKey) => Error | null;
  /** These services are not ours, although they were recorded: others made them first. Never rejects. */
  readonly disown: (services: ReadonlySet<ServiceKey>) => Promise<void>;
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
  readonly #postponed: PostponedSteps;
  readonly #schedulers: Schedulers;
  readonly #refused: RefusedBackends;
  readonly #forwarding = new Forwarding();
  readonly #routes = new Routes();
  /** Steps of this pass that make or change a service, by their text, since a plan may be made anew; whether each was made. */
  readonly #tried = new Map<string, boolean>();

  constructor(ports: ApplierPorts) {
    this.#ports = ports;
    this.#postponed = new PostponedSteps(ports.random);
    this.#schedulers = new Schedulers(ports.random);
    this.#refused = new RefusedBackends(ports.random);
  }

  /** When something that failed is to be tried again; null when nothing is. */
  nextDue(): number | null {
    return earliest(this.#postponed.nextDue(), this.#schedulers.nextDue(), this.#refused.nextDue());
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
    const first = this.#schedulers.firstOfEachUnknown(untried);
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
    const { plan, decisions, full, now, pace } = request;
    const { view, reachability, inPool } = this.#ports;
    await pace.restIfDue();
    const grown = await this.#grow(request, outcome);
    const routed = this.#routes.update(plan, view.table, { short: grown.short, inPool });
    outcome.reached = await reachability.ensure(routed, full);
    const shrunk = await this.#shrink(request, grown.short, outcome);

    outcome.untried = [...grown.untried, ...shrunk.untried, ...shrunk.kept];
    outcome.made = [...grown.made, ...shrunk.made];
    this.#settle([...grown.tried, ...shrunk.tried], plan, outcome.failures, now);
    decisions.addSteps(shrunk.kept, () => LAST_IN_ROTATION);
    const untried = [...outcome.refused, ...grown.untried, ...shrunk.untried];
    const waiting = [...untried, ...outcome.failures.map(stepOf)];
    decisions.addSteps(waiting, (step) => this.#refused.decisionOf(step) ?? this.#postponed.decisionOf(step));
  }

  /** Adds and changes backends. Of services it tells what became of them before. */
  async #grow({ plan, now, pace }: ApplyRequest, outcome: Outcome) {
    const { view } = this.#ports;
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
    await pace.restIfDue();
    const changed = services.filter((step) => this.#tried.get(formatStep(step)));
    const all = [...changed, ...made(backends, failures)];
    await view.accept(all, failures.map(stepOf));
    await pace.restIfDue();
    outcome.failures.push(...this.#refused.learn(backends, failures, view.table, now));
    outcome.refused = [...others, ...failures.map(stepOf)].filter((step) => this.#refused.has(step));
    const untriedBackends = others.filter((step) => !this.#refused.has(step));
    const short = this.#shortOfBackends([...untriedBackends, ...outcome.failures.map(stepOf)]);
    const untried = [...untriedServices, ...untriedBackends];
    return { tried: [...services, ...backends], made: all, untried, short };
  }

  /** Takes away, once names that end have been told of. `short`: services with a backend that could not be added. */
  async #shrink(request: ApplyRequest, short: ReadonlySet<ServiceKey>, outcome: Outcome) {
    const { desired, plan, now, pace } = request;
    const { view, names } = this.#ports;
    const [due, untried] = split(plan.shrinking, (step) => this.#isDue(step, now));
    const shrinking = withoutLastInRotation(due, { ...request, table: view.table, short });
    const changes = this.#forwarding.update(desired, plan, { table: view.table, shrinking });
    outcome.unanswered = names?.publish(changes) ?? [];
    await pace.restIfDue();
    const failures = await this.#write(shrinking, pace);
    const taken = made(shrinking, failures);
    await view.accept(taken, failures.map(stepOf));
    outcome.failures.push(...failures);
    const removing = new Set(shrinking);
    return { tried: shrinking, made: taken, untried, kept: due.filter((step) => !removing.has(step)) };
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

  #isDue(step: Step, now: number): boolean {
    return !this.#refused.postpones(step, now) && !this.#postponed.has(step, now);
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
   * What is there although the kernel lacked it when it was read was made by another program, while the ledger was written.
   * The next pass, which reads it again, adopts it or finds that it is in the way. At once: after an error later in this
   * pass the ledger would count.
   */
  async #disownExisting(failures: readonly StepFailure[]): Promise<void> {
    const existing = failures.filter(({ why }) => why === 'exists');
    if (existing.length > 0)
      await this.#ports.disown(new Set(existing.map(({ step }) => serviceKey(step.service))));
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
    this.#postponed.settle(tried, failures, plan, now);
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
