import { addressText } from '../../address.ts';
import { canServe, type Slice, type SliceEndpoint, type SlicePort } from '../../kubernetes/endpoint-slice.ts';
import {
  type Locals,
  PORTS_LABEL,
  readLocals,
  readPlaces,
  readTaskStatuses,
} from '../../kubernetes/relayed.ts';
import type { App, Task, TaskPort } from '../../model/app.ts';
import type { Endpoint } from '../../model/endpoint.ts';
import type { Place } from '../../model/place.ts';
import { type Planned, PortBudget } from '../backend-bound.ts';
import { notPlaced, taskPort } from '../document/placement.ts';
import type { Declaration, NamedPort } from './declaration.ts';
import { pairPorts } from './pair-ports.ts';
import { addressTypeText, unmatched } from './references.ts';

/** A task under construction: one target, which may be in several slices (one per family, or two while it is moved). */
interface Member {
  readonly ports: readonly NamedPort[];
  readonly endpoints: readonly Map<string, Endpoint>[];
  /** The port of a slice that is meant but has no usable number, by index in `ports`. */
  readonly unnumbered: (SlicePort | undefined)[];
  condition: Pick<Task, 'state' | 'health'>;
  /** By index among the declared ports. */
  local: Locals[string];
  /** Its last known ports, while the object that declares the new ones has not arrived. */
  readonly kept: readonly TaskPort[] | null;
  /** Why it cannot be reached although a slice lists it. */
  unusable?: string;
  /** Why one of its addresses cannot be read. */
  unread?: string;
  /** From the first of its slices that has a place. */
  place?: Place;
}

/**
 * The tasks of an app: the targets in its EndpointSlices, each once. A ready endpoint is running and healthy; one that
 * is not ready is running and unhealthy; a terminating one is killing, so that its connections drain while it is
 * listed.
 *
 * `previous`: the app as last built. Tasks whose ports a relay has renamed keep theirs until the new names are known.
 * `saved`: the saved app of an invalid object; only those of its tasks are returned that slices still list, at
 * addresses that the slices have.
 */
export function tasksOf(
  declaration: Declaration,
  slices: readonly Slice[],
  previous: App | undefined,
  saved?: App,
): readonly Task[] {
  if (saved !== undefined) return stillThere(tasksOf(declaration, slices, saved), slices);
  const members = new Map<string, Member>();
  const known = new Map(previous?.tasks.map((task) => [task.id, task]));
  const endpoints = slices.reduce((sum, slice) => sum + slice.endpoints.length, 0);
  const budget = new PortBudget<NamedPort>(endpoints);
  // Sorted by name, so that every host gets the same result.
  for (const slice of slices.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const declared = portsOf(declaration, slice);
    const ports = declared && budget.portsOf(declared);
    gather(
      slice,
      ports,
      pairsOf(declaration, declared, ports, slice),
      members,
      (id) => known.get(id)?.ports ?? [],
    );
  }
  return [...members]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([id, member]) => toTask(id, member, declaration.versions !== null));
}

/** How many tasks get which ports, before they are made; a task in two slices counts twice. */
export function plannedTasks(declaration: Declaration, slices: readonly Slice[]): readonly Planned[] {
  return slices.map((slice) => ({
    declared: portsOf(declaration, slice) ?? [],
    tasks: slice.endpoints.length,
  }));
}

/** The ports of a slice for these of the declared ports. All are paired: a port that is left out keeps its own. */
function pairsOf(
  { versions }: Declaration,
  declared: readonly NamedPort[] = [],
  ports: readonly NamedPort[] = [],
  slice: Slice,
): readonly (SlicePort | null)[] {
  // A relay names each port, so no guessing is needed.
  if (versions !== null) return byName(ports, slice);
  const pairs = pairPorts(declared, slice.ports);
  const kept = new Set(ports);
  return ports === declared
    ? pairs
    : pairs.filter((_, i) => declared[i] !== undefined && kept.has(declared[i]));
}

/**
 * Keeps the tasks whose addresses are still listed: a pod of a StatefulSet keeps its name when it restarts elsewhere.
 */
function stillThere(tasks: readonly Task[], slices: readonly Slice[]): readonly Task[] {
  const addresses = new Set(
    slices.flatMap(({ endpoints }) => endpoints.map(({ address }) => addressText(address))),
  );
  return tasks
    .map((task) => ({
      ...task,
      ports: task.ports.map((port) => ({
        ...port,
        endpoints: port.endpoints.filter(({ address }) => addresses.has(address)),
      })),
    }))
    .filter(({ ports }) => ports.some(({ endpoints }) => endpoints.length > 0));
}

function gather(
  slice: Slice,
  ports: readonly NamedPort[] | undefined,
  pairs: readonly (SlicePort | null)[],
  members: Map<string, Member>,
  known: (id: string) => readonly TaskPort[],
): void {
  const conditions = readTaskStatuses(slice);
  const locals = readLocals(slice);
  const places = readPlaces(slice);
  for (const endpoint of slice.endpoints) {
    const { target } = endpoint;
    const condition = conditions.get(target) ?? conditionOf(endpoint);
    const kept = ports === undefined ? known(target) : null;
    const member = members.get(target) ?? begin(ports ?? [], condition, kept);
    members.set(target, member);
    if (rank(condition) > rank(member.condition)) member.condition = condition;
    const stands = endpoint.place ?? places.get(target);
    if (member.place === undefined && stands !== undefined) member.place = stands;
    if (member.ports !== ports) continue;
    if (canServe(slice)) place(endpoint, pairs, member);
    else member.unusable = addressTypeText(slice);
    member.local = locals[target] ?? member.local;
  }
}

function byName(declared: readonly NamedPort[], { ports }: Slice): readonly (SlicePort | null)[] {
  return declared.map(({ name }) => ports.find((port) => port.name === name) ?? null);
}

function place(endpoint: SliceEndpoint, pairs: readonly (SlicePort | null)[], member: Member): void {
  const { endpoints, unnumbered } = member;
  const address = addressText(endpoint.address);
  if (address === null) {
    if (endpoint.fault !== undefined) member.unread ??= endpoint.fault;
    return;
  }
  for (const [i, pair] of pairs.entries()) {
    if (pair === null) continue;
    if (pair.port === null) unnumbered[i] = pair;
    else endpoints[i]?.set(`${address} ${pair.port}`, { address, port: pair.port });
  }
}

/** The ports of a slice's tasks; undefined when the object does not list them (yet). */
function portsOf({ ports, versions }: Declaration, { labels }: Slice): readonly NamedPort[] | undefined {
  return versions === null ? ports : versions.get(labels[PORTS_LABEL] ?? '');
}

function begin(ports: readonly NamedPort[], condition: Member['condition'], kept: Member['kept']): Member {
  return { ports, endpoints: ports.map(() => new Map()), unnumbered: [], condition, local: {}, kept };
}

function conditionOf({ ready, serving, terminating }: SliceEndpoint): Member['condition'] {
  if (terminating) return { state: 'killing', health: serving ? 'healthy' : 'unhealthy' };
  return { state: 'running', health: ready ? 'healthy' : 'unhealthy' };
}

/**
 * The better condition of a task counts: while an endpoint moves between slices, it may be ready in only one of them.
 */
function rank({ state, health }: Member['condition']): number {
  if (state !== 'running') return 0;
  return health === 'healthy' || health === 'unchecked' ? 2 : 1;
}

function toTask(id: string, member: Member, relayed: boolean): Task {
  const { ports, endpoints, unnumbered, condition, local, kept, unusable, unread, place } = member;
  const where = place === undefined ? {} : { place };
  if (kept !== null) return { id, ...condition, ports: kept, ...where };
  const placed = ports.map((declared, i) => {
    const at = [...(endpoints[i]?.values() ?? [])];
    // Reported even if the port is reached at another address, or through another slice.
    const fault = unread ?? unnumbered[i]?.fault;
    const reached =
      at.length > 0 || relayed
        ? { endpoints: at, ...(fault !== undefined && { unresolved: fault }) }
        : notPlaced(fault ?? unusable ?? unmatched(declared, unnumbered[i]));
    const own = local[declared.index];
    return taskPort(declared.port, own === undefined ? reached : { ...reached, local: own }, condition.state);
  });
  const { state, health } = condition;
  return { id, state, health, ports: placed, ...where };
}
