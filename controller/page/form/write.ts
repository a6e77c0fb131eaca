/** From what the form shows to the app's JSON. What the form does not know stays as it is. */

import { isObject, type JsonObject, numberOf, objectAt, textAt, without } from './json.ts';
import { absoluteId, type EndpointForm, type NetworkMode, type ServiceForm, type VipForm } from './model.ts';
import { readForm, readProtocol } from './read.ts';

/** The app as the form has it now; `json` is what it was before. */
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

/** Fields that mean something in the other list only. */
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
  // With automatic host ports the number is kept: it is the service port then.
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

/** What an existing endpoint left to Marathon's defaults is left to them still. */
const DEFAULTS: JsonObject = { port: 0, containerPort: 0, protocol: 'tcp' };

function merged(given: JsonObject, base: JsonObject, fields: JsonObject, bound: boolean): JsonObject {
  // One that comes from the other list is written in full: there its defaults were others.
  const moved = Object.keys(base).length < Object.keys(given).length;
  const existing = Object.keys(given).length > 0 && !moved;
  const written = Object.entries(fields).filter(([key, value]) => {
    if (key === 'labels') return Object.keys(isObject(value) ? value : {}).length > 0 || 'labels' in given;
    return key in base || !(existing && DEFAULTS[key] === value);
  });
  // A null says what a missing field says: it stays.
  const gone = ['name', 'hostPort', 'protocol'].filter((key) => !(key in fields) && given[key] !== null);
  const kept = without(base, bound ? gone.filter((key) => key === 'name') : gone);
  return { ...kept, ...Object.fromEntries(written) };
}

function protocolOf({ tcp, udp, given }: EndpointForm): unknown {
  const before = readProtocol(given);
  if (given['protocol'] !== undefined && before.tcp === tcp && before.udp === udp) return given['protocol'];
  // In this order, which is the one that Marathon's schema names.
  return [udp && 'udp', tcp && 'tcp'].filter(Boolean).join(',');
}

/** The port of a VIP for which none was typed; 0 where the endpoint has none yet either. */
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

/** `VIP_` and the number of the endpoint, as DC/OS has it, or the next one that is free. */
function freeLabel(labels: JsonObject, index: number): string {
  let number = index;
  while (`VIP_${number}` in labels) number += 1;
  return `VIP_${number}`;
}

/** What the label says. */
export function vipValue({ name, port, given }: VipForm, id: string, fallback: string): string {
  if (given !== null && name !== null) return given;
  return `${name ?? id}:${port === '' ? fallback : port}`;
}
