/**
 * Slow start, as a stage between what is desired and the plan: which backends of a VIP are on their way to full weight and
 * how far (`advanceRamps`), and the weights that this comes to (`withSlowStart`).
 *
 * A ramp is a fact, kept from pass to pass. Where nothing is remembered of a backend, the weight that the kernel has tells
 * how far it was: so a restart goes on where the controller was before.
 */

import type {
  Backend,
  BackendKey,
  Desired,
  ObservedBackend,
  ObservedService,
  Service,
  ServiceKey,
} from '../model.ts';
import { SLOW_START_SCALE } from '../slow-start.ts';
import { type Decisions, DecisionTable } from './decision.ts';
import { desiredWith } from './desired-with.ts';

/** A backend that grows. */
export interface Ramp {
  /** When it had its first tenth, in milliseconds of the monotonic clock. */
  readonly startedAt: number;
  /** So many tenths of its weight it has: 1 to 9. */
  readonly tenths: number;
}

/** The backends in rotation of one service; null: at full weight. */
export interface Ramps {
  /** How long they take. */
  readonly seconds: number;
  readonly backends: ReadonlyMap<BackendKey, Ramp | null>;
}

export type RampsByService = ReadonlyMap<ServiceKey, Ramps>;

const TENTHS = 10;
/** From the first tenth to the last. */
const STEPS = TENTHS - 1;
/** Of a step: sums of milliseconds with fractions are not exact. */
const ALMOST = 1e-6;

/**
 * Returns where each backend of a service with slow start is now. `have` is what the kernel has of it, `before` what this
 * returned last; undefined: nothing. The same object where nothing has changed.
 *
 * One that the kernel does not have in rotation begins, at a tenth. Where none is at full weight, all are: there is nobody
 * else to take the connections.
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

/** `before`: undefined where nothing is remembered of it. */
function rampOf(
  { weight }: Backend,
  have: ObservedBackend | undefined,
  before: Ramp | null | undefined,
  seconds: number,
  now: number,
): Ramp | null {
  // Whoever took its weight away did not take it out of rotation for us.
  if (have !== undefined && before === null) return null;
  if (have === undefined || have.weight === 0) return { startedAt: now, tenths: 1 };
  if (before == null) return rampIn(have.weight / (weight * SLOW_START_SCALE), seconds, now);
  const tenths = 1 + Math.floor((now - before.startedAt) / stepMs(seconds) + ALMOST);
  if (tenths >= TENTHS) return null;
  return tenths === before.tenths ? before : { ...before, tenths };
}

/** The ramp of a backend that the kernel has with such a share of its weight: never less than that. */
function rampIn(share: number, seconds: number, now: number): Ramp | null {
  const tenths = Math.ceil(share * TENTHS - ALMOST);
  // Less than a tenth: a weight of a time without slow start.
  if (tenths >= TENTHS || share * TENTHS < 1 - ALMOST) return null;
  return { tenths, startedAt: now - (tenths - 1) * stepMs(seconds) };
}

/** What is remembered of a backend; where it takes another time now, it goes on from where it is. */
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

/** When the next of these backends that the kernel has in rotation is due for its next tenth; null: none is. */
export function nextStepOf({ seconds, backends }: Ramps, have: ObservedService | undefined): number | null {
  let next: number | null = null;
  for (const [key, ramp] of backends) {
    if (ramp === null || (have?.backends.get(key)?.weight ?? 0) === 0) continue;
    const due = ramp.startedAt + ramp.tenths * stepMs(seconds);
    next = next === null ? due : Math.min(next, due);
  }
  return next;
}

/** How many backends are on their way. */
export function rampsIn({ backends }: Ramps): number {
  let count = 0;
  for (const ramp of backends.values()) if (ramp !== null) count += 1;
  return count;
}

/** Services as `withSlowStart` made them, by what they were made of: most are the same from pass to pass. */
export type Weighed = WeakMap<Service, { readonly of: Ramps | undefined; readonly service: Service }>;

/**
 * What is desired, with the weights of VIPs with slow start multiplied by `SLOW_START_SCALE`, and of those on their way so
 * many tenths of them. It changes when `desired` or `ramps` does.
 */
export function withSlowStart(desired: Desired, ramps: RampsByService, made: Weighed): Desired {
  return desiredWith(desired, (service, key) => {
    if (service.slowStartSeconds === undefined) return service;
    const of = ramps.get(key);
    const known = made.get(service);
    if (known !== undefined && known.of === of) return known.service;
    const weighed = weigh(service, of);
    made.set(service, { of, service: weighed });
    return weighed;
  });
}

/** A service with slow start as the kernel gets it; with undefined, at full weight. */
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

/** Why backends of these services have less than their weight, and when each has all of it. */
export function slowStartDecisions(keys: Iterable<ServiceKey>, ramps: RampsByService): Decisions {
  const decisions = new DecisionTable();
  if (ramps.size === 0) return decisions.all;
  for (const key of keys) {
    const { seconds = 0, backends = NO_RAMPS } = ramps.get(key) ?? {};
    for (const [backend, ramp] of backends) {
      if (ramp === null) continue;
      const { startedAt } = ramp;
      const endsAt = startedAt + seconds * 1_000;
      decisions.add(key, backend, {
        rule: 'slow start',
        since: startedAt,
        endsWhen: 'it has its full weight',
        endsAt,
      });
    }
  }
  return decisions.all;
}

const NO_RAMPS: Ramps['backends'] = new Map();
