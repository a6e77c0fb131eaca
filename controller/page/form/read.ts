/** Reads an app's JSON into the form. */

import { isVipLabel } from '../../settings/label-keys.ts';
import { isObject, type JsonObject, objectAt, objectsAt, textAt } from './json.ts';
import { absoluteId, type EndpointForm, type NetworkMode, type ServiceForm, type VipForm } from './model.ts';

/** Reads any JSON. Values of an unexpected type show as empty fields, and stay in the JSON. */
export function readForm(json: JsonObject): ServiceForm {
  const container = objectAt(json, 'container');
  const { mode, networkName } = readNetwork(json);
  const mappings = objectsAt(container, 'portMappings');
  // Port mappings win: Marathon drops port definitions if there are both.
  const inMappings = mode !== 'host' || mappings.length > 0;
  const listed = inMappings ? mappings : objectsAt(json, 'portDefinitions');
  return {
    id: textAt(json, 'id'),
    cmd: textAt(json, 'cmd'),
    image: textAt(objectAt(container, 'docker'), 'image'),
    instances: textAt(json, 'instances'),
    cpus: textAt(json, 'cpus'),
    mem: textAt(json, 'mem'),
    mode,
    networkName,
    automatic: json['requirePorts'] !== true,
    endpoints: listed.map((given, key) => readEndpoint(given, key, textAt(json, 'id'))),
    beyond: beyondForm(json),
  };
}

function readNetwork(json: JsonObject): { readonly mode: NetworkMode; readonly networkName: string } {
  const [network] = objectsAt(json, 'networks');
  if (network === undefined) return { mode: 'host', networkName: '' };
  switch (network['mode']) {
    case 'host':
      return { mode: 'host', networkName: '' };
    case 'container/bridge':
      return { mode: 'bridge', networkName: '' };
    // Marathon's default is `container`.
    default:
      return { mode: 'virtual', networkName: textAt(network, 'name') };
  }
}

function beyondForm(json: JsonObject): string | null {
  if (objectsAt(json, 'networks').length > 1) {
    return 'This app has more than one network; its networking can only be edited as JSON.';
  }
  const docker = objectAt(objectAt(json, 'container'), 'docker');
  const old = [
    json['ipAddress'] != null && 'ipAddress',
    json['ports'] != null && json['portDefinitions'] === undefined && 'ports',
    docker['network'] != null && 'container.docker.network',
    docker['portMappings'] != null && 'container.docker.portMappings',
  ].filter((field) => field !== false);
  if (old.length === 0) return null;
  return `This app uses ${old.join(', ')} of Marathon before 1.5; its networking can only be edited as JSON.`;
}

function readEndpoint(given: JsonObject, key: number, id: string): EndpointForm {
  const hostPort = textAt(given, 'port' in given ? 'port' : 'hostPort');
  return {
    key,
    name: textAt(given, 'name'),
    containerPort: textAt(given, 'containerPort'),
    mapped: given['hostPort'] != null,
    hostPort: hostPort === '0' ? '' : hostPort,
    automatic: hostPort === '' || hostPort === '0',
    ...readProtocol(given),
    vips: Object.entries(objectAt(given, 'labels'))
      .filter(([label, value]) => isVipLabel(label) && typeof value === 'string')
      .map(([label, value]) => readVip(label, String(value), id)),
    given,
  };
}

/** `udp,tcp`; Marathon's default is TCP. */
export function readProtocol(given: JsonObject): { readonly tcp: boolean; readonly udp: boolean } {
  const text = typeof given['protocol'] === 'string' ? given['protocol'] : 'tcp';
  const protocols = text.split(',').map((protocol) => protocol.trim().toLowerCase());
  return { tcp: protocols.includes('tcp'), udp: protocols.includes('udp') };
}

function readVip(label: string, given: string, id: string): VipForm {
  const colon = given.lastIndexOf(':');
  const [name, port] = colon < 0 ? [given, ''] : [given.slice(0, colon), given.slice(colon + 1)];
  const followsId = id !== '' && name === absoluteId(id);
  return { label, name: followsId ? null : name, port: port === '0' || port === 'null' ? '' : port, given };
}

/** Parses the text as an app; returns an error message if it is not one. */
export function parseApp(text: string): JsonObject | string {
  try {
    const json: unknown = JSON.parse(text);
    return isObject(json) ? json : 'expected an app as a JSON object';
  } catch (error) {
    return error instanceof Error ? error.message : 'not valid JSON';
  }
}
