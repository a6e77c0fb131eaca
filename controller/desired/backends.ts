import type { Health, Task } from '../model.ts';

/** Whether and how much a task is balanced to, and why, in words for a person. */
export interface BackendWeight {
  readonly weight: number;
  readonly reason: string;
}

/**
 * The weight of a task as a backend whose port's labels ask for `weight`; null when it is no backend (not yet running, gone,
 * unreachable). Weight 0 keeps connections and gets no new ones.
 *
 * The table is dcos-net's (`dcos_l4lb_mesos_poller`: running and killing only, weight 0 unless running and not known
 * to be unhealthy), with Marathon's own health results counted too.
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
