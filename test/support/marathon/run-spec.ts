/** What the scheduler needs to know of an app or a pod, in one shape. */

import { type JsonObject, numberAt, objectAt, objectsAt, stringAt, stringsAt } from './json.ts';

export type NetworkMode = 'host' | 'container/bridge' | 'container';

export interface RunSpec {
  readonly kind: 'app' | 'pod';
  readonly id: string;
  /** Version of the definition, a time. */
  readonly version: string;
  /** The version of the last change that was more than scaling: a task that is older is replaced. */
  readonly configVersion: string;
  /** The definition as it is answered. */
  readonly definition: JsonObject;
  readonly instances: number;
  readonly mode: NetworkMode;
  readonly networkNames: readonly string[];
  /** One for an app, one for each container of a pod. */
  readonly containers: readonly ContainerSpec[];
  readonly minimumHealthCapacity: number;
  readonly maximumOverCapacity: number;
  readonly backoffMs: number;
  readonly backoffFactor: number;
  readonly maxBackoffMs: number;
  readonly killGraceMs: number;
  readonly constraints: readonly (readonly string[])[];
}

export interface ContainerSpec {
  /** null for an app. */
  readonly name: string | null;
  /** null: there is nothing to run, the instance is only simulated. */
  readonly cmd: string | null;
  readonly env: Readonly<Record<string, string>>;
  readonly ports: readonly PortSpec[];
  readonly healthChecks: readonly JsonObject[];
}

interface PortSpec {
  readonly name: string | null;
  /** null: no host port; 0: any. */
  readonly hostPort: number | null;
  readonly containerPort: number | null;
  readonly servicePort: number;
}

const DEFAULT_KILL_GRACE_SECONDS = 3;

export function appRunSpec(definition: JsonObject, version: string, configVersion: string): RunSpec {
  const upgrade = objectAt(definition, 'upgradeStrategy');
  const mode = networkMode(definition);
  return {
    ...common('app', definition, version, configVersion),
    instances: numberAt(definition, 'instances') ?? 1,
    containers: [
      {
        name: null,
        cmd: stringAt(definition, 'cmd') ?? null,
        env: textValues(objectAt(definition, 'env')),
        ports: mode === 'host' ? hostPorts(definition) : mappedPorts(definition),
        healthChecks: objectsAt(definition, 'healthChecks'),
      },
    ],
    minimumHealthCapacity: numberAt(upgrade, 'minimumHealthCapacity') ?? 1,
    maximumOverCapacity: numberAt(upgrade, 'maximumOverCapacity') ?? 1,
    backoffMs: (numberAt(definition, 'backoffSeconds') ?? 1) * 1000,
    backoffFactor: numberAt(definition, 'backoffFactor') ?? 1.15,
    maxBackoffMs: (numberAt(definition, 'maxLaunchDelaySeconds') ?? 300) * 1000,
    killGraceMs: (numberAt(definition, 'taskKillGracePeriodSeconds') ?? DEFAULT_KILL_GRACE_SECONDS) * 1000,
    constraints: constraintsOf(definition['constraints']),
  };
}

export function podRunSpec(definition: JsonObject, version: string, configVersion: string): RunSpec {
  const scheduling = objectAt(definition, 'scheduling');
  const upgrade = objectAt(scheduling, 'upgrade');
  const backoff = objectAt(scheduling, 'backoff');
  return {
    ...common('pod', definition, version, configVersion),
    instances: numberAt(objectAt(definition, 'scaling'), 'instances') ?? 1,
    containers: objectsAt(definition, 'containers').map((container) => podContainer(definition, container)),
    minimumHealthCapacity: numberAt(upgrade, 'minimumHealthCapacity') ?? 1,
    maximumOverCapacity: numberAt(upgrade, 'maximumOverCapacity') ?? 1,
    backoffMs: (numberAt(backoff, 'backoff') ?? 1) * 1000,
    backoffFactor: numberAt(backoff, 'backoffFactor') ?? 1.15,
    maxBackoffMs: (numberAt(backoff, 'maxLaunchDelay') ?? 300) * 1000,
    killGraceMs: DEFAULT_KILL_GRACE_SECONDS * 1000,
    constraints: [],
  };
}

function common(kind: RunSpec['kind'], definition: JsonObject, version: string, configVersion: string) {
  const networks = objectsAt(definition, 'networks');
  return {
    kind,
    id: stringAt(definition, 'id') ?? '/',
    version,
    configVersion,
    definition,
    mode: networkMode(definition),
    networkNames: networks.flatMap((network) => stringAt(network, 'name') ?? []),
  };
}

export function networkMode(definition: JsonObject): NetworkMode {
  const first = objectsAt(definition, 'networks')[0];
  if (!first) return 'host';
  const mode = stringAt(first, 'mode');
  return mode === 'host' || mode === 'container/bridge' ? mode : 'container';
}

function hostPorts(definition: JsonObject): readonly PortSpec[] {
  const fixed = definition['requirePorts'] === true;
  return objectsAt(definition, 'portDefinitions').map((port) => {
    const servicePort = numberAt(port, 'port') ?? 0;
    return {
      name: stringAt(port, 'name') ?? null,
      hostPort: fixed ? servicePort : 0,
      containerPort: null,
      servicePort,
    };
  });
}

function mappedPorts(definition: JsonObject): readonly PortSpec[] {
  return objectsAt(objectAt(definition, 'container'), 'portMappings').map((mapping) => ({
    name: stringAt(mapping, 'name') ?? null,
    hostPort: numberAt(mapping, 'hostPort') ?? null,
    containerPort: numberAt(mapping, 'containerPort') ?? 0,
    servicePort: numberAt(mapping, 'servicePort') ?? 0,
  }));
}

function podContainer(pod: JsonObject, container: JsonObject): ContainerSpec {
  const command = objectAt(objectAt(container, 'exec'), 'command');
  const check = objectAt(container, 'healthCheck');
  return {
    name: stringAt(container, 'name') ?? 'container',
    cmd: stringAt(command, 'shell') ?? null,
    env: { ...textValues(objectAt(pod, 'environment')), ...textValues(objectAt(container, 'environment')) },
    ports: objectsAt(container, 'endpoints').map((endpoint) => ({
      name: stringAt(endpoint, 'name') ?? null,
      hostPort: numberAt(endpoint, 'hostPort') ?? null,
      containerPort: numberAt(endpoint, 'containerPort') ?? null,
      servicePort: 0,
    })),
    healthChecks: Object.keys(check).length > 0 ? [podHealthCheck(container, check)] : [],
  };
}

/** A pod writes its check by kind and endpoint name; here it takes the shape that an app's check has. */
function podHealthCheck(container: JsonObject, check: JsonObject): JsonObject {
  const http = objectAt(check, 'http');
  const tcp = objectAt(check, 'tcp');
  const exec = objectAt(objectAt(check, 'exec'), 'command');
  const endpoint = stringAt(http, 'endpoint') ?? stringAt(tcp, 'endpoint');
  const names = objectsAt(container, 'endpoints').map((item) => stringAt(item, 'name'));
  const kind = check['http'] ? 'MESOS_HTTP' : check['tcp'] ? 'MESOS_TCP' : 'COMMAND';
  return {
    ...check,
    protocol: kind,
    path: stringAt(http, 'path') ?? '/',
    portIndex: Math.max(0, names.indexOf(endpoint)),
    command: { value: stringAt(exec, 'shell') ?? 'true' },
  };
}

/** Values that are secrets (objects) have no text and are left out. */
function textValues(env: JsonObject): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(env).flatMap(([key, value]) => (typeof value === 'object' ? [] : [[key, String(value)]])),
  );
}

function constraintsOf(value: unknown): readonly (readonly string[])[] {
  if (!Array.isArray(value)) return [];
  return value.map((_, index) => stringsAt({ items: value[index] }, 'items'));
}
