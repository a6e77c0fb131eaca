/** Brings the instances of every app and pod to what its run spec asks for, and keeps them there. */

import { Agent, type AgentOptions, type PortRange, placeOn } from './agents.ts';
import type { EventBus } from './events.ts';
import { allocatedPorts, createInstance, type Instance, live, ready, type Task } from './instance.ts';
import type { RunSpec } from './run-spec.ts';
import { type TaskListener, type TaskOptions, Tasks } from './tasks.ts';
import { nextMoves } from './upgrade.ts';

export interface SchedulerOptions extends TaskOptions {
  readonly agents: readonly AgentOptions[];
  readonly portRange: PortRange;
}

/** How long an app waits that finds no agent. */
const PLACEMENT_RETRY_MS = 500;

interface Runner {
  spec: RunSpec;
  instances: readonly Instance[];
  stopping: boolean;
  /** Consecutive failures, for the delay before the next start. */
  failures: number;
  launchAfter: number;
  retry: NodeJS.Timeout | undefined;
  queued: boolean;
}

export class Scheduler implements TaskListener {
  readonly agents: readonly Agent[];
  readonly tasks: Tasks;
  /** Called whenever the instances of a run spec may have reached, or left, what it asks for. */
  onChange: (runSpecId: string) => void = () => {};
  readonly #events: EventBus;
  readonly #runners = new Map<string, Runner>();
  #closed = false;

  constructor(options: SchedulerOptions, events: EventBus) {
    this.#events = events;
    this.tasks = new Tasks(options, events, this);
    this.agents = options.agents.map((agent, index) => new Agent(agent, index, options.portRange));
  }

  /** Asks for these instances from now on; what runs of another configuration is replaced step by step. */
  want(spec: RunSpec): void {
    const runner = this.#runners.get(spec.id);
    if (runner) Object.assign(runner, { spec, stopping: false, failures: 0, launchAfter: 0 });
    else this.#runners.set(spec.id, newRunner(spec));
    this.#wake(spec.id);
  }

  stop(runSpecId: string): void {
    const runner = this.#runners.get(runSpecId);
    if (runner) runner.stopping = true;
    this.#wake(runSpecId);
  }

  /** Whether exactly the instances that were asked for run, ready, and no others. */
  settled(runSpecId: string): boolean {
    const runner = this.#runners.get(runSpecId);
    if (!runner) return true;
    if (runner.stopping) return false;
    const { spec, instances } = runner;
    return (
      instances.length === spec.instances &&
      instances.every((instance) => ready(instance) && instance.spec.version >= spec.configVersion)
    );
  }

  instancesOf(runSpecId: string): readonly Instance[] {
    return this.#runners.get(runSpecId)?.instances ?? [];
  }

  *allTasks(): Generator<{ instance: Instance; task: Task }> {
    for (const { instances } of this.#runners.values()) {
      for (const instance of instances) for (const task of instance.tasks) yield { instance, task };
    }
  }

  find(taskOrInstanceId: string): { instance: Instance; task: Task } | undefined {
    for (const found of this.allTasks()) {
      if (found.task.id === taskOrInstanceId || found.instance.id === taskOrInstanceId) return found;
    }
    return undefined;
  }

  changed(instance: Instance): void {
    this.#wake(instance.spec.id);
  }

  /** A task that has ended leaves its agent; an app whose task ended by itself waits before it starts another. */
  ended(instance: Instance, task: Task): void {
    const runner = this.#runners.get(instance.spec.id);
    instance.agent.releasePorts(allocatedPorts(task));
    if (!runner) return;

    if (!instance.killing) {
      const { backoffMs, backoffFactor, maxBackoffMs } = runner.spec;
      runner.launchAfter = Date.now() + Math.min(maxBackoffMs, backoffMs * backoffFactor ** runner.failures);
      runner.failures++;
    }
    // The containers of a pod end together.
    if (instance.tasks.some(live)) this.tasks.kill(instance);
    else if (runner.instances.includes(instance)) {
      runner.instances = runner.instances.filter((other) => other !== instance);
      const { load } = instance.agent;
      load.set(instance.spec.id, (load.get(instance.spec.id) ?? 1) - 1);
    }
  }

  /** Ends every process; resolves when none is left. */
  async close(): Promise<void> {
    this.#closed = true;
    this.tasks.close();
    for (const runner of this.#runners.values()) clearTimeout(runner.retry);
    const processes = [...this.allTasks()].flatMap(({ task }) => task.process ?? []);
    for (const process of processes) process.signal('SIGKILL');
    await Promise.all(processes.map(({ ended }) => ended));
  }

  #wake(runSpecId: string): void {
    const runner = this.#runners.get(runSpecId);
    if (!runner || runner.queued || this.#closed) return;
    runner.queued = true;
    // Not at once: what is killed or started here wakes us again.
    setImmediate(() => {
      runner.queued = false;
      if (!this.#closed) this.#converge(runSpecId, runner);
    });
  }

  #wakeAt(runSpecId: string, runner: Runner, time: number): void {
    clearTimeout(runner.retry);
    runner.retry = setTimeout(() => this.#wake(runSpecId), time - Date.now() + 1);
  }

  #converge(runSpecId: string, runner: Runner): void {
    const moves = nextMoves(runner);
    for (const instance of moves.kill) this.tasks.kill(instance);
    if (moves.start > 0 && Date.now() < runner.launchAfter)
      this.#wakeAt(runSpecId, runner, runner.launchAfter);
    else this.#launch(runner, moves.start);

    if (runner.stopping && runner.instances.length === 0) {
      clearTimeout(runner.retry);
      this.#runners.delete(runSpecId);
      this.#events.publish('app_terminated_event', { appId: runSpecId });
    }
    this.onChange(runSpecId);
  }

  #launch(runner: Runner, count: number): void {
    const { spec } = runner;
    for (let launched = 0; launched < count; launched++) {
      const agent = placeOn(this.agents, spec.id, spec.constraints);
      const instance = agent && createInstance(spec, agent);
      if (!instance) {
        this.#wakeAt(spec.id, runner, Date.now() + PLACEMENT_RETRY_MS);
        return;
      }
      agent.load.set(spec.id, (agent.load.get(spec.id) ?? 0) + 1);
      runner.instances = [...runner.instances, instance];
      this.tasks.launch(instance);
    }
  }
}

function newRunner(spec: RunSpec): Runner {
  return {
    spec,
    instances: [],
    stopping: false,
    failures: 0,
    launchAfter: 0,
    retry: undefined,
    queued: false,
  };
}
