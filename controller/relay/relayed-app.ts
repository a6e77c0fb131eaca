/** Builds the objects that a relay writes for an app. Pure apart from hashing. */

import type { Relayed } from '../kubernetes/marathon-app.ts';
import { hashOf, objectName } from '../kubernetes/object-name.ts';
import {
  APP_LABEL,
  MANAGED_BY_LABEL,
  PORTS_LABEL,
  RELAY_LABEL,
  RELAY_MANAGER,
} from '../kubernetes/relayed.ts';
import type { App, Port, Task } from '../model/app.ts';
import { relayedPortName } from '../source/kubernetes/declaration.ts';
import { annotationsOf, MAX_NOTES_BYTES, notesBytes } from './annotations.ts';
import { assign } from './assignment.ts';
import { invalidInSlice } from './slice-address.ts';
import { conditionsOf } from './slice-conditions.ts';

/** The fields of an object that the relay owns. */
export interface RelayedObject {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** Everything besides apiVersion, kind and metadata. */
  readonly content: Readonly<Record<string, unknown>>;
}

/** Returns the members of a published slice: they stay in it, so that few slices change. */
export type SliceMembers = (slice: string) => readonly string[] | undefined;

/** Builds the MarathonApp of an app. */
export function marathonAppOf(app: App, relay: string): RelayedObject {
  const { id, kind, framework, ports, tasks, labelsPerTask, rejected, warnings } = app;
  const name = objectName(app);
  const version = nameOf(ports);
  const allWarnings = [...warnings, ...leftOut(tasks)];
  const lists = new Map(tasks.map((task) => [nameOf(declaredOf(task)), declaredOf(task)]));
  lists.delete(version);
  const relayed: Relayed = {
    id,
    kind,
    ports: ports.map(portOf),
    version,
    versions: [...lists].sort(byName).map(([list, ofTask]) => ({ name: list, ports: ofTask.map(portOf) })),
    ...(labelsPerTask && { labelsPerTask }),
    ...(rejected.length > 0 && {
      rejected: rejected.map(({ at, value, reason }) => ({ at, value, reason })),
    }),
    ...(allWarnings.length > 0 && { warnings: allWarnings }),
  };
  const endpoints = { selector: { matchLabels: { [APP_LABEL]: name } } };
  const labels = { [RELAY_LABEL]: relay, [MANAGED_BY_LABEL]: RELAY_MANAGER };
  return { name, labels, annotations: {}, content: { spec: { framework, endpoints, relayed } } };
}

interface Member {
  readonly address: string;
  readonly task: Task;
  /** What the task adds to the annotations of its slice. */
  readonly bytes: number;
}

interface Group {
  readonly addressType: 'IPv4' | 'IPv6';
  readonly list: string;
  readonly ports: readonly { readonly name: string; readonly port: number; readonly protocol: string }[];
  readonly members: Map<string, Member>;
}

/** Builds the EndpointSlices of an app. Tasks with the same ports share a slice as long as there is room. */
export function slicesOf(app: App, relay: string, membersOf: SliceMembers): readonly RelayedObject[] {
  const name = objectName(app);
  const groups = new Map<string, Group>();
  for (const task of app.tasks) {
    if (task.state === 'gone') continue;
    const bytes = notesBytes(task);
    if (bytes > MAX_NOTES_BYTES) continue;
    for (const { address, ports } of placesOf(task)) {
      const addressType = address.includes(':') ? 'IPv6' : 'IPv4';
      const list = nameOf(declaredOf(task));
      const key = hashOf([addressType, list, ports]);
      const group = groups.get(key) ?? { addressType, list, ports, members: new Map() };
      groups.set(key, group);
      group.members.set(`${task.id} ${address}`, { address, task, bytes });
    }
  }
  return [...groups].flatMap(([key, group]) => {
    const names = (n: number) => `${name}-${key}-${n}`;
    const bytesOf = (member: string) => group.members.get(member)?.bytes ?? 0;
    const slices = assign([...group.members.keys()].sort(), (n) => membersOf(names(n)), bytesOf);
    return slices.map(({ n, members }) => sliceOf(names(n), name, relay, group, members));
  });
}

function sliceOf(
  name: string,
  app: string,
  relay: string,
  { addressType, list, ports, members }: Group,
  keys: readonly string[],
): RelayedObject {
  const found = keys.flatMap((key) => members.get(key) ?? []);
  const endpoints = found.map(({ address, task }) => ({
    addresses: [address],
    conditions: conditionsOf(task),
    targetRef: { kind: 'Task', name: task.id },
  }));
  const labels = {
    [RELAY_LABEL]: relay,
    [APP_LABEL]: app,
    [PORTS_LABEL]: list,
    [MANAGED_BY_LABEL]: RELAY_MANAGER,
    // Keeps Kubernetes' own controllers from changing it.
    'endpointslice.kubernetes.io/managed-by': RELAY_MANAGER,
  };
  const annotations = annotationsOf(found.map(({ task }) => task));
  return { name, labels, annotations, content: { addressType, ports, endpoints } };
}

/** Yields every address of a task with its ports; an address with several ports for one declared port comes more than once. */
function* placesOf({ ports }: Task): Generator<{ readonly address: string; readonly ports: Group['ports'] }> {
  const byAddress = new Map<string, Map<number, number[]>>();
  for (const [index, { endpoints }] of ports.entries()) {
    for (const { address, port } of endpoints) {
      // Neither valid in an EndpointSlice nor usable as a backend.
      if (port < 1 || invalidInSlice(address) !== null) continue;
      const found = byAddress.get(address) ?? new Map<number, number[]>();
      byAddress.set(address, found.set(index, [...(found.get(index) ?? []), port]));
    }
  }
  for (const [address, found] of byAddress) {
    // Sorted, so that the same ports give the same slices whatever order a source lists them in.
    for (const numbers of found.values()) numbers.sort((a, b) => a - b);
    const layers = Math.max(...[...found.values()].map((numbers) => numbers.length));
    for (let layer = 0; layer < layers; layer += 1) {
      const named = [...found].flatMap(([index, numbers]) => {
        const port = numbers[layer];
        const protocol = protocolOf(ports[index]);
        return port === undefined ? [] : [{ name: relayedPortName(index), port, protocol }];
      });
      yield { address, ports: named };
    }
  }
}

const MAX_LISTED = 10;

/** Warns of each task and address that an EndpointSlice cannot contain: the server would refuse its whole slice. */
function leftOut(tasks: readonly Task[]): readonly string[] {
  const found = new Set<string>();
  for (const task of tasks) {
    const { id, state, ports } = task;
    if (state === 'gone') continue;
    const bytes = notesBytes(task);
    if (bytes > MAX_NOTES_BYTES)
      found.add(
        `task ${id} is left out, its annotations would have ${bytes} bytes, and those of an EndpointSlice at most ${MAX_NOTES_BYTES}; declare fewer ports`,
      );
    for (const { address } of ports.flatMap(({ endpoints }) => endpoints)) {
      const kind = invalidInSlice(address);
      if (kind !== null)
        found.add(`task ${id}: ${address} is left out, an EndpointSlice cannot contain ${kind} addresses`);
    }
  }
  const all = [...found].sort();
  const rest = all.length - MAX_LISTED;
  return rest > 0 ? [...all.slice(0, MAX_LISTED), `and ${rest} more tasks or addresses are left out`] : all;
}

/** A port of a slice has a single protocol; a port with both is listed as TCP, and readers find it by its name. */
function protocolOf(port: Port | undefined): string {
  const all = port?.protocols.map((protocol) => protocol.toLowerCase()) ?? [];
  return all.includes('udp') && !all.includes('tcp') ? 'UDP' : 'TCP';
}

function declaredOf({ ports }: Task): readonly Port[] {
  return ports.map(({ endpoints: _endpoints, local: _local, unresolved: _unresolved, ...port }) => port);
}

/** Names a list of ports by its hash, so that a name always means the same list. */
function nameOf(ports: readonly Port[]): string {
  return hashOf(ports.map(portOf));
}

function portOf({ at, protocols, labels, mode, backendAddress, container }: Port): Relayed['ports'][number] {
  const of = container === undefined ? {} : { container };
  // Sorted, since sources and the API server order labels differently and the name is a hash.
  const sorted = Object.fromEntries(Object.entries(labels).sort(byName));
  return { at, protocols: [...protocols], labels: sorted, mode, backendAddress, ...of };
}

function byName([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1;
}
