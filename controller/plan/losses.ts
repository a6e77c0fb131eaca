/** The backends that a plan would take out of rotation although no source named them, and why. */

import type { TaskLookup } from '../inventory/task-index.ts';
import { type BackendKey, endpointKey } from '../model/endpoint.ts';
import type { ObservedService, Table } from '../model/kernel.ts';
import type { ServiceKey } from '../model/service.ts';
import type { Owned, PlanDraft, PlannedBackend, PlannedService } from './plan.ts';

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
export function findLosses({ services }: PlanDraft, context: LossContext): Losses {
  const losses = new Map<ServiceKey, Loss>();
  for (const service of services) {
    const have = kernelsOwn(service, context);
    if (have === undefined) continue;
    const backends = new Map<BackendKey, LossReason>();
    let [left, gained] = [0, 0];
    for (const backend of service.backends) {
      const change = rotationChange(backend, have);
      if (change === 'enters') gained += 1;
      if (change !== 'leaves') continue;
      left += 1;
      const why = unnamed(backend, service.key, context);
      if (why !== null) backends.set(endpointKey(backend), why);
    }
    const net = backends.size - gained;
    const whole = gained === 0 && left === inRotation(have);
    if (net > 0) losses.set(service.key, { backends, net, whole });
  }
  return losses;
}

/** All backends that a plan takes out of rotation, for any reason. */
export function* leaving(
  { services }: PlanDraft,
  context: Pick<LossContext, 'observed' | 'owned'>,
): Generator<readonly [ServiceKey, BackendKey]> {
  for (const service of services) {
    const have = kernelsOwn(service, context);
    if (have === undefined) continue;
    for (const backend of service.backends)
      if (rotationChange(backend, have) === 'leaves') yield [service.key, endpointKey(backend)];
  }
}

/** The number of backends in rotation: those with a weight above 0. */
export function inRotation(service: ObservedService | undefined): number {
  let count = 0;
  for (const { weight } of service?.backends.values() ?? []) if (weight > 0) count += 1;
  return count;
}

/** A service of ours in the kernel that the plan changes or removes; undefined for any other. */
function kernelsOwn(
  { op, key }: PlannedService,
  { observed, owned }: Pick<LossContext, 'observed' | 'owned'>,
): ObservedService | undefined {
  return op !== 'keep' && owned.has(key) ? observed.get(key) : undefined;
}

function rotationChange(backend: PlannedBackend, have: ObservedService): 'enters' | 'leaves' | null {
  if (backend.op === 'keep') return null;
  const served = (have.backends.get(endpointKey(backend))?.weight ?? 0) > 0;
  const serves = backend.op !== 'remove' && backend.weight > 0;
  if (served === serves) return null;
  return serves ? 'enters' : 'leaves';
}

/** Why a backend would leave the rotation; null when a source named it. */
function unnamed(
  { app, ...backend }: PlannedBackend,
  service: ServiceKey,
  { taskAt, named, leftOut }: LossContext,
): LossReason | null {
  const endpoint = endpointKey(backend);
  if (named(endpoint, service)) return null;
  const condition = taskAt(endpoint)?.condition ?? 'missing';
  // Even in a list, since it reports the end of this very task.
  if (condition === 'ended') return null;
  if (condition !== 'serving') return condition;
  if (leftOut(endpoint, service)) return 'not near';
  // An app still wants it, with weight 0. (A UDP backend of weight 0 is removed from the kernel.)
  return app === null ? 'not asked for' : 'weight 0';
}
