/**
 * Slow start, a stage between the desired state and the plan: how far each backend is on its way to full weight
 * (`advanceRamps`), and the weights that follow (`weigh`).
 *
 * Ramps are kept from pass to pass. A backend without one is as far as its weight in the kernel says, so a restart goes on
 * where the controller stopped.
 */

import type { BackendKey } from '../model/endpoint.ts';
import type { ObservedBackend, ObservedService } from '../model/kernel.ts';
import type { Backend, Service, ServiceKey } from '../model/service.ts';
import { SLOW_START_SCALE } from '../settings/slow-start.ts';
import type { DecisionTable } from './decision.ts';

/** The progress of a backend that grows to its weight. */
export interface Ramp {
  /** When it got its first tenth, in milliseconds of the monotonic clock. */
  readonly startedAt: number;
  /** How many tenths of its weight it has: 1 to 9. */
  readonly tenths: number;
}

/** The ramps of one service. */
export interface Ramps {
  /** Duration of a ramp. */
  readonly seconds: number;
  /** Of the backends in rotation; null for one at full weight. */
  readonly backends: ReadonlyMap<BackendKey, Ramp | null>;
}

const TENTHS = 10;
/** The number of steps from the first tenth to the last. */
const STEPS = TENTHS - 1;
/** Tolerance in steps, since sums of fractional milliseconds are not exact. */
const ALMOST = 1e-6;

/**
 * Computes the ramps of a service with slow start. `have`: the kernel's service. `before`: the previous result, which is
 * returned again when nothing has changed.
 *
 * A backend that is not in rotation in the kernel starts at a tenth. When no backend would be at full weight, all are, since
 * there is no other to take the connections.
 */
export function advanceRamps(
  service: Pick<Service, 'slowStartSeconds' | 'backends'>,
  have: Pick<ObservedService, 'backends'> | undefined,
  before: Ramps | undefined,
  now: number,
): Ramps {
  const { slowStartSeconds: seconds = 0 } = service;
  const all = new Map<BackendKey, Ramp | null>();
  let isSomeFull = false;
  for (const [key, backend] of service.backends) {
    if (backend.weight === 0) continue;
    const ramp = rampOf(backend, have?.backends.get(key), rebased(before, key, seconds, now), seconds, now);
    all.set(key, ramp);
    isSomeFull ||= ramp === null;
  }
  if (!isSomeFull) for (const key of all.keys()) all.set(key, null);
  return before !== undefined && before.seconds === seconds && isSame(before.backends, all)
    ? before
    : { seconds, backends: all };
}

/** The ramp of one backend; null at full weight. `before`: undefined when the backend is new. */
function rampOf(
  { weight }: Backend,
  have: ObservedBackend | undefined,
  before: Ramp | null | undefined,
  seconds: number,
  now: number,
): Ramp | null {
  // A weight that another program changed does not restart the ramp.
  if (have !== undefined && before === null) return null;
  if (have === undefined || have.weight === 0) return { startedAt: now, tenths: 1 };
  if (before == null) return rampIn(have.weight / (weight * SLOW_START_SCALE), seconds, now);
  const tenths = 1 + Math.floor((now - before.startedAt) / stepMs(seconds) + ALMOST);
  if (tenths >= TENTHS) return null;
  return tenths === before.tenths ? before : { ...before, tenths };
}

/** The ramp that belongs to a share of the weight in the kernel; never below that share. */
function rampIn(share: number, seconds: number, now: number): Ramp | null {
  const tenths = Math.ceil(share * TENTHS - ALMOST);
  // Less than a tenth: the weight is from before slow start was switched on.
  if (tenths >= TENTHS || share * TENTHS < 1 - ALMOST) return null;
  return { tenths, startedAt: now - (tenths - 1) * stepMs(seconds) };
}

/** The previous ramp of a backend; when the duration has changed, it continues from the same tenth. */
function rebased(before: Ramps | undefined, key: BackendKey, seconds: number, now: number) {
  const ramp = before?.backends.get(key);
  if (ramp == null || before?.seconds === seconds) return ramp;
  return { ...ramp, startedAt: now - (ramp.tenths - 1) * stepMs(seconds) };
}

function stepMs(seconds: number): number {
  return (seconds * 1_000) / STEPS;
}

function isSame(a: Ramps['backends'], b: Ramps['backends']): boolean {
  if (a.size !== b.size) return false;
  for (const [key, ramp] of b) {
    const other = a.get(key);
    if (other?.startedAt !== ramp?.startedAt || other?.tenths !== ramp?.tenths || !a.has(key)) return false;
  }
  return true;
}

/** When the next tenth of a backend is due, among those in rotation in the kernel; null when none is. */
export function nextStepOf({ seconds, backends }: Ramps, have: ObservedService | undefined): number | null {
  let next: number | null = null;
  for (const [key, ramp] of backends) {
    if (ramp === null || (have?.backends.get(key)?.weight ?? 0) === 0) continue;
    const due = ramp.startedAt + ramp.tenths * stepMs(seconds);
    next = next === null ? due : Math.min(next, due);
  }
  return next;
}

/** The number of backends below full weight. */
export function rampsIn(ramps: Ramps | undefined): number {
  let count = 0;
  for (const ramp of ramps?.backends.values() ?? []) if (ramp !== null) count += 1;
  return count;
}

/**
 * A service with slow start as the kernel gets it: weights multiplied by `SLOW_START_SCALE`, and reduced to the tenths of
 * their ramps. Without `ramps`, all backends have full weight.
 */
export function weigh(service: Service, ramps?: Ramps): Service {
  const backends = new Map<BackendKey, Backend>();
  for (const [key, backend] of service.backends) {
    const full = backend.weight * SLOW_START_SCALE;
    const ramp = full === 0 ? null : (ramps?.backends.get(key) ?? null);
    if (ramp === null) backends.set(key, { ...backend, weight: full });
    else {
      const weight = (full * ramp.tenths) / TENTHS;
      const reason = `slow start: ${ramp.tenths * TENTHS} %`;
      backends.set(key, { ...backend, weight, reason });
    }
  }
  return { ...service, backends };
}

/** Adds the decisions about backends below full weight, and when each reaches it. */
export function decideRamps(
  decisions: DecisionTable,
  service: ServiceKey,
  { seconds, backends }: Ramps,
): void {
  for (const [backend, ramp] of backends) {
    if (ramp === null) continue;
    const { startedAt: since } = ramp;
    const endsAt = since + seconds * 1_000;
    decisions.add(service, backend, {
      rule: 'slow start',
      since,
      endsWhen: 'it has its full weight',
      endsAt,
    });
  }
}
