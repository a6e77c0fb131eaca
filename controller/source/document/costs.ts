import type { App } from '../../model.ts';
import { isRecord } from '../../rejection.ts';

/** What a wrong value in the JSON of an app or pod costs: only what depends on it. */
export type Cost =
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

/** A wrong value, and how many steps of its path lead to what it costs: to the port, the task, the labels. */
export interface Priced {
  readonly cost: Cost;
  readonly steps: number;
}

type Path = readonly PropertyKey[];

/** Prices a value that the schema of an app or pod refuses. `member`: the task or instance around it, where it is in one. */
export function priceOf(kind: App['kind'], path: Path, member: unknown): Priced {
  return kind === 'app' ? priceInApp(path, member) : priceInPod(path);
}

/** Path of the list of ports in an app. */
const PORT_LISTS: readonly Path[] = [
  ['portDefinitions'],
  ['container', 'portMappings'],
  ['container', 'docker', 'portMappings'],
  ['ipAddress', 'discovery', 'ports'],
];

function priceInApp(path: Path, task: unknown): Priced {
  const [first, second] = path;
  if (first === 'tasks') return priceInTask(path, task);
  if (first === 'version' || first === 'versionInfo') return { cost: 'nothing', steps: 1 };
  if (first === 'healthChecks') return { cost: 'checks', steps: 1 };
  if (first === 'labels') return { cost: 'labels', steps: 1 };
  // Only how many there are counts: the ports of the host are in the tasks.
  if (first === 'ports' && typeof second === 'number') return { cost: 'nothing', steps: 2 };
  if (first === 'container' && second === 'type') return { cost: 'nothing', steps: 2 };
  const list = PORT_LISTS.find((each) => each.every((step, i) => path[i] === step));
  if (list === undefined || typeof path[list.length] !== 'number') return DEFINITION;
  const steps = list.length + 1;
  return path[steps] === 'name' ? { cost: 'nothing', steps: steps + 1 } : priceInPort(path, steps);
}

function priceInTask([, index, field]: Path, task: unknown): Priced {
  if (typeof index !== 'number') return { cost: 'members', steps: 1 };
  if (field === 'region' || field === 'zone') return { cost: 'nothing', steps: 3 };
  // It is looked at only where there is no state.
  if (field === 'startedAt' && isRecord(task) && task['state']) return { cost: 'nothing', steps: 3 };
  if (field === 'healthCheckResults') return { cost: 'health', steps: 3 };
  return { cost: 'member', steps: 2 };
}

function priceInPod(path: Path): Priced {
  if (path[0] === 'instances') return priceInInstance(path);
  const from = path[0] === 'spec' ? 1 : 0;
  if (path[from] === 'version') return { cost: 'nothing', steps: from + 1 };
  const [containers, c, endpoints, e] = path.slice(from);
  return containers === 'containers' &&
    typeof c === 'number' &&
    endpoints === 'endpoints' &&
    typeof e === 'number'
    ? priceInPort(path, from + 4)
    : DEFINITION;
}

function priceInInstance([, index, field, container, inner]: Path): Priced {
  if (typeof index !== 'number') return { cost: 'members', steps: 1 };
  if (field === 'agentRegion' || field === 'agentZone') return { cost: 'nothing', steps: 3 };
  if (field === 'containers' && typeof container === 'number' && inner === 'conditions')
    return { cost: 'health', steps: 5 };
  return { cost: 'member', steps: 2 };
}

const DEFINITION: Priced = { cost: 'definition', steps: 0 };

/** `steps` lead to the port. Its name pairs an endpoint of a pod with its status; in an app it pairs nothing. */
function priceInPort(path: Path, steps: number): Priced {
  const field = path[steps];
  if (field === 'labels') return { cost: 'labels', steps: steps + 1 };
  return { cost: field === 'protocol' ? 'meaning' : 'place', steps };
}
