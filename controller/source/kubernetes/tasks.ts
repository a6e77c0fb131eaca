import { addressText } from '../../address.ts';
import { canServe, type Slice, type SliceEndpoint, type SlicePort } from '../../kubernetes/endpoint-slice.ts';
import {
  type Locals,
  PORTS_LABEL,
  readLocals,
  readPlaces,
  readTaskStatuses,
} from '../../kubernetes/relayed.ts';
import type { App, Endpoint, Task, TaskPort } from '../../model.ts';
import type { Place } from '../../place.ts';
import { notPlaced, taskPort } from '../document/placement.ts';
import type { Declaration, NamedPort } from './declaration.ts';
import { pairPorts } from './pairing.ts';
import { addressTypeText, unmatched } from './references.ts';

/** A task in the making: one target, which may be in several slices (one for each family, two while they are moved). */
interface Member {
  readonly ports: readonly NamedPort[];
  readonly endpoints: readonly Map<string, Endpoint>[];
  condition: Pick<Task, 'state' | 'health'>;
  /** By the place of the port in `ports`. */
  local: Locals[string];
  /** Its ports as they were known, where the object that declares them has not arrived yet. */
  readonly kept: readonly TaskPort[] | null;
  /** Why it is not reached although a slice names it. */
  unusable?: string;
  /** From the first of its slices that has it. */
  place?: Place;
}

/**
 * The tasks of an app: what its EndpointSlices name, once each. Conditions become states: ready is running and
 * healthy; not ready is running and unhealthy; terminating is killing, so that connections drain as long as the
 * endpoint is listed.
 *
 * `previous` is the app as it was: tasks whose ports a relay has renamed keep theirs until the new names are known. `saved` is what
 * was saved of one whose object cannot be used: of its tasks those are left that slices name, at addresses that these have.
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
  // By name, so that every host makes the same of them.
  for (const slice of slices.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const ports = portsOf(declaration, slice);
    // A relay names each port: there is nothing to find out.
    const pairs =
      declaration.versions === null ? pairPorts(ports ?? [], slice.ports) : byName(ports ?? [], slice);
    gather(slice, ports, pairs, members, (id) => known.get(id)?.ports ?? []);
  }
  return [...members]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([id, member]) => toTask(id, member, declaration.versions !== null));
}

/** A pod of a set keeps its name when it starts anew, elsewhere. */
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

function place(
  endpoint: SliceEndpoint,
  pairs: readonly (SlicePort | null)[],
  { endpoints }: Pick<Member, 'endpoints'>,
): void {
  const address = addressText(endpoint.address);
  if (address === null) return;
  for (const [i, pair] of pairs.entries()) {
    if (pair !== null) endpoints[i]?.set(`${address} ${pair.port}`, { address, port: pair.port });
  }
}

/** Undefined: tasks of ports that the object does not know (yet). */
function portsOf({ ports, versions }: Declaration, { labels }: Slice): readonly NamedPort[] | undefined {
  return versions === null ? ports : versions.get(labels[PORTS_LABEL] ?? '');
}

function begin(ports: readonly NamedPort[], condition: Member['condition'], kept: Member['kept']): Member {
  return { ports, endpoints: ports.map(() => new Map()), condition, local: {}, kept };
}

function conditionOf({ ready, serving, terminating }: SliceEndpoint): Member['condition'] {
  if (terminating) return { state: 'killing', health: serving ? 'healthy' : 'unhealthy' };
  return { state: 'running', health: ready ? 'healthy' : 'unhealthy' };
}

/** Of two conditions of one task the better one counts: what is moved between slices is ready in one and not yet in the other. */
function rank({ state, health }: Member['condition']): number {
  if (state !== 'running') return 0;
  return health === 'healthy' || health === 'unchecked' ? 2 : 1;
}

function toTask(id: string, member: Member, relayed: boolean): Task {
  const { ports, endpoints, condition, local, kept, unusable, place } = member;
  const where = place === undefined ? {} : { place };
  if (kept !== null) return { id, ...condition, ports: kept, ...where };
  const placed = ports.map((declared, i) => {
    const at = [...(endpoints[i]?.values() ?? [])];
    const reached = at.length > 0 || relayed ? { endpoints: at } : notPlaced(unusable ?? unmatched(declared));
    const own = local[i];
    return taskPort(declared.port, own === undefined ? reached : { ...reached, local: own }, condition.state);
  });
  return { id, ...condition, ports: placed, ...where };
}
