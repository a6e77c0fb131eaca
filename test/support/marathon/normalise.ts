/** Turns a definition as people write it, in old forms too, into the form in which Marathon >= 1.5 answers it. */

import {
  isObject,
  type JsonObject,
  numberAt,
  objectAt,
  objectsAt,
  present,
  stringAt,
  without,
} from './json.ts';
import { networkMode } from './run-spec.ts';

const APP_DEFAULTS: JsonObject = {
  backoffFactor: 1.15,
  backoffSeconds: 1,
  constraints: [],
  cpus: 1,
  dependencies: [],
  disk: 0,
  env: {},
  executor: '',
  fetch: [],
  gpus: 0,
  healthChecks: [],
  instances: 1,
  killSelection: 'YOUNGEST_FIRST',
  labels: {},
  maxLaunchDelaySeconds: 300,
  mem: 128,
  readinessChecks: [],
  requirePorts: false,
  secrets: {},
  unreachableStrategy: { inactiveAfterSeconds: 0, expungeAfterSeconds: 0 },
  upgradeStrategy: { minimumHealthCapacity: 1, maximumOverCapacity: 1 },
};

const HEALTH_CHECK_DEFAULTS: JsonObject = {
  gracePeriodSeconds: 300,
  intervalSeconds: 60,
  maxConsecutiveFailures: 3,
  protocol: 'HTTP',
  timeoutSeconds: 20,
};

/** Hands out the service ports that a definition leaves open. */
export type NextServicePort = () => number;

export function normaliseApp(raw: JsonObject, nextServicePort: NextServicePort): JsonObject {
  const app = present(raw);
  const networks = networksOf(app);
  const container = containerOf(app);
  const canonical: JsonObject = {
    ...APP_DEFAULTS,
    ...without(
      app,
      'ports',
      'ipAddress',
      'uris',
      'container',
      'portDefinitions',
      'networks',
      'version',
      'versionInfo',
    ),
    id: absoluteId(stringAt(app, 'id') ?? '/'),
    fetch: app['fetch'] ?? legacyFetch(app),
    healthChecks: objectsAt(app, 'healthChecks').map((check) => ({ ...HEALTH_CHECK_DEFAULTS, ...check })),
    networks,
    upgradeStrategy: { ...objectAt(APP_DEFAULTS, 'upgradeStrategy'), ...objectAt(app, 'upgradeStrategy') },
  };
  return networkMode(canonical) === 'host'
    ? withHostPorts(canonical, app, container, nextServicePort)
    : withPortMappings(canonical, app, container, nextServicePort);
}

export function normalisePod(raw: JsonObject): JsonObject {
  const pod = present(raw);
  const mode = networkMode(pod);
  const containers = objectsAt(pod, 'containers').map((container) => ({
    resources: { cpus: 0.1, mem: 32, disk: 0, gpus: 0 },
    ...container,
    endpoints: objectsAt(container, 'endpoints').map((endpoint) => ({
      ...(mode === 'container' ? {} : { hostPort: 0 }),
      ...endpoint,
    })),
  }));
  return {
    scaling: { kind: 'fixed', instances: 1 },
    scheduling: {},
    volumes: [],
    fetch: [],
    labels: {},
    environment: {},
    secrets: {},
    ...pod,
    id: absoluteId(stringAt(pod, 'id') ?? '/'),
    networks:
      objectsAt(pod, 'networks').length > 0 ? namedModes(objectsAt(pod, 'networks')) : [{ mode: 'host' }],
    containers,
  };
}

/** Ids are answered with their leading slash and without an empty part. */
export function absoluteId(id: string): string {
  return `/${id
    .split('/')
    .filter((part) => part !== '')
    .join('/')}`;
}

function networksOf(app: JsonObject): readonly JsonObject[] {
  const networks = objectsAt(app, 'networks');
  if (networks.length > 0) return namedModes(networks);

  const ipAddress = app['ipAddress'];
  const name = isObject(ipAddress) ? stringAt(ipAddress, 'networkName') : undefined;
  const named = present({ name, mode: 'container' });
  switch (stringAt(objectAt(objectAt(app, 'container'), 'docker'), 'network')) {
    case 'HOST':
      return [{ mode: 'host' }];
    case 'BRIDGE':
      return [{ mode: 'container/bridge' }];
    case 'USER':
      return [named];
    default:
      if (!isObject(ipAddress)) return [{ mode: 'host' }];
      // The value of --mesos_bridge_name unless someone set it.
      return name === 'mesos-bridge' ? [{ mode: 'container/bridge' }] : [named];
  }
}

function namedModes(networks: readonly JsonObject[]): readonly JsonObject[] {
  return networks.map((network) => ({ ...network, mode: stringAt(network, 'mode') ?? 'container' }));
}

/** The container without its old-form networking, its mappings moved to where 1.5 has them. */
function containerOf(app: JsonObject): JsonObject | null {
  if (!isObject(app['container'])) return null;
  const container = present(app['container']);
  const docker = objectAt(container, 'docker');
  const old = objectsAt(docker, 'portMappings');
  const discovered = objectsAt(objectAt(objectAt(app, 'ipAddress'), 'discovery'), 'ports').map((port) =>
    present({
      containerPort: numberAt(port, 'number') ?? 0,
      name: port['name'],
      protocol: port['protocol'],
      labels: port['labels'],
    }),
  );
  const mappings =
    container['portMappings'] ?? (old.length > 0 ? old : discovered.length > 0 ? discovered : undefined);
  return present({
    type: container['docker'] === undefined ? 'MESOS' : 'DOCKER',
    volumes: [],
    ...container,
    docker: container['docker'] === undefined ? undefined : without(docker, 'network', 'portMappings'),
    portMappings: mappings,
  });
}

function withHostPorts(
  canonical: JsonObject,
  app: JsonObject,
  container: JsonObject | null,
  nextServicePort: NextServicePort,
): JsonObject {
  const legacy = Array.isArray(app['ports']) ? app['ports'].map((port: unknown) => ({ port })) : undefined;
  const given = Array.isArray(app['portDefinitions']) ? objectsAt(app, 'portDefinitions') : legacy;
  const portDefinitions = (given ?? [{ port: 0, name: 'default' }]).map((port) => ({
    labels: {},
    protocol: 'tcp',
    ...present(port),
    port: numberAt(port, 'port') || nextServicePort(),
  }));
  const inHostMode = container === null ? {} : { container: without(container, 'portMappings') };
  return { ...canonical, ...inHostMode, portDefinitions };
}

function withPortMappings(
  canonical: JsonObject,
  app: JsonObject,
  container: JsonObject | null,
  nextServicePort: NextServicePort,
): JsonObject {
  const bridge = networkMode(canonical) === 'container/bridge';
  const held = container ?? { type: 'MESOS', volumes: [] };
  const given = Array.isArray(held['portMappings'])
    ? objectsAt(held, 'portMappings')
    : [{ containerPort: 0, name: 'default' }];
  // More portDefinitions than mappings: Marathon appends empty mappings for the rest.
  const missing = Math.max(0, objectsAt(app, 'portDefinitions').length - given.length);
  const mappings = [...given, ...Array.from({ length: missing }, () => ({ containerPort: 0 }))];
  const portMappings = mappings.map((mapping: JsonObject) => ({
    containerPort: 0,
    labels: {},
    protocol: 'tcp',
    ...(bridge ? { hostPort: 0 } : {}),
    ...present(mapping),
    servicePort: numberAt(mapping, 'servicePort') || nextServicePort(),
  }));
  return { ...canonical, container: { ...held, portMappings } };
}

function legacyFetch(app: JsonObject): readonly JsonObject[] {
  const uris = Array.isArray(app['uris']) ? app['uris'] : [];
  return uris.map((uri: unknown) => ({ uri, extract: true, executable: false, cache: false }));
}
