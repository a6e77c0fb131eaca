/** Assigns Marathon's error messages to the fields of the form. */

import { isObject } from './json.ts';
import type { FieldErrors } from './validate.ts';

/**
 * Assigns the `details` of a write that `/v1/apps` refused, each with `at` and `errors`, to fields of the form: an error at
 * `portDefinitions[0].port` belongs to the host port of the first endpoint.
 */
export function marathonErrors(body: unknown): FieldErrors {
  const errors = new Map<string, string[]>();
  const { error, details } = isObject(body) ? body : {};
  for (const detail of Array.isArray(details) ? details.filter(isObject) : []) {
    const at = typeof detail['at'] === 'string' ? detail['at'] : '';
    const texts = Array.isArray(detail['errors']) ? detail['errors'].map(String) : [];
    const field = fieldOf(at, texts.join());
    // An error without a field is shown with its path.
    const shown = field === '' && at !== '' ? texts.map((text) => `${at}: ${text}`) : texts;
    errors.set(field, [...(errors.get(field) ?? []), ...shown]);
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

function fieldOf(at: string, message: string): string {
  const [first = '', ...rest] = at.replace(/\[(\d+)\]/g, '.$1').split('.');
  // An error about the whole app only names the missing fields in its text.
  if (first === '') return /'cmd'/.test(message) ? 'cmd' : '';
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
