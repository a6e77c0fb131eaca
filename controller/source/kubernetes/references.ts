import { canServe, type Slice } from '../../kubernetes/endpoint-slice.ts';
import { isVipLabel } from '../../settings/label-keys.ts';
import { type Declaration, type NamedPort, SERVICE_LABEL } from './declaration.ts';
import { pairPorts } from './pair-ports.ts';

/** Whether what a MarathonApp refers to was found: reason and message of its condition `ResolvedRefs`. */
export interface References {
  readonly reason: 'ResolvedRefs' | 'BackendNotFound' | 'UnsupportedAddressType' | 'PortMismatch';
  /** Empty where all was found. */
  readonly message: string;
}

/** What the source found of each MarathonApp, by `namespace/name`, for who writes their status. */
export class ReferenceBook {
  /** Called with the key of an object of which something else is known now. Must not throw. */
  changed: (key: string) => void = () => undefined;
  readonly #found = new Map<string, References>();

  /** undefined: the source does not know this object (yet). */
  of(key: string): References | undefined {
    return this.#found.get(key);
  }

  /** null: the object is gone. */
  note(key: string, found: References | null): void {
    const before = this.#found.get(key);
    if (before?.reason === found?.reason && before?.message === found?.message) return;
    if (found === null) this.#found.delete(key);
    else this.#found.set(key, found);
    this.changed(key);
  }
}

const RESOLVED: References = { reason: 'ResolvedRefs', message: '' };

/** Looks for the endpoints and the ports that a declaration in this namespace refers to. */
export function referencesOf(
  { ports, selector, versions }: Declaration,
  namespace: string,
  slices: readonly Slice[],
): References {
  // A relay writes the slices too: an app without any has no tasks.
  if (versions !== null) return RESOLVED;
  if (slices.length === 0) {
    const service = selector.matchLabels?.[SERVICE_LABEL];
    const message =
      service === undefined
        ? `no EndpointSlice in ${namespace} has the labels of spec.endpoints.selector`
        : `Service ${service} has no EndpointSlice: there is no such Service in ${namespace}, or it has no selector`;
    return { reason: 'BackendNotFound', message };
  }
  const filled = slices.filter(({ endpoints }) => endpoints.length > 0);
  const usable = filled.filter(canServe);
  const [foreign] = filled.map(addressTypeText).sort();
  if (usable.length === 0 && foreign !== undefined)
    return { reason: 'UnsupportedAddressType', message: foreign };
  const missing = usable.length === 0 ? [] : missingPorts(ports, usable);
  return missing.length === 0 ? RESOLVED : { reason: 'PortMismatch', message: missing.join('; ') };
}

function missingPorts(ports: readonly NamedPort[], slices: readonly Slice[]): readonly string[] {
  const pairs = slices.map((slice) => pairPorts(ports, slice.ports));
  return ports
    .filter(({ port }, i) => Object.keys(port.labels).some(isVipLabel) && pairs.every((found) => !found[i]))
    .map((declared) => `${declared.port.at}: ${unmatched(declared)}`);
}

/** Why the endpoints of a slice can be no backends: for one of another kind than IPv4 and IPv6. */
export function addressTypeText({ name, addressType }: Slice): string {
  return `EndpointSlice ${name} has addressType ${addressType}: only IPv4 and IPv6 addresses can be backends`;
}

/** By what a port was looked for in vain. */
export function unmatched({ port, name, containerPort, index }: NamedPort): string {
  const ways = [
    ...(name === null ? [] : [`the name ${name}`]),
    ...(containerPort === null ? [] : [`the number ${containerPort}`]),
    `place ${index}`,
  ];
  const protocols = port.protocols.join(' or ');
  return `no ${protocols} port of its EndpointSlices has ${ways.join(', or ')}`;
}
