import { isRecord } from '../../input/rejection.ts';
import type { App } from '../../model/app.ts';
import type { Path } from '../json/lenient.ts';

/** What becomes unreadable because of a wrong value in the JSON of an app or pod: only what depends on that value. */
export type ErrorScope =
  /** Nothing: the value is not needed, or can be derived from others. */
  | 'nothing'
  /** The health of one task. */
  | 'health'
  /** Whether the app has a health check. */
  | 'checks'
  /** Some labels of one `labels` object; all of them when it is not an object. */
  | 'labels'
  /** What one port declares: its protocols and labels. */
  | 'declaration'
  /** All of one port: also the address and port number at which it is reached. */
  | 'port'
  /** The address and port number of the ports of one task or container that use this host port. */
  | 'host port'
  /** The address and port number of all ports of one task or container that use a host port. */
  | 'host ports'
  /** The address and port number of the ports of one task that are reached at the task's own addresses. */
  | 'addresses'
  /** One task of an app, or one instance of a pod. */
  | 'member'
  /** All tasks or instances. */
  | 'members'
  /** The whole definition: which ports there are. */
  | 'definition';

/** The scope of an error, and how many steps of its path lead to the port, task or labels concerned. */
export interface Scoped {
  readonly scope: ErrorScope;
  readonly steps: number;
}

/** Scopes by path, with `#` for an index. The longest path that leads to a value or to one of its parents decides. */
type Scopes = Readonly<Record<string, ErrorScope>>;

const OF_APP: Scopes = {
  version: 'nothing',
  versionInfo: 'nothing',
  'container.type': 'nothing',
  // Only the number of ports matters: the host ports are in the tasks.
  'ports.#': 'nothing',
  labels: 'labels',
  healthChecks: 'checks',
  ...ofAppPort('portDefinitions.#'),
  ...ofAppPort('container.portMappings.#'),
  ...ofAppPort('container.docker.portMappings.#'),
  ...ofAppPort('ipAddress.discovery.ports.#'),
  tasks: 'members',
  'tasks.#': 'member',
  'tasks.#.ports': 'host ports',
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
  'instances.#.containers.#.endpoints': 'host ports',
  'instances.#.containers.#.endpoints.#': 'host ports',
  'instances.#.containers.#.endpoints.#.allocatedHostPort': 'host port',
  'instances.#.containers.#.conditions': 'health',
};

/** The name of an app's port is not needed; a pod's endpoint is matched with its status by name. */
function ofAppPort(port: string): Scopes {
  return { ...ofPort(port), [`${port}.name`]: 'nothing' };
}

function ofPodSpec(spec: string): Scopes {
  return { [`${spec}version`]: 'nothing', ...ofPort(`${spec}containers.#.endpoints.#`) };
}

function ofPort(port: string): Scopes {
  return { [port]: 'port', [`${port}.labels`]: 'labels', [`${port}.protocol`]: 'declaration' };
}

/**
 * The scope of a value that the schema of an app or pod rejects. `member`: the task or instance that contains it, if
 * any.
 */
export function scopeOf(kind: App['kind'], path: Path, member: unknown): Scoped {
  const scopes = kind === 'app' ? OF_APP : OF_POD;
  const keys = path.map((step) => (typeof step === 'number' ? '#' : String(step)));
  for (let steps = keys.length; steps > 0; steps -= 1) {
    const at = keys.slice(0, steps).join('.');
    const scope = scopes[at];
    // The state of a task without `state` is derived from `startedAt`.
    if (at === 'tasks.#.startedAt' && !(isRecord(member) && member['state'])) continue;
    // The port as a whole is affected.
    if (scope !== undefined) return { scope, steps: scope === 'declaration' ? steps - 1 : steps };
  }
  return { scope: 'definition', steps: 0 };
}
