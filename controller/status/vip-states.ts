/** The state of a VIP after a pass, and the reason to show for it. */

import { type BackendKey, endpointKey } from '../model/endpoint.ts';
import type { ServiceKey } from '../model/service.ts';
import type { PassStatus } from '../pass-status.ts';
import type { DecisionRule } from '../plan/decision.ts';
import type { PlannedService } from '../plan/plan.ts';
import { whyKept } from '../plan/unclaimed.ts';
import type { BackendRecords, BackendsFound } from './backend-records.ts';
import type { VipState } from './document.ts';

export interface StateAndReason {
  readonly state: VipState;
  readonly reason: string | null;
}

const FORWARDING: StateAndReason = { state: 'forwarding', reason: null };

export type States = (id: ServiceKey) => StateAndReason;

/** Creates a function that returns the state of a desired service. */
export function createStates(pass: PassStatus, held: HeldBackends): States {
  const conflicts = new Map(pass.plan.conflicts.map(({ key, reason }) => [key, reason]));
  const unsettled = new Map(pass.shortfall.map(({ key, kind }) => [key, kind]));
  return (id) => {
    const conflict = conflicts.get(id);
    if (conflict !== undefined) return { state: 'conflict', reason: conflict };
    if (held.has(id)) return heldState(pass.kept.has(id), pass.unknown);
    const kind = unsettled.get(id);
    if (kind === undefined) return FORWARDING;
    const what = kind === 'missing' ? 'the kernel lacks it' : 'not as desired in the kernel';
    return { state: 'pending', reason: failureOf(id, pass) ?? what };
  };
}

function heldState(isKept: boolean, unknown: PassStatus['unknown']): StateAndReason {
  return isKept ? { state: 'held', reason: `some of its backends stay: ${whyKept(unknown)}` } : HELD;
}

const HELD: StateAndReason = { state: 'held', reason: 'the mass-removal brake holds some of its backends' };

export type HeldBackends = ReadonlyMap<ServiceKey, ReadonlyMap<BackendKey, string>>;

/** For each service of which something is held: the backends that stay for that reason, with the reason. */
export function heldBackends({ plan, decisions }: PassStatus): HeldBackends {
  const found = new Map<ServiceKey, ReadonlyMap<BackendKey, string>>();
  for (const { key, held, backends } of plan.services) {
    if (!held) continue;
    const decided = decisions.get(key);
    const kept = new Map(backends.map((backend) => [endpointKey(backend), backend.reason] as const));
    for (const endpoint of kept.keys()) if (!HOLDING.has(decided?.get(endpoint)?.rule)) kept.delete(endpoint);
    found.set(key, kept);
  }
  return found;
}

const HOLDING: ReadonlySet<DecisionRule | undefined> = new Set<DecisionRule>([
  'mass removal',
  'unknown part',
]);

/** The first failed write to a service, with its message. */
function failureOf(id: string, { failures }: PassStatus): string | null {
  const [protocol = '', endpoint = ''] = id.split('/');
  const flag = protocol === 'udp' ? '-u' : '-t';
  const failure = failures.find(
    ({ step }) => step.split(' ', 3).slice(1).join(' ') === `${flag} ${endpoint}`,
  );
  return failure === undefined ? null : `${failure.step}: ${failure.message}`;
}

/** The state of a VIP that is as desired and has no backend in rotation. */
export function idleState(backends: BackendRecords): StateAndReason {
  const isRefused = [...backends.values()].some(({ decision }) => decision?.rule === 'refused');
  const reason = isRefused
    ? 'every backend is refused by the kernel or has weight 0'
    : 'every backend has weight 0';
  return { state: 'out of rotation', reason };
}

/** The state of a service that is still in the kernel and no longer desired. */
export function leavingState(
  { key, held, reason }: PlannedService,
  { drains }: BackendsFound,
  pass: PassStatus,
): StateAndReason {
  if (held) return { state: 'held', reason };
  if (drains !== undefined) return { state: 'draining', reason };
  return { state: 'pending', reason: failureOf(key, pass) ?? `to be removed: ${reason}` };
}
