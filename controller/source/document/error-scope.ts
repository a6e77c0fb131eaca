import type { App } from '../../model.ts';
import { isRecord } from '../../rejection.ts';

/** What a wrong value in the JSON of an app or pod makes unreadable: only what depends on it. */
export type ErrorScope =
  /** Nothing: it decides nothing, or what it decides is found out without it. */
  | 'nothing'
  /** What is known of the health of one task. */
  | 'health'
  /** Whether there is a health check. */
  | 'checks'
  /** One label, or some of one object's; all of them where they are no object. */
  | 'labels'
  /** What one port declares. */
  | 'meaning'
  /** Where one port is reached. */
  | 'place'
  /** One task of an app, or instance of a pod. */
  | 'member'
  /** All of them. */
  | 'members'
  /** All that is declared: which ports there are. */
  | 'definition';

/** What a wrong value makes unreadable, and how many steps of its path lead there: to the port, the task, the labels. */
export interface Scoped {
  readonly scope: ErrorScope;
  readonly steps: number;
}

type Path = readonly PropertyKey[];

/** What a value that the schema of an app or pod refuses makes unreadable. `member`: the task or instance around it, where it is in one. */
export function scopeOf(kind: App['kind'], path: Path, member: unknown): Scoped {
  return kind === 'app' ? scopeInApp(path, member) : scopeInPod(path);
}

/** Path of the list of ports in an app. */
const PORT_LISTS: readonly Path[] = [
  ['portDefinitions'],
  ['container', 'portMappings'],
  ['container', 'docker', 'portMappings'],
  ['ipAddress', 'discovery', 'ports'],
];

function scopeInApp(path: Path, task: unknown): Scoped {
  const [first, second] = path;
  if (first === 'tasks') return scopeInTask(path, task);
  if (first === 'version' || first === 'versionInfo') return { scope: 'nothing', steps: 1 };
  if (first === 'healthChecks') return { scope: 'checks', steps: 1 };
  if (first === 'labels') return { scope: 'labels', steps: 1 };
  // Only how many there are counts: the ports of the host are in the tasks.
  if (first === 'ports' && typeof second === 'number') return { scope: 'nothing', steps: 2 };
  if (first === 'container' && second === 'type') return { scope: 'nothing', steps: 2 };
  const list = PORT_LISTS.find((each) => each.every((step, i) => path[i] === step));
  if (list === undefined || typeof path[list.length] !== 'number') return DEFINITION;
  const steps = list.length + 1;
  return path[steps] === 'name' ? { scope: 'nothing', steps: steps + 1 } : scopeInPort(path, steps);
}

function scopeInTask([, index, field]: Path, task: unknown): Scoped {
  if (typeof index !== 'number') return { scope: 'members', steps: 1 };
  if (field === 'region' || field === 'zone') return { scope: 'nothing', steps: 3 };
  // Only a task without a state is judged by it.
  if (field === 'startedAt' && isRecord(task) && task['state']) return { scope: 'nothing', steps: 3 };
  if (field === 'healthCheckResults') return { scope: 'health', steps: 3 };
  return { scope: 'member', steps: 2 };
}

function scopeInPod(path: Path): Scoped {
  if (path[0] === 'instances') return scopeInInstance(path);
  const from = path[0] === 'spec' ? 1 : 0;
  if (path[from] === 'version') return { scope: 'nothing', steps: from + 1 };
  const [containers, c, endpoints, e] = path.slice(from);
  return containers === 'containers' &&
    typeof c === 'number' &&
    endpoints === 'endpoints' &&
    typeof e === 'number'
    ? scopeInPort(path, from + 4)
    : DEFINITION;
}

function scopeInInstance([, index, field, container, inner]: Path): Scoped {
  if (typeof index !== 'number') return { scope: 'members', steps: 1 };
  if (field === 'agentRegion' || field === 'agentZone') return { scope: 'nothing', steps: 3 };
  if (field === 'containers' && typeof container === 'number' && inner === 'conditions')
    return { scope: 'health', steps: 5 };
  return { scope: 'member', steps: 2 };
}

const DEFINITION: Scoped = { scope: 'definition', steps: 0 };

/** `steps` lead to the port. Its name pairs an endpoint of a pod with its status; in an app it pairs nothing. */
function scopeInPort(path: Path, steps: number): Scoped {
  const field = path[steps];
  if (field === 'labels') return { scope: 'labels', steps: steps + 1 };
  return { scope: field === 'protocol' ? 'meaning' : 'place', steps };
}
