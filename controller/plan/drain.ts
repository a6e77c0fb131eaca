import type { TaskLookup } from '../inventory/task-index.ts';
import { type BackendKey, endpointKey } from '../model/endpoint.ts';
import type { ObservedBackend, Table } from '../model/kernel.ts';
import type { ServiceAddress, ServiceKey } from '../model/service.ts';

import type { DecisionTable } from './decision.ts';
import type { MassRemoval } from './mass.ts';
import { type PlanDraft, type PlannedBackend, type PlannedService, withBackends } from './plan.ts';

/** Deadlines of draining backends, in milliseconds of the monotonic clock. */
export type Drains = ReadonlyMap<ServiceKey, ReadonlyMap<BackendKey, number>>;

export interface DrainContext {
  readonly observed: Table;
  /** A backend without a task does not drain: its connections are broken already. */
  readonly taskAt: TaskLookup;
  /** The drains of the previous pass. */
  readonly drains: Drains;
  readonly now: number;
}

export interface Drained {
  readonly plan: PlanDraft;
  /** Drains that go on. */
  readonly drains: Drains;
  /** Drains that are over, whose backends the plan removes. They are kept until that succeeds, or a retry would start a new drain. */
  readonly ended: Drains;
}

/**
 * The services that lose backends whose tasks still run. Their connections must be counted anew, to know which backends
 * have to drain.
 */
export function takenFromTheLiving(
  { services }: PlanDraft,
  { observed, taskAt }: Pick<DrainContext, 'observed' | 'taskAt'>,
): readonly ServiceAddress[] {
  return services.filter((service) =>
    leaving(service, observed).some(([endpoint]) => taskAt(endpoint)?.drainSeconds != null),
  );
}

/**
 * Replaces removals of backends whose tasks still run by a drain: weight 0 until the kernel counts no connections or the
 * deadline has come, then removal. A service stays as long as one of its backends drains.
 *
 * UDP does not drain: a client that keeps sending would refresh its entry forever (kubernetes #71514). When the backend
 * is removed, its next packet goes to another one.
 */
export function keepDraining(plan: PlanDraft, context: DrainContext): Drained {
  const drains = new Map<ServiceKey, ReadonlyMap<BackendKey, number>>();
  const ended = new Map<ServiceKey, ReadonlyMap<BackendKey, number>>();
  const services = plan.services.map((service) => {
    const { staying, over } = deadlinesOf(service, context);
    if (over.size > 0) ended.set(service.key, over);
    if (staying.size === 0) return service;
    drains.set(service.key, staying);
    return stillThere(service, staying, context);
  });
  return { plan: { ...plan, services }, drains, ended };
}

/** The TCP backends of a service that leave the kernel. */
function leaving(
  { op, key, protocol, backends }: PlannedService,
  observed: Table,
): readonly (readonly [BackendKey, ObservedBackend])[] {
  if (protocol !== 'tcp' || op === 'keep' || op === 'add') return NONE;
  const have = observed.get(key)?.backends;
  return backends.flatMap((backend) => {
    const endpoint = backend.op === 'remove' ? endpointKey(backend) : '';
    const was = have?.get(endpoint);
    return was === undefined ? [] : [[endpoint, was] as const];
  });
}

const NONE: readonly never[] = [];

/** The deadlines of a service's leaving backends: of those that still drain, and of those whose drain is over. */
function deadlinesOf(service: PlannedService, context: DrainContext) {
  const staying = new Map<BackendKey, number>();
  const over = new Map<BackendKey, number>();
  for (const [endpoint, backend] of leaving(service, context.observed)) {
    const deadline = deadlineOf(service.key, endpoint, backend, context);
    if (deadline !== null) (deadline > context.now ? staying : over).set(endpoint, deadline);
  }
  return { staying, over };
}

/** The deadline of a backend's drain, in the past when it is over; null when the backend does not drain. */
function deadlineOf(
  service: ServiceKey,
  endpoint: BackendKey,
  { activeConnections, inactiveConnections, weight }: ObservedBackend,
  { taskAt, drains, now }: DrainContext,
): number | null {
  const seconds = taskAt(endpoint)?.drainSeconds ?? null;
  if (seconds === null || activeConnections + inactiveConnections === 0) return null;
  const known = drains.get(service)?.get(endpoint);
  if (known === undefined && seconds === 0) return null;
  const latest = now + seconds * 1_000;
  // The time counts from the moment at which the kernel has weight 0: as long as it could not be written, clients still come.
  if (weight > 0) return latest;
  // A deadline from before a restart may come from a wrong clock, so it is never later than a new drain's.
  return Math.min(known ?? latest, latest);
}

function stillThere(
  service: PlannedService,
  draining: ReadonlyMap<BackendKey, number>,
  { observed, now }: DrainContext,
): PlannedService {
  const have = observed.get(service.key);
  const backends = service.backends.map((backend): PlannedBackend => {
    const deadline = draining.get(endpointKey(backend));
    const was = have?.backends.get(endpointKey(backend));
    if (deadline === undefined || was === undefined) return backend;
    const changes = was.weight === 0 ? [] : [{ field: 'weight', was: was.weight, becomes: 0 }];
    const connections = was.activeConnections + was.inactiveConnections;
    const seconds = Math.ceil((deadline - now) / 1_000);
    const reason = `draining: ${connections} connection${connections === 1 ? '' : 's'} left, at most ${seconds} s`;
    return { ...backend, op: changes.length > 0 ? 'change' : 'keep', weight: 0, reason, changes };
  });
  return withBackends(service, backends);
}

/** Adds the decisions about draining backends. */
export function decideDrains(decisions: DecisionTable, drains: Drains): void {
  for (const [service, deadlines] of drains)
    for (const [endpoint, endsAt] of deadlines)
      decisions.add(service, endpoint, { rule: 'draining', endsWhen: 'its connections have ended', endsAt });
}

/** The deadlines of both. */
export function union(some: Drains, others: Drains): Drains {
  if (others.size === 0) return some;
  const all = new Map(some);
  for (const [key, deadlines] of others) all.set(key, new Map([...(some.get(key) ?? []), ...deadlines]));
  return all;
}

/** Leaves out held backends in rotation, whose drain must not begin before they are released. */
export function drainsWithoutHeld(
  drains: Drains,
  held: Pick<MassRemoval, 'services' | 'endpoints'> | null,
  observed: Table,
): Drains {
  if (held === null || drains.size === 0) return drains;
  const serves = (key: ServiceKey, endpoint: BackendKey) =>
    (observed.get(key)?.backends.get(endpoint)?.weight ?? 0) > 0;
  const left = [...drains].map(([key, deadlines]) => {
    const isHeld = (endpoint: BackendKey) =>
      held.services.has(key) && held.endpoints.has(endpoint) && serves(key, endpoint);
    return [key, new Map([...deadlines].filter(([endpoint]) => !isHeld(endpoint)))] as const;
  });
  return new Map(left.filter(([, deadlines]) => deadlines.size > 0));
}
