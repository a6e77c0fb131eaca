/** Validates the form, field by field. */

import { parseVipLabel } from '../../desired/vip-label.ts';
import { type JsonObject, objectAt } from './json.ts';
import { absoluteId, type EndpointForm, type ServiceForm, type VipForm } from './model.ts';
import { defaultPort, vipValue } from './write.ts';

/** Messages by field: `id`, `endpoints.0.name`, `endpoints.1.vips.0.port`; the empty key has those without a field. */
export type FieldErrors = ReadonlyMap<string, readonly string[]>;

export const NO_ERRORS: FieldErrors = new Map();

/** Finds what Marathon or the controller would refuse, before it is sent. */
export function validate(form: ServiceForm, json: JsonObject): FieldErrors {
  const errors = new Map<string, string[]>();
  const add = (field: string, message: string | null) => {
    if (message !== null) errors.set(field, [...(errors.get(field) ?? []), message]);
  };
  add('id', idError(form.id));
  add('cmd', runnableError(json));
  add('instances', numberError(form.instances, 'Instances', true));
  add('cpus', numberError(form.cpus, 'CPUs', false));
  add('mem', numberError(form.mem, 'Memory', false));
  if (form.beyond !== null) return errors;
  if (form.mode === 'virtual' && form.networkName === '') {
    add('networkName', 'Enter the name of the virtual network, for example dcos.');
  }
  form.endpoints.forEach((endpoint, index) => {
    for (const [field, message] of endpointErrors(endpoint, form)) {
      add(`endpoints.${index}.${field}`, message);
    }
  });
  return errors;
}

const ID_PART = /^(?:(?:[a-z0-9]|[a-z0-9][a-z0-9-]*[a-z0-9])\.)*(?:[a-z0-9]|[a-z0-9][a-z0-9-]*[a-z0-9])$/;

function idError(id: string): string | null {
  const parts = id.split('/').filter((part) => part !== '');
  if (parts.length === 0) return 'The service needs an id, for example /my-service.';
  return parts.every((part) => ID_PART.test(part))
    ? null
    : 'Use lower-case letters, digits, inner hyphens and dots, in parts separated by slashes.';
}

function runnableError(json: JsonObject): string | null {
  const runs = [json['cmd'], json['args'], objectAt(objectAt(json, 'container'), 'docker')['image']];
  return runs.some((one) => (typeof one === 'string' ? one !== '' : one != null))
    ? null
    : 'Enter a command or a container image.';
}

function numberError(text: string, what: string, whole: boolean): string | null {
  if (text === '') return null;
  const value = Number(text);
  const fits = Number.isFinite(value) && value >= 0 && (!whole || Number.isInteger(value));
  return fits ? null : `${what}: expected ${whole ? 'a whole number' : 'a number'}, 0 or more.`;
}

type Finding = readonly [field: string, message: string];

function endpointErrors(endpoint: EndpointForm, form: ServiceForm): Finding[] {
  const { mode } = form;
  const found: Finding[] = [];
  const others = form.endpoints.filter(({ key }) => key !== endpoint.key);
  const { name, tcp, udp, mapped, hostPort, containerPort, given } = endpoint;
  if (name !== '' && !/^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?$/.test(name)) {
    found.push(['name', 'Use lower-case letters, digits and inner hyphens.']);
  }
  if (name !== '' && others.some((other) => other.name === name)) {
    found.push(['name', 'Another endpoint has this name.']);
  }
  const bound = mode !== 'virtual' || mapped;
  if (bound && !tcp && !udp && given['protocol'] === undefined) {
    found.push(['protocol', 'Select TCP or UDP.']);
  }
  if (bound && !isPort(hostPort)) found.push(['hostPort', 'Expected a port from 0 to 65535.']);
  if (
    mode === 'host' &&
    Number(hostPort) > 0 &&
    others.some((other) => Number(other.hostPort) === Number(hostPort))
  ) {
    found.push(['hostPort', 'Another endpoint has this port.']);
  }
  if (mode !== 'host' && !isPort(containerPort)) {
    found.push(['containerPort', 'Expected a port from 0 to 65535.']);
  }
  if (!bound && Number(containerPort) === 0) {
    found.push(['containerPort', 'Enter a port: without a host port this is the only one.']);
  }
  endpoint.vips.forEach((vip, at) => {
    const error = vipError(vip, endpoint, form);
    if (error !== null) found.push([`vips.${at}.${error[0]}`, error[1]]);
  });
  return found;
}

function isPort(text: string): boolean {
  return text === '' || (/^\d{1,5}$/.test(text) && Number(text) <= 65_535);
}

function vipError(vip: VipForm, endpoint: EndpointForm, form: ServiceForm): Finding | null {
  const fallback = defaultPort(endpoint, form.mode, form.automatic);
  if (vip.port === '' && fallback === '0')
    return ['port', 'Enter a port: the endpoint has none to use instead.'];
  const parsed = parseVipLabel(vipValue(vip, absoluteId(form.id), fallback));
  if (parsed.kind !== 'problem') return null;
  return [/port/.test(parsed.reason) ? 'port' : 'name', `${parsed.reason}.`];
}
