import type { MarathonPodContainerStatus, MarathonTask } from '../../input/marathon-json.ts';
import { isRecord, shown } from '../../input/rejection.ts';
import type { Health, Rejection, TaskState } from '../../model/app.ts';

const STATES: Readonly<Record<string, TaskState>> = {
  STAGING: 'staging',
  STARTING: 'staging',
  CREATED: 'staging',
  // Conditions of Marathon before it has launched the task.
  SCHEDULED: 'staging',
  PROVISIONED: 'staging',
  RUNNING: 'running',
  KILLING: 'killing',
  // Marathon reports its Unreachable and UnreachableInactive alike.
  UNREACHABLE: 'unreachable',
  FINISHED: 'gone',
  FAILED: 'gone',
  KILLED: 'gone',
  ERROR: 'gone',
  GONE: 'gone',
  DROPPED: 'gone',
  UNKNOWN: 'gone',
  LOST: 'gone',
  GONE_BY_OPERATOR: 'gone',
};

/**
 * Maps a Mesos state (`TASK_RUNNING`) to the states that matter for a backend.
 *
 * A missing state is derived from `startedAt`: tasks had no state before Marathon 1.0. An unknown state counts as
 * `unreachable`, so that connections are drained and not cut.
 */
export function stateOf(state: string | null | undefined, startedAt?: string | null): TaskState {
  if (!state) return startedAt ? 'running' : 'staging';
  return STATES[state.toUpperCase().replace(/^TASK_/, '')] ?? 'unreachable';
}

/** What is wrong with a state, and what it counts as; null when nothing is. */
export function stateProblem(state: string): string | null {
  const name = state.toUpperCase().replace(/^TASK_/, '');
  if (STATES[name] === undefined)
    return `expected a state of Mesos, such as TASK_RUNNING: the task counts as unreachable, which ends no connection`;
  return state === state.toUpperCase() ? null : `expected TASK_${name}; it is read as that`;
}

/** The states in the JSON of an app or pod that Mesos does not have or writes in another way; `app` is its absolute id. */
export function findOddStates(json: Readonly<Record<string, unknown>>, app: string): readonly Rejection[] {
  const found: Rejection[] = [];
  const look = (state: unknown, at: string) => {
    const reason = typeof state === 'string' && state !== '' ? stateProblem(state) : null;
    if (reason !== null) found.push({ app, at, value: shown(state), reason });
  };
  eachIn(json['tasks'], (task, index) => look(task['state'], `tasks[${index}].state`));
  eachIn(json['instances'], ({ containers }, instance) =>
    eachIn(containers, ({ status }, index) =>
      look(status, `instances[${instance}].containers[${index}].status`),
    ),
  );
  return found;
}

/** Calls `look` for each object of a list. */
function eachIn(
  list: unknown,
  look: (element: Readonly<Record<string, unknown>>, index: number) => void,
): void {
  if (!Array.isArray(list)) return;
  for (const [index, element] of list.entries()) if (isRecord(element)) look(element, index);
}

/**
 * Health as Marathon counts it in `tasksHealthy`: every check has a result and each is `alive`.
 *
 * `checked`: whether the version that the task runs defines a health check. Without one, the task is `unchecked`.
 */
export function taskHealth(results: MarathonTask['healthCheckResults'], checked: boolean): Health {
  if (!checked) return 'unchecked';
  if (!results || results.length === 0) return 'unknown';
  if (results.some((result) => result !== null && result.alive !== true)) return 'unhealthy';
  return results.includes(null) ? 'unknown' : 'healthy';
}

/**
 * Health of one container of a pod instance, from its condition `healthy` alone: Marathon adds it to every started
 * container whose version has a health check (PodStatusConversion).
 */
export function containerHealth(conditions: MarathonPodContainerStatus['conditions']): Health {
  const condition = conditions?.find((each) => each?.name === 'healthy');
  if (!condition) return 'unchecked';
  if (condition.value === true || condition.value === 'true') return 'healthy';
  return condition.reason === 'health-unreported-by-mesos' ? 'unknown' : 'unhealthy';
}
