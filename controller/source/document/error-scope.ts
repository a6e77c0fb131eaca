import type { App } from '../../model.ts';
import { isRecord } from '../../rejection.ts';
import type { Path } from '../json/lenient.ts';

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
  /** Where those ports of one task are reached that have this host port. */
  | 'host port'
  /** Where those ports of one task are reached that are reached at its own addresses. */
  | 'addresses'
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

/** By path, with `#` for an index. A value that is at or within several of them has the scope of the longest. */
type Scopes = Readonly<Record<string, ErrorScope>>;

const OF_APP: Scopes = {
  version: 'nothing',
  versionInfo: 'nothing',
  'container.type': 'nothing',
  // Only how many there are counts: the ports of the host are in the tasks.
  'ports.#': 'nothing',
  labels: 'labels',
  healthChecks: 'checks',
  ...ofAppPort('portDefinitions.#'),
  ...ofAppPort('container.portMappings.#'),
  ...ofAppPort('container.docker.portMappings.#'),
  ...ofAppPort('ipAddress.discovery.ports.#'),
  tasks: 'members',
  'tasks.#': 'member',
  'tasks.#.ports.#': 'host port',
  'tasks.#.ipAddresses': 'addresses',
  'tasks.#.region': 'nothing',
  'tasks.#.zone': 'nothing',
  'tasks.#.startedAt': 'nothing',
  'tasks.#.healthCheckResults': 'health',
};

const OF_POD: Scopes = {
  ...ofPodSpec(''),
  ...ofPodSpec('spec.'),
  instances: 'members',
  'instances.#': 'member',
  'instances.#.agentRegion': 'nothing',
  'instances.#.agentZone': 'nothing',
  'instances.#.containers.#.conditions': 'health',
};

/** Its name pairs nothing; that of an endpoint of a pod pairs it with its status. */
function ofAppPort(port: string): Scopes {
  return { ...ofPort(port), [`${port}.name`]: 'nothing' };
}

function ofPodSpec(spec: string): Scopes {
  return { [`${spec}version`]: 'nothing', ...ofPort(`${spec}containers.#.endpoints.#`) };
}

function ofPort(port: string): Scopes {
  return { [port]: 'place', [`${port}.labels`]: 'labels', [`${port}.protocol`]: 'meaning' };
}

/** What a value that the schema of an app or pod refuses makes unreadable. `member`: the task or instance around it, where it is in one. */
export function scopeOf(kind: App['kind'], path: Path, member: unknown): Scoped {
  const scopes = kind === 'app' ? OF_APP : OF_POD;
  const keys = path.map((step) => (typeof step === 'number' ? '#' : String(step)));
  for (let steps = keys.length; steps > 0; steps -= 1) {
    const at = keys.slice(0, steps).join('.');
    const scope = scopes[at];
    // A task without a state is judged by this.
    if (at === 'tasks.#.startedAt' && !(isRecord(member) && member['state'])) continue;
    // It is the port that is lost.
    if (scope !== undefined) return { scope, steps: scope === 'meaning' ? steps - 1 : steps };
  }
  return { scope: 'definition', steps: 0 };
}
