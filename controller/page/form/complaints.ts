/** Marathon's own complaints, in the fields that they mean. */

import { isObject } from './json.ts';
import type { FieldErrors } from './validate.ts';

/**
 * Puts what Marathon says of an app (the `details` of a refused `/v1/apps`, each with `at` and `errors`) where it belongs:
 * `portDefinitions[0].port` is the host port of the first endpoint.
 */
export function marathonErrors(body: unknown): FieldErrors {
  const errors = new Map<string, string[]>();
  const { error, details } = isObject(body) ? body : {};
  for (const detail of Array.isArray(details) ? details.filter(isObject) : []) {
    const at = typeof detail['at'] === 'string' ? detail['at'] : '';
    const said = Array.isArray(detail['errors']) ? detail['errors'].map(String) : [];
    const field = fieldOf(at, said.join());
    // What has no field of its own is told with its path.
    const told = field === '' && at !== '' ? said.map((text) => `${at}: ${text}`) : said;
    errors.set(field, [...(errors.get(field) ?? []), ...told]);
  }
  if (errors.size === 0 && typeof error === 'string') errors.set('', [error]);
  return errors;
}

const PLAIN: Readonly<Record<string, string>> = {
  id: 'id',
  cmd: 'cmd',
  args: 'cmd',
  instances: 'instances',
  cpus: 'cpus',
  mem: 'mem',
  networks: 'networkName',
};

const OF_ENDPOINT: Readonly<Record<string, string>> = {
  name: 'name',
  port: 'hostPort',
  hostPort: 'hostPort',
  containerPort: 'containerPort',
  protocol: 'protocol',
  labels: 'vips.0.port',
};

function fieldOf(at: string, said: string): string {
  const [first = '', ...rest] = at.replace(/\[(\d+)\]/g, '.$1').split('.');
  // Of the app as a whole Marathon says what it lacks.
  if (first === '') return /'cmd'/.test(said) ? 'cmd' : '';
  if (first === 'portDefinitions') return endpointField(rest);
  if (first !== 'container') return PLAIN[first] ?? '';
  const [second = '', ...inner] = rest;
  if (second === 'portMappings') return endpointField(inner);
  return second === 'docker' && inner[0] === 'image' ? 'image' : '';
}

function endpointField([index = '', field = '']: readonly string[]): string {
  if (!/^\d+$/.test(index)) return 'endpoints';
  return `endpoints.${index}.${OF_ENDPOINT[field] ?? 'name'}`;
}
