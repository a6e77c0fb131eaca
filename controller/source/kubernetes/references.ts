import { canServe, type Slice, type SlicePort } from '../../kubernetes/endpoint-slice.ts';
import { isVipLabel } from '../../settings/label-keys.ts';
import { type Declaration, type NamedPort, SERVICE_LABEL } from './declaration.ts';
import { pairPorts } from './pair-ports.ts';

/** Whether the objects that a MarathonApp refers to were found: reason and message of its condition `ResolvedRefs`. */
export interface References {
  readonly reason: 'ResolvedRefs' | 'BackendNotFound' | 'UnsupportedAddressType' | 'PortMismatch';
  /** Empty when all were found. */
  readonly message: string;
}

/** The references of each MarathonApp, by `namespace/name`, for the writer of their status. */
export class ReferenceBook {
  /** Called with the key of an object whose references changed. Must not throw. */
  changed: (key: string) => void = () => undefined;
  readonly #found = new Map<string, References>();

  /** undefined when the source does not know this object (yet). */
  of(key: string): References | undefined {
    return this.#found.get(key);
  }

  /** Records the references of an object; null when it is gone. */
  note(key: string, found: References | null): void {
    const before = this.#found.get(key);
    if (before?.reason === found?.reason && before?.message === found?.message) return;
    if (found === null) this.#found.delete(key);
    else this.#found.set(key, found);
    this.changed(key);
  }
}

const RESOLVED: References = { reason: 'ResolvedRefs', message: '' };

/** Checks the endpoints and ports that a declaration in this namespace refers to. */
export function referencesOf(
  { ports, selector, versions }: Declaration,
  namespace: string,
  slices: readonly Slice[],
): References {
  // A relay writes the slices as well: an app without slices has no tasks.
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
  return ports.flatMap((declared, i) => {
    if (!Object.keys(declared.port.labels).some(isVipLabel)) return [];
    const found = pairs.flatMap((each) => each[i] ?? []);
    const isUsable = found.some(({ port }) => port !== null);
    return isUsable ? [] : [`${declared.port.at}: ${unmatched(declared, found[0])}`];
  });
}

/** Why the endpoints of a slice with an address type other than IPv4 and IPv6 cannot be backends. */
export function addressTypeText({ name, addressType }: Slice): string {
  return `EndpointSlice ${name} has addressType ${addressType}: only IPv4 and IPv6 addresses can be backends`;
}

/**
 * Says by which names and numbers a port was not found; `found` is the port of a slice that is meant but has no number.
 */
export function unmatched({ port, name, containerPort, index }: NamedPort, found?: SlicePort): string {
  if (found !== undefined) {
    const what = found.name === '' ? 'port without a name' : `port ${found.name}`;
    return `the ${found.protocol} ${what} of its EndpointSlices has no number, which means all ports: a backend needs a port number`;
  }
  const ways = [
    ...(name === null ? [] : [`the name ${name}`]),
    ...(containerPort === null ? [] : [`the number ${containerPort}`]),
    `place ${index}`,
  ];
  const protocols = port.protocols.join(' or ');
  return `no ${protocols} port of its EndpointSlices has ${ways.join(', or ')}`;
}
