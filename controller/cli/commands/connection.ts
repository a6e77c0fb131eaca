import {
  type Connection,
  type Connections,
  connectionsOf,
  endpointsNamed,
} from '../../desired/connections.ts';
import { cleanName } from '../../desired/names.ts';
import type { Translate } from '../../desired/translate.ts';
import { ControllerError } from '../../errors.ts';
import { EXIT_OK } from '../../exit-status.ts';
import { Inventory } from '../../inventory/inventory.ts';
import type { AppSource } from '../../ports.ts';
import { visible, visibleDocument, visibleJson } from '../../visible.ts';

export interface ConnectionPorts {
  readonly sources: readonly AppSource[];
  readonly translate: Translate;
  readonly print: (text: string) => void;
}

/** The operands: a service, an endpoint of it (`broker`, `broker:9092`), or neither for a list of services. */
export interface ConnectionRequest {
  readonly service: string | undefined;
  readonly endpoint: string | undefined;
  readonly output: 'json' | 'text';
}

/**
 * Prints how to connect to an endpoint, from the current apps of all sources. Rejects with a `ControllerError` if a source
 * cannot be read, or if no service or endpoint matches, or several do; the message lists them.
 */
export async function connection(
  { sources, translate, print }: ConnectionPorts,
  { service, endpoint, output }: ConnectionRequest,
  signal: AbortSignal,
): Promise<number> {
  const snapshots = await Promise.all(sources.map((source) => source.read(signal)));
  const snapshot = (await Inventory.inSlices(snapshots)).toSnapshot();
  const desired = translate(snapshot);
  const connections = connectionsOf(snapshot.apps, desired);
  if (service === undefined) print(output === 'json' ? toJson(namesOf(connections)) : listText(connections));
  else {
    const found = find(connections, service, endpoint);
    print(output === 'json' ? toJson(found) : connectionText(found));
  }
  return EXIT_OK;
}

function find(connections: Connections, service: string, endpoint: string | undefined): Connection {
  const endpoints = connections.get(cleanName(service) ?? service);
  if (endpoints === undefined) {
    throw unknown(`no service "${service}" has a VIP`, namesOf(connections), 'no service has one');
  }
  const [name, another] = endpointsNamed(endpoints, endpoint);
  const found = name === undefined ? undefined : endpoints.get(name);
  if (found === undefined)
    throw unknown(`${service} has no endpoint "${endpoint}"`, [...endpoints.keys()].sort(), 'it has none');
  if (another !== undefined) {
    const several = endpointsNamed(endpoints, endpoint);
    throw unknown(
      `${service} has several endpoints${endpoint === undefined ? '' : ` "${endpoint}"`}`,
      several,
      '',
    );
  }
  return found;
}

function unknown(what: string, existing: readonly string[], none: string): ControllerError {
  const list = existing.length === 0 ? none : `expected one of ${existing.join(', ')}`;
  return new ControllerError('usage', `connection: ${what}, ${list}`, { retry: 'never' });
}

function namesOf(connections: Connections): readonly string[] {
  return [...connections.keys()].sort();
}

function toJson(document: unknown): string {
  return `${visibleJson(document, 4)}\n`;
}

function listText(connections: Connections): string {
  const lines = namesOf(connections).flatMap((service) => {
    const endpoints = connections.get(service) ?? new Map<string, Connection>();
    return endpointsNamed(endpoints, undefined).map((name) => {
      const { vip = '', address = [] } = endpoints.get(name) ?? {};
      return `${visible(`${service}  ${name}  ${vip}`)}  ${address.length} ${address.length === 1 ? 'backend' : 'backends'}\n`;
    });
  });
  return lines.join('');
}

function connectionText(found: Connection): string {
  return Object.entries(visibleDocument(found))
    .map(([key, value]) => `${key.padEnd(10)} ${typeof value === 'string' ? value : value.join(' ')}\n`)
    .join('');
}
