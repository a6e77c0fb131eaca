/** How the conditions of an endpoint stand for the state and health of its task. Pure. */

import type { TaskStatus } from '../kubernetes/relayed.ts';

interface Conditions {
  readonly ready: boolean;
  readonly serving: boolean;
  readonly terminating: boolean;
}

/** Returns the conditions of a task's endpoints. */
export function conditionsOf({ state, health }: TaskStatus): Conditions {
  const well = health === 'healthy' || health === 'unchecked';
  const terminating = state === 'killing';
  return {
    ready: state === 'running' && well,
    serving: (state === 'running' || terminating) && well,
    terminating,
  };
}

/** Whether a reader can derive the task's status from the conditions alone. */
export function impliesStatus(
  { ready, serving, terminating }: Conditions,
  { state, health }: TaskStatus,
): boolean {
  if (terminating) return state === 'killing' && health === (serving ? 'healthy' : 'unhealthy');
  return state === 'running' && health === (ready ? 'healthy' : 'unhealthy');
}
