import { isIP } from 'node:net';
import type { KubeObject } from './types.ts';

interface Slice {
  readonly addressType: string;
  readonly endpoints?: readonly { readonly addresses?: readonly string[] }[] | null;
  readonly ports?: readonly Port[] | null;
}

interface Port {
  readonly name?: string;
  readonly port?: number;
  readonly protocol?: string;
}

const FAMILIES: ReadonlyMap<string, number> = new Map([
  ['IPv4', 4],
  ['IPv6', 6],
]);

/** What the API server demands of an EndpointSlice beyond its types (pkg/apis/discovery/validation). */
export function sliceErrors(object: KubeObject, before: KubeObject | null): string[] {
  const { addressType, endpoints, ports } = object as unknown as Slice;
  const errors: string[] = [];
  if (before !== null && before['addressType'] !== addressType)
    errors.push('addressType: field is immutable');
  if (!FAMILIES.has(addressType) && addressType !== 'FQDN') errors.push(`addressType: "${addressType}"`);
  if ((endpoints ?? []).length > 1_000) errors.push('endpoints: Too many');
  for (const [i, { addresses = [] }] of (endpoints ?? []).entries()) {
    const at = `endpoints[${i}].addresses`;
    if (addresses.length === 0) errors.push(`${at}: must contain at least 1 address`);
    const wrong = addresses.filter((address) => isIP(address) !== (FAMILIES.get(addressType) ?? 0));
    for (const address of addresses) errors.push(...specialErrors(address, at));
    if (wrong.length > 0) errors.push(`${at}: ${wrong} is no ${addressType} address`);
  }
  const names = (ports ?? []).map(({ name = '' }) => name);
  if (new Set(names).size < names.length) errors.push('ports: Duplicate value of a name');
  return [...errors, ...(ports ?? []).flatMap((port, i) => portErrors(port, `ports[${i}]`))];
}

/** `ValidateEndpointIP` of pkg/apis/core/validation. */
const SPECIAL: readonly (readonly [RegExp, string])[] = [
  [/^(0\.0\.0\.0|::|0(:0){7})$/, 'may not be unspecified'],
  [/^(127\.|::1$)/, 'may not be in the loopback range (127.0.0.0/8, ::1/128)'],
  [/^(169\.254\.|fe[89ab].:)/i, 'may not be in the link-local range (169.254.0.0/16, fe80::/10)'],
  [/^(224\.0\.0\.|ff02:)/i, 'may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)'],
  [/^::ffff:/i, 'must be a valid IPv6 address, not an IPv4-mapped one'],
];

function specialErrors(address: string, at: string): string[] {
  return SPECIAL.flatMap(([pattern, why]) =>
    pattern.test(address) ? [`${at}[0]: Invalid value: "${address}": ${why}`] : [],
  );
}

function portErrors({ name = '', port = 1, protocol = 'TCP' }: Port, at: string): string[] {
  const errors: string[] = [];
  if (name !== '' && !/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(name)) errors.push(`${at}.name: "${name}"`);
  if (port < 1 || port > 65_535) errors.push(`${at}.port: ${port}`);
  if (!['TCP', 'UDP', 'SCTP'].includes(protocol)) errors.push(`${at}.protocol: "${protocol}"`);
  return errors;
}
