import type { Kind } from './kinds.ts';
import { invalid } from './kinds.ts';
import type { KubeObject } from './types.ts';

const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const VALUE = /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/;
const KEY = /^([a-z0-9.-]{1,253}\/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const LARGEST_ANNOTATIONS = 256 * 1024;
const LARGEST = 1.5 * 1024 * 1024;

/** What the server demands of every object's metadata. */
export function checkMetadata(kind: Kind, object: KubeObject): void {
  const { name, labels = {}, annotations = {} } = object.metadata;
  const errors: string[] = [];
  if (typeof name !== 'string' || !SUBDOMAIN.test(name) || name.length > 253) {
    errors.push(`metadata.name: Invalid value: "${name}": a lowercase RFC 1123 subdomain`);
  }
  for (const [key, value] of Object.entries(labels)) {
    if (!KEY.test(key)) errors.push(`metadata.labels: Invalid value: "${key}"`);
    if (typeof value !== 'string' || value.length > 63 || !VALUE.test(value)) {
      errors.push(`metadata.labels: Invalid value: "${value}": must be no more than 63 characters`);
    }
  }
  for (const key of Object.keys(annotations)) {
    if (!KEY.test(key)) errors.push(`metadata.annotations: Invalid value: "${key}"`);
  }
  if (JSON.stringify(annotations).length > LARGEST_ANNOTATIONS) {
    errors.push('metadata.annotations: Too long: may not be more than 262144 bytes');
  }
  if (JSON.stringify(object).length > LARGEST) errors.push('etcdserver: request is too large');
  if (errors.length > 0) throw invalid(kind.kind, object, errors);
}
