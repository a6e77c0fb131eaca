/** The rules of Marathon's that people run into, with its words. */

import { invalid, malformed, type Violation } from './errors.ts';
import { isObject, type JsonObject, numberAt, objectAt, objectsAt, stringAt } from './json.ts';

const ID_PART = /^(([a-z0-9]|[a-z0-9][a-z0-9-]*[a-z0-9])\.)*([a-z0-9]|[a-z0-9][a-z0-9-]*[a-z0-9])$/;
const PROTOCOLS = ['tcp', 'udp', 'udp,tcp'];
const NUMBERS = [
  'instances',
  'cpus',
  'mem',
  'disk',
  'gpus',
  'backoffSeconds',
  'backoffFactor',
  'taskKillGracePeriodSeconds',
];
const LISTS = ['portDefinitions', 'networks', 'healthChecks', 'ports', 'constraints', 'dependencies'];

/** Throws the 400 or 422 that Marathon answers, or returns when there is nothing to object to. */
export function checkApp(raw: JsonObject): void {
  const shape = [
    ...NUMBERS.filter((key) => raw[key] != null && typeof raw[key] !== 'number').map((key) =>
      violation(`/${key}`, 'error.expected.jsnumber'),
    ),
    ...LISTS.filter((key) => raw[key] != null && !Array.isArray(raw[key])).map((key) =>
      violation(`/${key}`, 'error.expected.jsarray'),
    ),
    ...(typeof raw['id'] === 'string' ? [] : [violation('/id', 'error.path.missing')]),
  ];
  if (shape.length > 0) throw malformed(shape);

  const details = [
    ...idViolations(raw),
    ...((numberAt(raw, 'instances') ?? 1) < 0 ? [violation('/instances', 'got -1, expected 0 or more')] : []),
    ...runnable(raw),
    ...networkViolations(raw),
    ...portViolations(raw),
  ];
  if (details.length > 0) throw invalid(details);
}

export function checkPod(raw: JsonObject): void {
  if (typeof raw['id'] !== 'string') throw malformed([violation('/id', 'error.path.missing')]);
  const details = [...idViolations(raw)];
  if (objectsAt(raw, 'containers').length === 0) details.push(violation('/containers', 'must not be empty'));
  for (const [index, container] of objectsAt(raw, 'containers').entries()) {
    const names = objectsAt(container, 'endpoints').map((endpoint) => stringAt(endpoint, 'name'));
    if (names.includes(undefined))
      details.push(violation(`/containers(${index})/endpoints`, 'name is required'));
    if (new Set(names).size < names.length)
      details.push(violation('/endpointNames', 'Endpoint names are unique'));
  }
  if (details.length > 0) throw invalid(details);
}

function violation(path: string, error: string): Violation {
  return { path, errors: [error] };
}

function idViolations(raw: JsonObject): Violation[] {
  const parts = (stringAt(raw, 'id') ?? '').split('/').filter((part) => part !== '');
  if (parts.length > 0 && parts.every((part) => ID_PART.test(part))) return [];
  return [violation('/id', `must fully match regular expression '${ID_PART.source}'`)];
}

function runnable(raw: JsonObject): Violation[] {
  if (raw['cmd'] != null || raw['args'] != null || isObject(raw['container'])) return [];
  return [violation('/', "AppDefinition must either contain one of 'cmd' or 'args', and/or a 'container'.")];
}

function networkViolations(raw: JsonObject): Violation[] {
  const networks = objectsAt(raw, 'networks');
  const docker = objectAt(objectAt(raw, 'container'), 'docker');
  const found: Violation[] = [];
  if (
    networks.length > 0 &&
    (raw['ipAddress'] != null || docker['network'] != null || docker['portMappings'] != null)
  ) {
    found.push(violation('/networks', 'cannot mix deprecated and canonical network APIs'));
  }
  if (docker['network'] === 'NONE')
    found.push(violation('/container/docker/network', 'NONE is not supported'));
  if (
    objectsAt(docker, 'portMappings').length > 0 &&
    objectsAt(objectAt(raw, 'container'), 'portMappings').length > 0
  ) {
    found.push(violation('/container/docker/portMappings', 'portMappings may not be given twice'));
  }

  const modes = new Set(networks.map((network) => stringAt(network, 'mode') ?? 'container'));
  if (modes.size > 1 || (networks.length > 1 && !modes.has('container'))) {
    found.push(violation('/networks', 'Host networks and container networks cannot be mixed'));
  }
  if (
    networks.some(
      (network) => network['name'] != null && stringAt(network, 'mode')?.match(/^(host|container\/bridge)$/),
    )
  ) {
    found.push(violation('/networks', 'Host networks and bridge networks may not have a name'));
  }
  return found;
}

function portViolations(raw: JsonObject): Violation[] {
  const definitions = objectsAt(raw, 'portDefinitions');
  const mappings = objectsAt(objectAt(raw, 'container'), 'portMappings');
  const numbers = definitions.map((port) => numberAt(port, 'port') ?? 0).filter((port) => port !== 0);
  return [
    ...definitions.flatMap((port, index) => portViolation(port, 'port', `/portDefinitions(${index})`)),
    ...mappings.flatMap((port, index) =>
      portViolation(port, 'containerPort', `/container/portMappings(${index})`),
    ),
    ...unique(numbers, '/portDefinitions', 'Ports must be unique.'),
    ...unique(namesOf(definitions), '/portDefinitions', 'Port names must be unique.'),
    ...unique(namesOf(mappings), '/container/portMappings', 'Port names must be unique.'),
  ];
}

function portViolation(port: JsonObject, key: string, path: string): Violation[] {
  const number = numberAt(port, key) ?? 0;
  const protocol = stringAt(port, 'protocol') ?? 'tcp';
  return [
    ...(number < 0 || number > 65535
      ? [violation(`${path}/${key}`, `got ${number}, expected 0 to 65535`)]
      : []),
    ...(PROTOCOLS.includes(protocol)
      ? []
      : [violation(`${path}/protocol`, `must be one of ${PROTOCOLS.join(', ')}`)]),
  ];
}

function namesOf(ports: readonly JsonObject[]): readonly string[] {
  return ports.flatMap((port) => stringAt(port, 'name') ?? []);
}

function unique(values: readonly unknown[], path: string, error: string): Violation[] {
  return new Set(values).size < values.length ? [violation(path, error)] : [];
}
