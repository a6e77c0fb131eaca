/** The life of single tasks: started, checked, put from state to state, ended. */

import {
  announceFailedCheck,
  announceHealth,
  announceState,
  announceUnhealthyKill,
} from './announcements.ts';
import type { EventBus } from './events.ts';
import { type HealthListener, startHealthChecks } from './health.ts';
import { type Instance, live, type Task, type TaskState, taskEnvironment } from './instance.ts';
import type { JsonObject } from './json.ts';
import { TaskProcess } from './task-process.ts';

export interface TaskOptions {
  /** Whether a `cmd` is started as a process; otherwise every instance is only simulated. Defaults to true. */
  readonly processes: boolean;
  /** Where the processes write. Defaults to nowhere. */
  readonly output: 'ignore' | 'inherit';
  /** How long a task stays in TASK_STAGING. Defaults to 0. */
  readonly startMs: number;
  /** How long a simulated task stays in TASK_KILLING. Defaults to 5. */
  readonly killMs: number;
  /** Whether the checks of a simulated task succeed at once, or never give a result. Defaults to `healthy`. */
  readonly simulatedHealth: 'healthy' | 'none';
  /**
   * Source address of the HTTP and TCP checks: that of the master, which is another host than the agents.
   * Defaults to what the kernel chooses.
   */
  readonly checkFrom?: string;
}

export interface TaskListener {
  /** Its state or its health is another. */
  changed(instance: Instance): void;
  /** The task is in a terminal state; told before `changed`. */
  ended(instance: Instance, task: Task): void;
}

export class Tasks implements HealthListener {
  readonly #options: TaskOptions;
  readonly #events: EventBus;
  readonly #listener: TaskListener;
  readonly #endChecks = new Map<Task, () => void>();
  readonly #timers = new Set<NodeJS.Timeout>();
  #healthWithheld = false;
  /** Starts that wait; null: none has to. */
  #held: (() => void)[] | null = null;
  #closed = false;

  constructor(options: TaskOptions, events: EventBus, listener: TaskListener) {
    this.#options = options;
    this.#events = events;
    this.#listener = listener;
  }

  /** Tells that the instance is staging, and starts its tasks. */
  launch(instance: Instance): void {
    for (const task of instance.tasks) {
      announceState(this.#events, instance, task, '');
      this.#later(this.#options.startMs, () => {
        if (this.#held === null) this.#start(instance, task);
        else this.#held.push(() => this.#start(instance, task));
      });
    }
  }

  /** From now on tasks stay staging, until the function that is returned is called. */
  holdStarts(): () => void {
    this.#held ??= [];
    return () => {
      const held = this.#held ?? [];
      this.#held = null;
      for (const start of held) start();
    };
  }

  /** TASK_KILLING and SIGTERM now, SIGKILL after the grace period, TASK_KILLED when it has ended. */
  kill(instance: Instance): void {
    if (instance.killing) return;
    instance.killing = true;
    for (const task of instance.tasks) {
      if (!live(task)) continue;
      this.setState(instance, task, 'TASK_KILLING');
      if (task.process) task.process.kill(instance.spec.killGraceMs);
      else this.#later(this.#options.killMs, () => this.setState(instance, task, 'TASK_KILLED'));
    }
  }

  /** Puts a task in a state, whatever it was in, and tells so. A task that has ended stays as it is. */
  setState(instance: Instance, task: Task, state: TaskState, message = ''): void {
    if (this.#closed || !live(task)) return;
    task.state = state;
    if (state === 'TASK_RUNNING') task.startedAt ??= new Date().toISOString();
    if (!live(task)) {
      this.#stopChecks(task);
      this.#listener.ended(instance, task);
    }
    announceState(this.#events, instance, task, message);
    if (state === 'TASK_RUNNING') this.#startChecks(instance, task);
    this.#listener.changed(instance);
  }

  /** Gives a task the result of all its checks, or takes it away (null). */
  setHealth(instance: Instance, task: Task, alive: boolean | null): void {
    const now = new Date().toISOString();
    task.health.clear();
    for (const index of alive === null ? [] : task.container.healthChecks.keys()) {
      task.health.set(index, {
        alive: alive === true,
        consecutiveFailures: alive ? 0 : 1,
        firstSuccess: alive ? now : null,
        lastSuccess: alive ? now : null,
        lastFailure: alive ? null : now,
        lastFailureCause: alive ? null : 'set by a test',
        instanceId: instance.id,
      });
    }
    announceHealth(this.#events, instance, task);
    this.#listener.changed(instance);
  }

  /** Whether new results are kept from everyone; what is known already is not touched. */
  withholdHealth(withheld: boolean): void {
    this.#healthWithheld = withheld;
  }

  /** As after a change of leader: the results of a task are gone until the next probe gives new ones. */
  forgetHealth(instance: Instance, task: Task): void {
    task.health.clear();
    this.#stopChecks(task);
    if (task.process && task.state === 'TASK_RUNNING') this.#startChecks(instance, task);
  }

  checked(instance: Instance, task: Task, check: JsonObject, changed: boolean): void {
    if ([...task.health.values()].some(({ alive }) => !alive))
      announceFailedCheck(this.#events, instance, check);
    if (!changed) return;
    announceHealth(this.#events, instance, task);
    this.#listener.changed(instance);
  }

  exhausted(instance: Instance, task: Task): void {
    announceUnhealthyKill(this.#events, instance, task);
    this.kill(instance);
  }

  /** Nothing is started or told from now on. */
  close(): void {
    this.#closed = true;
    for (const end of this.#endChecks.values()) end();
    for (const timer of this.#timers) clearTimeout(timer);
  }

  #start(instance: Instance, task: Task): void {
    if (this.#closed || task.state !== 'TASK_STAGING') return;
    const { cmd } = task.container;
    if (cmd === null || !this.#options.processes) {
      this.setState(instance, task, 'TASK_RUNNING');
      return;
    }
    const env = taskEnvironment(instance, task);
    const started = new TaskProcess({ cmd, env, netns: instance.agent.netns, output: this.#options.output });
    task.process = started;
    void started.started.then(() => {
      if (task.state === 'TASK_STAGING') this.setState(instance, task, 'TASK_RUNNING');
    });
    void started.ended.then((code) => this.#ended(instance, task, code));
  }

  #ended(instance: Instance, task: Task, code: number | null): void {
    if (instance.killing) {
      this.setState(instance, task, 'TASK_KILLED', 'Command terminated with signal Terminated');
      return;
    }
    const state = code === 0 ? 'TASK_FINISHED' : 'TASK_FAILED';
    this.setState(instance, task, state, `Command exited with status ${code ?? 'unknown'}`);
  }

  #later(ms: number, act: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      act();
    }, ms);
    this.#timers.add(timer);
  }

  #startChecks(instance: Instance, task: Task): void {
    if (task.container.healthChecks.length === 0 || instance.killing || this.#healthWithheld) return;
    this.#stopChecks(task);
    if (task.process)
      this.#endChecks.set(
        task,
        startHealthChecks({ instance, task, listener: this, from: this.#options.checkFrom }),
      );
    else if (this.#options.simulatedHealth === 'healthy') this.setHealth(instance, task, true);
  }

  #stopChecks(task: Task): void {
    this.#endChecks.get(task)?.();
    this.#endChecks.delete(task);
  }
}
