/** Deployments: one for each write, running until the scheduler has brought every app that it affects to its state. */

import { randomUUID } from 'node:crypto';
import { locked } from './errors.ts';
import type { EventBus } from './events.ts';
import type { JsonObject } from './json.ts';

export type ActionType = 'StartApplication' | 'ScaleApplication' | 'RestartApplication' | 'StopApplication';

export interface Action {
  readonly kind: 'app' | 'pod';
  readonly id: string;
  readonly type: ActionType;
  /** The definition before, for a rollback; null where there was none. */
  readonly before: JsonObject | null;
}

interface Deployment {
  readonly id: string;
  readonly version: string;
  readonly actions: readonly Action[];
  readonly steps: readonly (readonly Action[])[];
  currentStep: number;
  readonly done: Promise<boolean>;
  readonly finished: (success: boolean) => void;
}

export class Deployments {
  readonly #running = new Map<string, Deployment>();
  readonly #events: EventBus;
  readonly #settled: (id: string) => boolean;

  constructor(events: EventBus, settled: (id: string) => boolean) {
    this.#events = events;
    this.#settled = settled;
  }

  /** Throws the 409 where a running deployment holds one of these apps; with `force` that one is cancelled instead. */
  claim(ids: readonly string[], force: boolean): void {
    const holders = [...this.#running.values()].filter(({ actions }) =>
      actions.some(({ id }) => ids.includes(id)),
    );
    if (holders.length === 0) return;
    if (!force) throw locked(holders.map(({ id }) => id));
    for (const { id } of holders) this.cancel(id);
  }

  /** `done` resolves when it has ended: true for success. */
  start(version: string, actions: readonly Action[]): { id: string; done: Promise<boolean> } {
    const id = randomUUID();
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const deployment = {
      id,
      version,
      actions,
      steps: stepsOf(actions),
      currentStep: 1,
      done: promise,
      finished: resolve,
    };
    this.#running.set(id, deployment);
    this.#events.publish('deployment_info', this.#progress(deployment));
    // When the caller has what it needs to know of it.
    queueMicrotask(() => this.#advance(deployment));
    return { id, done: promise };
  }

  /** Looks again at the deployments that wait for this app. */
  recheck(runSpecId: string): void {
    for (const deployment of this.#running.values()) {
      if (deployment.actions.some(({ id }) => id === runSpecId)) this.#advance(deployment);
    }
  }

  get(id: string): readonly Action[] | undefined {
    return this.#running.get(id)?.actions;
  }

  idsFor(runSpecId: string): readonly string[] {
    return [...this.#running.values()]
      .filter(({ actions }) => actions.some(({ id }) => id === runSpecId))
      .map(({ id }) => id);
  }

  /** It no longer runs; what it has changed stays as it is. */
  cancel(id: string): void {
    const deployment = this.#running.get(id);
    if (!deployment) return;
    this.#running.delete(id);
    const reason = 'The upgrade has been cancelled';
    this.#events.publish('deployment_failed', { id, plan: planJson(deployment), reason });
    deployment.finished(false);
  }

  /** Resolves when none runs. */
  async idle(): Promise<void> {
    for (const { done } of this.#running.values()) await done;
  }

  cancelAll(): void {
    for (const id of this.#running.keys()) this.cancel(id);
  }

  toJson(): readonly JsonObject[] {
    return [...this.#running.values()].map((deployment) => ({
      id: deployment.id,
      version: deployment.version,
      affectedApps: idsOf(deployment, 'app'),
      affectedPods: idsOf(deployment, 'pod'),
      steps: deployment.steps.map((actions) => ({ actions: actions.map(actionJson) })),
      currentActions: (deployment.steps[deployment.currentStep - 1] ?? []).map((action) => ({
        ...currentActionJson(action),
        readinessCheckResults: [],
      })),
      currentStep: deployment.currentStep,
      totalSteps: deployment.steps.length,
    }));
  }

  #advance(deployment: Deployment): void {
    while (this.#running.has(deployment.id) && this.#stepDone(deployment)) {
      this.#events.publish('deployment_step_success', this.#progress(deployment));
      if (deployment.currentStep < deployment.steps.length) {
        deployment.currentStep++;
        this.#events.publish('deployment_info', this.#progress(deployment));
        continue;
      }
      this.#running.delete(deployment.id);
      this.#events.publish('deployment_success', { id: deployment.id, plan: planJson(deployment) });
      deployment.finished(true);
    }
  }

  #stepDone({ steps, currentStep }: Deployment): boolean {
    // StartApplication only registers the app, with no instance; ScaleApplication is what starts them.
    return (steps[currentStep - 1] ?? []).every(
      ({ type, id }) => type === 'StartApplication' || this.#settled(id),
    );
  }

  #progress(deployment: Deployment): JsonObject {
    const actions = (deployment.steps[deployment.currentStep - 1] ?? []).map(currentActionJson);
    return { plan: planJson(deployment), currentStep: { actions } };
  }
}

function stepsOf(actions: readonly Action[]): readonly (readonly Action[])[] {
  const created = actions.filter(({ type }) => type === 'StartApplication');
  if (created.length === 0) return [actions];
  const scaled = actions.map((action) => ({
    ...action,
    type: action.type === 'StartApplication' ? ('ScaleApplication' as const) : action.type,
  }));
  return [created, scaled];
}

function idsOf(deployment: Deployment, kind: Action['kind']): readonly string[] {
  return deployment.actions.filter((action) => action.kind === kind).map(({ id }) => id);
}

/** `original` and `target` are what `plan-format=light` leaves out; in the real one they are the whole group tree. */
function planJson(deployment: Deployment): JsonObject {
  const { id, version, steps, actions } = deployment;
  const original = { id: '/', apps: actions.map(({ before }) => before).filter((before) => before !== null) };
  return {
    id,
    original,
    target: { id: '/', version },
    steps: steps.map((step) => ({ actions: step.map(actionJson) })),
    version,
  };
}

function actionJson({ type, kind, id }: Action): JsonObject {
  return { type, [kind]: id };
}

function currentActionJson({ type, kind, id }: Action): JsonObject {
  return { action: type, [kind]: id };
}
