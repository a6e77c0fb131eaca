/** How evenly new connections spread over the backends of a VIP. Pure. */

import type { BackendCounters, Traffic } from '../counters.ts';
import type { BackendKey } from '../model.ts';
import type { BackendRecord } from './backend-records.ts';
import type { VipRecord } from './vip-records.ts';

/** What the backends of a VIP got since an earlier moment, of those that were in rotation all the while. */
export interface Spread {
  /** When counting began, in milliseconds of the monotonic clock. */
  readonly since: number;
  /** New connections of those that are compared. */
  readonly connections: number;
  /** How many are compared. */
  readonly backends: number;
  readonly most: Share;
  readonly least: Share;
}

export interface Share {
  readonly backend: BackendKey;
  readonly connections: number;
  /** So many times what its weight gives it: 1 is even. */
  readonly ofShare: number;
}

/** The connections that the kernel had counted for each backend. */
export interface CountedBefore {
  readonly at: number;
  readonly backends: ReadonlyMap<BackendKey, number>;
}

type CountedNow = Pick<BackendCounters, 'activeConnections' | 'inactiveConnections'> & {
  readonly traffic: Pick<Traffic, 'connections'>;
};

/** When each backend was seen full last. */
export type LastFull = ReadonlyMap<BackendKey, number>;

/** Of fewer connections nothing follows: of a share of twenty, chance makes forty, or five, in one of ten thousand cases. */
const LEAST_SHARE = 20;
/** From here on, and down to there, it is uneven. */
export const MOST_OF_SHARE = 2;
const LEAST_OF_SHARE = 0.25;

/** In proportion to weights, and evenly. The others fill one backend first, or go by addresses alone (`dh`, `lblc`, `lblcr`). */
const BY_WEIGHT: ReadonlySet<string> = new Set(['wrr', 'wlc', 'sed', 'nq', 'sh', 'mh', 'twos']);
const EVENLY: ReadonlySet<string> = new Set(['rr', 'lc']);

/**
 * Compares what backends got since `before` with their shares; not of those that were full meanwhile. null: there are not two of them to
 * compare, or too few connections to say anything.
 *
 * New connections, not those that are open: `wlc` keeps the latter even by sending more to a backend that ends them at once,
 * as one does that fails every request.
 */
export function spreadOf(
  { scheduler, backends }: Pick<VipRecord, 'scheduler' | 'backends'>,
  before: CountedBefore,
  now: ReadonlyMap<BackendKey, CountedNow>,
  lastFull: LastFull,
): Spread | null {
  if (scheduler === null || !(BY_WEIGHT.has(scheduler) || EVENLY.has(scheduler))) return null;
  const compared: { backend: BackendKey; connections: number; weight: number }[] = [];
  for (const [backend, record] of backends) {
    if (wasFull(backend, before, lastFull)) continue;
    const connections = newConnections(record, before, before.backends.get(backend), now.get(backend));
    if (connections !== null)
      compared.push({ backend, connections, weight: EVENLY.has(scheduler) ? 1 : record.weight });
  }
  const connections = compared.reduce((sum, each) => sum + each.connections, 0);
  const weights = compared.reduce((sum, { weight }) => sum + weight, 0);
  if (compared.length < 2 || connections < LEAST_SHARE * compared.length) return null;
  const shares = compared.flatMap(({ weight, ...got }): readonly Share[] => {
    const share = (connections * weight) / weights;
    // A light backend cannot get too few of a few, and a handful is not too many.
    const isTelling = share >= LEAST_SHARE || got.connections >= MOST_OF_SHARE * LEAST_SHARE;
    return isTelling ? [{ ...got, ofShare: got.connections / share }] : [];
  });
  // The heaviest is among them, since its share is above the average.
  const most = shares.reduce((a, b) => (b.ofShare > a.ofShare ? b : a));
  const least = shares.reduce((a, b) => (b.ofShare < a.ofShare ? b : a));
  return { since: before.at, connections, backends: compared.length, most, least };
}

/** Whether it is worth someone's attention. */
export function isUneven({ most, least }: Pick<Spread, 'most' | 'least'>): boolean {
  return most.ofShare >= MOST_OF_SHARE || least.ofShare <= LEAST_OF_SHARE;
}

/**
 * Of `had` what counts since `before`, with those that are full `now`, at `at`: the kernel gives such a backend nothing until it is
 * below its lower threshold.
 */
export function updateFull(
  had: LastFull,
  { backends }: Pick<VipRecord, 'backends'>,
  before: Pick<CountedBefore, 'at'>,
  now: ReadonlyMap<BackendKey, Omit<CountedNow, 'traffic'>>,
  at: number,
): LastFull {
  const full = [...backends].filter(([key, { upperThreshold, lowerThreshold }]) => {
    const counted = upperThreshold > 0 ? now.get(key) : undefined;
    return counted !== undefined && counted.activeConnections + counted.inactiveConnections >= lowerThreshold;
  });
  const recent = [...had].filter(([, last]) => last >= before.at);
  return new Map([...recent, ...full.map(([key]) => [key, at] as const)]);
}

function wasFull(backend: BackendKey, { at }: CountedBefore, lastFull: LastFull): boolean {
  const last = lastFull.get(backend);
  return last !== undefined && last >= at;
}

/** null: it was not in rotation with this weight all the while. */
function newConnections(
  { inKernel, weight, since }: BackendRecord,
  { at }: CountedBefore,
  had: number | undefined,
  now: CountedNow | undefined,
): number | null {
  if (had === undefined || now === undefined || !inKernel || weight === 0 || since > at) return null;
  // Fewer than before: the kernel made it anew meanwhile.
  const connections = now.traffic.connections - had;
  return connections < 0 ? null : connections;
}
