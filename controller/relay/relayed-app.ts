/** An app as the objects that a relay writes for it. Pure apart from hashing. */

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
import type { App, Endpoint, Port, Task } from '../model.ts';
import { relayedPortName } from '../source/kubernetes/declaration.ts';
import { assign } from './assignment.ts';
import { whyNoSliceTakes } from './slice-address.ts';

/** The fields of an object that the relay owns. */
export interface RelayedObject {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** The rest of it besides apiVersion, kind and metadata. */
  readonly content: Readonly<Record<string, unknown>>;
}

/** Which members the slices that are there have: a member stays in its slice, so that few are written. */
export type SliceMembers = (slice: string) => readonly string[] | undefined;

/** The MarathonApp. */
export function marathonAppOf(app: App, relay: string): RelayedObject {
  const { id, kind, framework, ports, tasks, labelsPerTask, rejected, warnings } = app;
  const name = objectName(app);
  const version = nameOf(ports);
  const told = [...warnings, ...leftOut(tasks)];
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
    ...(told.length > 0 && { warnings: told }),
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

/** Its EndpointSlices: tasks that are reached at the same ports are in one, as far as there is room. */
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
    if (!saysAll(conditions, task)) statuses[task.id] = `${task.state}/${task.health}`;
    const local = localsOf(task);
    if (Object.keys(local).length > 0) locals[task.id] = local;
    return [{ addresses: [address], conditions, targetRef: { kind: 'Task', name: task.id } }];
  });
  const labels = {
    [RELAY_LABEL]: relay,
    [APP_LABEL]: app,
    [PORTS_LABEL]: list,
    [MANAGED_BY_LABEL]: RELAY_MANAGER,
    // So that Kubernetes' own controllers leave it alone.
    'endpointslice.kubernetes.io/managed-by': RELAY_MANAGER,
  };
  const places = placesText(keys.flatMap((key) => members.get(key)?.task ?? []));
  const annotations = {
    ...said(TASKS_ANNOTATION, statuses),
    ...said(LOCAL_ANNOTATION, locals),
    ...(places !== null && { [PLACES_ANNOTATION]: places }),
  };
  return { name, labels, annotations, content: { addressType, ports, endpoints } };
}

/** An annotation, where there is anything to say. */
function said(name: string, what: object): Readonly<Record<string, string>> {
  return Object.keys(what).length === 0 ? {} : { [name]: JSON.stringify(what) };
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

/** Whether a reader makes the same of the conditions alone. */
function saysAll({ ready, serving, terminating }: Conditions, { state, health }: TaskStatus): boolean {
  if (terminating) return state === 'killing' && health === (serving ? 'healthy' : 'unhealthy');
  return state === 'running' && health === (ready ? 'healthy' : 'unhealthy');
}

/** Every address of a task with its ports; an address that has several for one declared port comes more than once. */
function* placesOf({ ports }: Task): Generator<{ readonly address: string; readonly ports: Group['ports'] }> {
  const byAddress = new Map<string, Map<number, number[]>>();
  for (const [index, { endpoints }] of ports.entries()) {
    for (const { address, port } of endpoints) {
      // An EndpointSlice cannot have it, and it can be no backend either.
      if (port < 1 || whyNoSliceTakes(address) !== null) continue;
      const found = byAddress.get(address) ?? new Map<number, number[]>();
      byAddress.set(address, found.set(index, [...(found.get(index) ?? []), port]));
    }
  }
  for (const [address, found] of byAddress) {
    // In whatever order they are told, and read again from slices, they are in the same ones.
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

/** Of each address that no EndpointSlice takes: one of them would have the server refuse all others of its slice. */
function leftOut(tasks: readonly Task[]): readonly string[] {
  const found = new Set<string>();
  for (const { id, state, ports } of tasks) {
    if (state === 'gone') continue;
    for (const { address } of ports.flatMap(({ endpoints }) => endpoints)) {
      const why = whyNoSliceTakes(address);
      if (why !== null)
        found.add(`task ${id}: ${address} is left out, an EndpointSlice takes no ${why} address`);
    }
  }
  const all = [...found].sort();
  const rest = all.length - MAX_LISTED;
  return rest > 0 ? [...all.slice(0, MAX_LISTED), `and ${rest} more addresses are left out`] : all;
}

/** A port of a slice has one protocol: of both it is tcp, and readers find it by its name. */
function protocolOf(port: Port | undefined): string {
  const all = port?.protocols.map((protocol) => protocol.toLowerCase()) ?? [];
  return all.includes('udp') && !all.includes('tcp') ? 'UDP' : 'TCP';
}

function declaredOf({ ports }: Task): readonly Port[] {
  return ports.map(({ endpoints: _endpoints, local: _local, unresolved: _unresolved, ...port }) => port);
}

/** Lists are called after what is in them: whoever finds a name knows the list, or has not read it yet. */
function nameOf(ports: readonly Port[]): string {
  return hashOf(ports.map(portOf));
}

function portOf({ at, protocols, labels, mode, backendAddress, container }: Port): Relayed['ports'][number] {
  const of = container === undefined ? {} : { container };
  // Sources and the API server have them in orders of their own; the list is called after what is in it.
  const sorted = Object.fromEntries(Object.entries(labels).sort(byName));
  return { at, protocols: [...protocols], labels: sorted, mode, backendAddress, ...of };
}

function byName([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1;
}
