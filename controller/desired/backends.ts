import type { Health, Task } from '../model.ts';

/** The weight that a task gets as a backend, and why, as text for an operator. */
export interface BackendWeight {
  readonly weight: number;
  readonly reason: string;
}

/**
 * The weight of a task whose labels ask for `weight`; null when the task is not a backend (not yet running, ended, or
 * unreachable). A backend of weight 0 keeps its connections and gets no new ones.
 *
 * The rules are those of dcos-net (`dcos_l4lb_mesos_poller`: only running and killing tasks are backends, with weight 0
 * unless running and not known to be unhealthy). Marathon's own health results count as well.
 */
export function weightOf(task: Pick<Task, 'state' | 'health'>, weight: number): BackendWeight | null {
  if (task.state === 'killing') return KILLING;
  if (task.state !== 'running') return null;

  const failing = FAILING[task.health];
  if (failing !== undefined) return failing;
  const reason = task.health === 'healthy' ? 'running, healthy' : 'running, no health check';
  return { weight, reason: weight === 0 ? `${reason}: weight 0 by IPVS_WEIGHT` : reason };
}

const KILLING: BackendWeight = { weight: 0, reason: 'being killed: weight 0' };

const FAILING: Readonly<Partial<Record<Health, BackendWeight>>> = {
  unhealthy: { weight: 0, reason: 'running, health check failing: weight 0' },
  unknown: { weight: 0, reason: 'running, health check has given no result yet: weight 0' },
};
