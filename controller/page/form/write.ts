/** Writes the form into the app's JSON. What the form does not show stays as it is. */

import { isObject, type JsonObject, numberOf, objectAt, textAt, without } from './json.ts';
import { absoluteId, type EndpointForm, type NetworkMode, type ServiceForm, type VipForm } from './model.ts';
import { readForm, readProtocol } from './read.ts';

/** The app after the edit of the form; `json` is the app before it. */
export function writeForm(json: JsonObject, form: ServiceForm): JsonObject {
  const described = writeBasics(json, form);
  return form.beyond === null ? writeNetworking(described, form) : described;
}

const NUMBERS = ['instances', 'cpus', 'mem'] as const;

function writeBasics(json: JsonObject, form: ServiceForm): JsonObject {
  let app = form.id === textAt(json, 'id') ? json : { ...json, id: form.id };
  if (form.cmd !== textAt(json, 'cmd')) {
    app = form.cmd === '' ? without(app, ['cmd']) : { ...app, cmd: form.cmd };
  }
  for (const key of NUMBERS) {
    if (form[key] === textAt(json, key)) continue;
    app = form[key] === '' ? without(app, [key]) : { ...app, [key]: numberOf(form[key]) };
  }
  return writeImage(app, form.image);
}

function writeImage(app: JsonObject, image: string): JsonObject {
  const container = objectAt(app, 'container');
  const docker = objectAt(container, 'docker');
  if (image === textAt(docker, 'image')) return app;
  if (image !== '') {
    return { ...app, container: { type: 'MESOS', ...container, docker: { ...docker, image } } };
  }
  const rest = without(docker, ['image']);
  const empty = Object.keys(rest).length === 0;
  return { ...app, container: empty ? without(container, ['docker']) : { ...container, docker: rest } };
}

function writeNetworking(json: JsonObject, form: ServiceForm): JsonObject {
  const app = writeNetwork(json, form);
  const { mode, automatic } = form;
  const id = absoluteId(form.id);
  const list = form.endpoints.map((endpoint, index) => writeEndpoint(endpoint, index, id, mode, automatic));
  const container = app['container'];
  if (mode !== 'host') {
    const base = isObject(container) ? container : { type: 'MESOS' };
    return { ...without(app, ['portDefinitions']), container: { ...base, portMappings: list } };
  }
  const plain =
    isObject(container) && 'portMappings' in container
      ? { ...app, container: without(container, ['portMappings']) }
      : app;
  const same = list.length === 0 && plain['portDefinitions'] === undefined && json === app;
  const required = plain['requirePorts'] === undefined && automatic ? {} : { requirePorts: !automatic };
  return same ? plain : { ...plain, portDefinitions: list, ...required };
}

function writeNetwork(json: JsonObject, { mode, networkName }: ServiceForm): JsonObject {
  const before = readForm(json);
  if (before.mode === mode && before.networkName === networkName) return json;
  const networks = {
    host: { mode: 'host' },
    bridge: { mode: 'container/bridge' },
    virtual: { mode: 'container', name: networkName },
  };
  return { ...json, networks: [networks[mode]] };
}

/** Fields that exist only in the one list, and are dropped when an endpoint moves to the other. */
const OF_MAPPINGS = ['containerPort', 'hostPort', 'servicePort', 'networkNames'];
const OF_DEFINITIONS = ['port'];

function writeEndpoint(
  endpoint: EndpointForm,
  index: number,
  id: string,
  mode: NetworkMode,
  automatic: boolean,
): JsonObject {
  const host = mode === 'host';
  const bound = mode !== 'virtual' || endpoint.mapped;
  const number = endpoint.hostPort === '' ? 0 : numberOf(endpoint.hostPort);
  const containerPort = endpoint.containerPort === '' ? 0 : numberOf(endpoint.containerPort);
  const hostPort = endpoint.automatic ? 0 : number;
  // With automatic host ports the number is kept as the service port.
  const ports = host ? { port: number } : { containerPort, ...(bound && { hostPort }) };
  const fields: JsonObject = {
    ...(endpoint.name !== '' && { name: endpoint.name }),
    ...ports,
    ...(bound && { protocol: protocolOf(endpoint) }),
    labels: labelsOf(endpoint, index, id, defaultPort(endpoint, mode, automatic)),
  };
  const base = without(endpoint.given, host ? OF_MAPPINGS : OF_DEFINITIONS);
  return merged(endpoint.given, base, fields, bound);
}

/** Fields that an existing endpoint omits stay omitted while they have Marathon's default. */
const DEFAULTS: JsonObject = { port: 0, containerPort: 0, protocol: 'tcp' };

function merged(given: JsonObject, base: JsonObject, fields: JsonObject, bound: boolean): JsonObject {
  // An endpoint from the other list is written in full, since its defaults were different there.
  const moved = Object.keys(base).length < Object.keys(given).length;
  const existing = Object.keys(given).length > 0 && !moved;
  const written = Object.entries(fields).filter(([key, value]) => {
    if (key === 'labels') return Object.keys(isObject(value) ? value : {}).length > 0 || 'labels' in given;
    return key in base || !(existing && DEFAULTS[key] === value);
  });
  // A null means the same as a missing field, so it stays.
  const gone = ['name', 'hostPort', 'protocol'].filter((key) => !(key in fields) && given[key] !== null);
  const kept = without(base, bound ? gone.filter((key) => key === 'name') : gone);
  return { ...kept, ...Object.fromEntries(written) };
}

function protocolOf({ tcp, udp, given }: EndpointForm): unknown {
  const before = readProtocol(given);
  if (given['protocol'] !== undefined && before.tcp === tcp && before.udp === udp) return given['protocol'];
  // Marathon's schema names the protocols in this order.
  return [udp && 'udp', tcp && 'tcp'].filter(Boolean).join(',');
}

/** The port of a VIP if none was entered; 0 if the endpoint has no port yet either. */
export function defaultPort(endpoint: EndpointForm, mode: NetworkMode, automatic: boolean): string {
  if (mode !== 'host') return endpoint.containerPort === '' ? '0' : endpoint.containerPort;
  return automatic || endpoint.hostPort === '' ? '0' : endpoint.hostPort;
}

function labelsOf({ vips, given }: EndpointForm, index: number, id: string, port: string): JsonObject {
  const before = objectAt(given, 'labels');
  const kept = new Set(vips.map(({ label }) => label));
  const others = without(
    before,
    vipLabels(given).filter((label) => !kept.has(label)),
  );
  const labels: Record<string, unknown> = { ...others };
  for (const vip of vips) labels[vip.label ?? freeLabel(labels, index)] = vipValue(vip, id, port);
  return labels;
}

function vipLabels(given: JsonObject): string[] {
  return Object.entries(objectAt(given, 'labels'))
    .filter(([label, value]) => /^(?:VIP|vip)/.test(label) && typeof value === 'string')
    .map(([label]) => label);
}

/** `VIP_` with the number of the endpoint, as in DC/OS, or with the next free number. */
function freeLabel(labels: JsonObject, index: number): string {
  let number = index;
  while (`VIP_${number}` in labels) number += 1;
  return `VIP_${number}`;
}

/** The value of the VIP label. */
export function vipValue({ name, port, given }: VipForm, id: string, fallback: string): string {
  if (given !== null && name !== null) return given;
  return `${name ?? id}:${port === '' ? fallback : port}`;
}
