/** What a plan would take out of rotation that no source has said by name, and why. */

import type { TaskLookup } from '../inventory/task-index.ts';
import {
  type BackendKey,
  endpointKey,
  type ObservedService,
  type ServiceKey,
  type Step,
  serviceKey,
  type Table,
} from '../model.ts';
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
  /** The services that were ours before this pass. */
  readonly owned: ReadonlyMap<ServiceKey, Owned>;
  readonly taskAt: TaskLookup;
  /** Whether a source has said by name that what is at an endpoint ends, or serves this VIP no more. */
  readonly named: (endpoint: BackendKey, service: ServiceKey) => boolean;
  /** Whether a backend that its sources want in rotation is none of a service's because others are nearer. */
  readonly leftOut: (endpoint: BackendKey, service: ServiceKey) => boolean;
}

/** The backends of one VIP that would leave the rotation unnamed, by endpoint, with why. */
export interface Loss {
  readonly backends: ReadonlyMap<BackendKey, LossReason>;
  /** How many fewer the VIP would have in rotation. */
  readonly net: number;
  /** The VIP would have none left. */
  readonly whole: boolean;
}

export type Losses = ReadonlyMap<ServiceKey, Loss>;

/** A backend counts when it is in rotation, and its VIP would have fewer afterwards: one that is replaced is no loss. */
export function findLosses({ services, growing, shrinking }: Plan, context: LossContext): Losses {
  // At the first start there is nothing to lose, and more to do than ever again.
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

/** Everything that a plan takes out of rotation, for whatever reason. */
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

/** How many backends of a service get new connections. */
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

/** Why a backend would leave, where no source says so by name; null where one does. */
function unnamed(
  endpoint: BackendKey,
  service: ServiceKey,
  { taskAt, named, leftOut }: LossContext,
  isWeighedDown: () => boolean,
): LossReason | null {
  if (named(endpoint, service)) return null;
  const condition = taskAt(endpoint)?.condition ?? 'missing';
  // In a list too: it says of this very task that it ends.
  if (condition === 'ended') return null;
  if (condition !== 'serving') return condition;
  if (leftOut(endpoint, service)) return 'not near';
  return isWeighedDown() ? 'weight 0' : 'not asked for';
}

/** Whether its VIP is still to have it, with weight 0; in a UDP service such a one is not in the kernel at all. */
function isWeighedDown(step: Step, service: PlannedService | undefined): boolean {
  if (step.op !== 'remove-backend' && step.op !== 'update-backend') return false;
  const endpoint = endpointKey(step.backend);
  const isWanted = ({ app, ...at }: PlannedBackend) => app !== null && endpointKey(at) === endpoint;
  return service?.backends.some(isWanted) === true;
}
