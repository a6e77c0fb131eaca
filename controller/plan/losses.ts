/** The backends that a plan would take out of rotation although no source named them, and why. */

import type { TaskLookup } from '../inventory/task-index.ts';
import { type BackendKey, endpointKey } from '../model/endpoint.ts';
import type { ObservedService, Step, Table } from '../model/kernel.ts';
import { type ServiceKey, serviceKey } from '../model/service.ts';
import type { Owned, Plan, PlannedBackend, PlannedService } from './plan.ts';

export type LossReason =
  | 'missing'
  | 'health lost'
  | 'unhealthy'
  | 'unreachable'
  | 'staging'
  | 'not asked for'
  | 'weight 0'
  | 'not near';

export interface LossContext {
  readonly observed: Table;
  /** The services that were owned before this pass, and those that it adopts. */
  readonly owned: ReadonlyMap<ServiceKey, Owned>;
  readonly taskAt: TaskLookup;
  /** Whether a source named the task at an endpoint as ending, or as no longer serving this VIP. */
  readonly named: (endpoint: BackendKey, service: ServiceKey) => boolean;
  /** Whether a backend is left out of a service only because others are nearer. */
  readonly leftOut: (endpoint: BackendKey, service: ServiceKey) => boolean;
}

/** The backends of one VIP that would leave the rotation without being named. */
export interface Loss {
  readonly backends: ReadonlyMap<BackendKey, LossReason>;
  /** By how many the VIP's backends in rotation would shrink. */
  readonly net: number;
  /** Whether the VIP would have none left. */
  readonly whole: boolean;
}

export type Losses = ReadonlyMap<ServiceKey, Loss>;

/** Finds unnamed losses. A backend counts when it is in rotation and its VIP would have fewer afterwards: a replacement is no loss. */
export function findLosses({ services, growing, shrinking }: Plan, context: LossContext): Losses {
  // At the first start nothing can be lost, and the plan is at its largest.
  if (context.owned.size === 0) return new Map();
  let byKey: ReadonlyMap<ServiceKey, PlannedService> | undefined;
  const planned = (key: ServiceKey) => {
    byKey ??= new Map(services.map((service) => [service.key, service]));
    return byKey.get(key);
  };
  const found = new Map<
    ServiceKey,
    { backends: Map<BackendKey, LossReason>; left: number; gained: number }
  >();
  const of = (key: ServiceKey) => {
    const known = found.get(key) ?? { backends: new Map<BackendKey, LossReason>(), left: 0, gained: 0 };
    found.set(key, known);
    return known;
  };
  for (const step of [...growing, ...shrinking]) {
    const key = serviceKey(step.service);
    const service = context.owned.has(key) ? context.observed.get(key) : undefined;
    if (service === undefined) continue;
    for (const endpoint of leavingRotation(step, service)) {
      const why = unnamed(endpoint, key, context, () => isWeighedDown(step, planned(key)));
      of(key).left += 1;
      if (why !== null) of(key).backends.set(endpoint, why);
    }
    if (entersRotation(step, service)) of(key).gained += 1;
  }
  const losses = new Map<ServiceKey, Loss>();
  for (const [key, { backends, left, gained }] of found) {
    const net = backends.size - gained;
    const whole = gained === 0 && left === inRotation(context.observed.get(key));
    if (net > 0) losses.set(key, { backends, net, whole });
  }
  return losses;
}

/** All backends that a plan takes out of rotation, for any reason. */
export function* leaving(
  { growing, shrinking }: Plan,
  { observed, owned }: Pick<LossContext, 'observed' | 'owned'>,
): Generator<readonly [ServiceKey, BackendKey]> {
  for (const step of [...growing, ...shrinking]) {
    const key = serviceKey(step.service);
    const service = owned.has(key) ? observed.get(key) : undefined;
    if (service === undefined) continue;
    for (const endpoint of leavingRotation(step, service)) yield [key, endpoint];
  }
}

/** The number of backends in rotation: those with a weight above 0. */
export function inRotation(service: ObservedService | undefined): number {
  let count = 0;
  for (const { weight } of service?.backends.values() ?? []) if (weight > 0) count += 1;
  return count;
}

function leavingRotation(step: Step, { backends }: ObservedService): readonly BackendKey[] {
  const serves = (endpoint: BackendKey) => (backends.get(endpoint)?.weight ?? 0) > 0;
  if (step.op === 'remove-service') return [...backends.keys()].filter(serves);
  const leaves = step.op === 'remove-backend' || (step.op === 'update-backend' && step.backend.weight === 0);
  return leaves ? [endpointKey(step.backend)].filter(serves) : [];
}

function entersRotation(step: Step, service: ObservedService): boolean {
  if (step.op !== 'add-backend' && step.op !== 'update-backend') return false;
  const had = service.backends.get(endpointKey(step.backend))?.weight ?? 0;
  return had === 0 && step.backend.weight > 0;
}

/** Why a backend would leave the rotation; null when a source named it. */
function unnamed(
  endpoint: BackendKey,
  service: ServiceKey,
  { taskAt, named, leftOut }: LossContext,
  isWeighedDown: () => boolean,
): LossReason | null {
  if (named(endpoint, service)) return null;
  const condition = taskAt(endpoint)?.condition ?? 'missing';
  // Even in a list, since it reports the end of this very task.
  if (condition === 'ended') return null;
  if (condition !== 'serving') return condition;
  if (leftOut(endpoint, service)) return 'not near';
  return isWeighedDown() ? 'weight 0' : 'not asked for';
}

/** Whether the backend is still desired, with weight 0. (A UDP backend of weight 0 is removed from the kernel.) */
function isWeighedDown(step: Step, service: PlannedService | undefined): boolean {
  if (step.op !== 'remove-backend' && step.op !== 'update-backend') return false;
  const endpoint = endpointKey(step.backend);
  const isWanted = ({ app, ...at }: PlannedBackend) => app !== null && endpointKey(at) === endpoint;
  return service?.backends.some(isWanted) === true;
}
