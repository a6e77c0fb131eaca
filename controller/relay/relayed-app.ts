/** Builds the objects that a relay writes for an app. Pure apart from hashing. */

import type { Relayed } from '../kubernetes/marathon-app.ts';
import { hashOf, objectName } from '../kubernetes/object-name.ts';
import {
  APP_LABEL,
  LOCAL_ANNOTATION,
  type Locals,
  MANAGED_BY_LABEL,
  PLACES_ANNOTATION,
  PORTS_LABEL,
  placesText,
  RELAY_LABEL,
  RELAY_MANAGER,
  TASKS_ANNOTATION,
  type TaskStatus,
} from '../kubernetes/relayed.ts';
import type { App, Port, Task } from '../model/app.ts';
import type { Endpoint } from '../model/endpoint.ts';
import { relayedPortName } from '../source/kubernetes/declaration.ts';
import { assign } from './assignment.ts';
import { invalidInSlice } from './slice-address.ts';

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

interface Group {
  readonly addressType: 'IPv4' | 'IPv6';
  readonly list: string;
  readonly ports: readonly { readonly name: string; readonly port: number; readonly protocol: string }[];
  readonly members: Map<string, { readonly address: string; readonly task: Task }>;
}

/** Builds the EndpointSlices of an app. Tasks with the same ports share a slice as long as there is room. */
export function slicesOf(app: App, relay: string, membersOf: SliceMembers): readonly RelayedObject[] {
  const name = objectName(app);
  const groups = new Map<string, Group>();
  for (const task of app.tasks) {
    if (task.state === 'gone') continue;
    for (const { address, ports } of placesOf(task)) {
      const addressType = address.includes(':') ? 'IPv6' : 'IPv4';
      const list = nameOf(declaredOf(task));
      const key = hashOf([addressType, list, ports]);
      const group = groups.get(key) ?? { addressType, list, ports, members: new Map() };
      groups.set(key, group);
      group.members.set(`${task.id} ${address}`, { address, task });
    }
  }
  return [...groups].flatMap(([key, group]) => {
    const names = (n: number) => `${name}-${key}-${n}`;
    const slices = assign([...group.members.keys()].sort(), (n) => membersOf(names(n)));
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
  const statuses: Record<string, string> = {};
  const locals: Record<string, Locals[string]> = {};
  const endpoints = keys.flatMap((key) => {
    const member = members.get(key);
    if (member === undefined) return [];
    const { address, task } = member;
    const conditions = conditionsOf(task);
    if (!impliesStatus(conditions, task)) statuses[task.id] = `${task.state}/${task.health}`;
    const local = localsOf(task);
    if (Object.keys(local).length > 0) locals[task.id] = local;
    return [{ addresses: [address], conditions, targetRef: { kind: 'Task', name: task.id } }];
  });
  const labels = {
    [RELAY_LABEL]: relay,
    [APP_LABEL]: app,
    [PORTS_LABEL]: list,
    [MANAGED_BY_LABEL]: RELAY_MANAGER,
    // Keeps Kubernetes' own controllers from changing it.
    'endpointslice.kubernetes.io/managed-by': RELAY_MANAGER,
  };
  const places = placesText(keys.flatMap((key) => members.get(key)?.task ?? []));
  const annotations = {
    ...annotation(TASKS_ANNOTATION, statuses),
    ...annotation(LOCAL_ANNOTATION, locals),
    ...(places !== null && { [PLACES_ANNOTATION]: places }),
  };
  return { name, labels, annotations, content: { addressType, ports, endpoints } };
}

/** An annotation with this value, or none if the value is empty. */
function annotation(name: string, value: object): Readonly<Record<string, string>> {
  return Object.keys(value).length === 0 ? {} : { [name]: JSON.stringify(value) };
}

function localsOf({ ports }: Task): Locals[string] {
  const locals: Record<string, readonly Endpoint[]> = {};
  for (const [index, { local = [] }] of ports.entries()) if (local.length > 0) locals[index] = local;
  return locals;
}

interface Conditions {
  readonly ready: boolean;
  readonly serving: boolean;
  readonly terminating: boolean;
}

function conditionsOf({ state, health }: TaskStatus): Conditions {
  const well = health === 'healthy' || health === 'unchecked';
  const terminating = state === 'killing';
  return {
    ready: state === 'running' && well,
    serving: (state === 'running' || terminating) && well,
    terminating,
  };
}

/** Whether a reader can derive the task's status from the conditions alone. */
function impliesStatus({ ready, serving, terminating }: Conditions, { state, health }: TaskStatus): boolean {
  if (terminating) return state === 'killing' && health === (serving ? 'healthy' : 'unhealthy');
  return state === 'running' && health === (ready ? 'healthy' : 'unhealthy');
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

/** Warns of each address that is invalid in an EndpointSlice: the server would refuse its whole slice. */
function leftOut(tasks: readonly Task[]): readonly string[] {
  const found = new Set<string>();
  for (const { id, state, ports } of tasks) {
    if (state === 'gone') continue;
    for (const { address } of ports.flatMap(({ endpoints }) => endpoints)) {
      const kind = invalidInSlice(address);
      if (kind !== null)
        found.add(`task ${id}: ${address} is left out, an EndpointSlice cannot contain ${kind} addresses`);
    }
  }
  const all = [...found].sort();
  const rest = all.length - MAX_LISTED;
  return rest > 0 ? [...all.slice(0, MAX_LISTED), `and ${rest} more addresses are left out`] : all;
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
