/** How evenly new connections spread over the backends of a VIP. Pure. */

import type { BackendCounters, Traffic } from '../model/counters.ts';
import type { BackendKey } from '../model/endpoint.ts';
import type { BackendRecord } from './backend-records.ts';
import type { VipRecord } from './vip-records.ts';

/** How new connections spread over the backends that were in rotation during the whole span. */
export interface Spread {
  /** When counting began, in milliseconds of the monotonic clock. */
  readonly since: number;
  /** New connections to the backends compared. */
  readonly connections: number;
  /** How many backends are compared. */
  readonly backends: number;
  readonly most: Share;
  readonly least: Share;
}

export interface Share {
  readonly backend: BackendKey;
  readonly connections: number;
  /** Its connections as a multiple of what its weight entitles it to: 1 is even. */
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

/** When each backend was last full. */
export type LastFull = ReadonlyMap<BackendKey, number>;

/** The smallest share to judge by: chance turns 20 into 40, or 5, once in ten thousand cases. */
const MIN_SHARE = 20;
/** A backend with at least this multiple of its share makes the spread uneven, */
export const UNEVEN_FROM = 2;
/** and so does one with at most this multiple. */
const UNEVEN_DOWN_TO = 0.25;

// Schedulers that are not listed fill one backend first (`fo`, `ovf`), or use addresses alone (`dh`, `lblc`, `lblcr`).
const BY_WEIGHT: ReadonlySet<string> = new Set(['wrr', 'wlc', 'sed', 'nq', 'sh', 'mh', 'twos']);
const EVENLY: ReadonlySet<string> = new Set(['rr', 'lc']);

/**
 * Compares the connections that backends got since `before` with their shares, without backends that were full meanwhile.
 * Returns null if there are fewer than two backends to compare, or too few connections to judge.
 *
 * Counts new connections rather than open ones: `wlc` keeps open ones even by sending more to a backend that closes them at
 * once, such as one that fails every request.
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
  if (compared.length < 2 || connections < MIN_SHARE * compared.length) return null;
  const shares = compared.flatMap(({ weight, ...got }): readonly Share[] => {
    const share = (connections * weight) / weights;
    // A backend with a small share is judged only if it got far more than that.
    const isSignificant = share >= MIN_SHARE || got.connections >= UNEVEN_FROM * MIN_SHARE;
    return isSignificant ? [{ ...got, ofShare: got.connections / share }] : [];
  });
  // Never empty: the backend with the greatest weight has at least the average share.
  const most = shares.reduce((a, b) => (b.ofShare > a.ofShare ? b : a));
  const least = shares.reduce((a, b) => (b.ofShare < a.ofShare ? b : a));
  return { since: before.at, connections, backends: compared.length, most, least };
}

/** Whether a backend got far more, or far less, than its share. */
export function isUneven({ most, least }: Pick<Spread, 'most' | 'least'>): boolean {
  return most.ofShare >= UNEVEN_FROM || least.ofShare <= UNEVEN_DOWN_TO;
}

/**
 * Adds the backends that are full `now`, at `at`, to `had`, and drops entries older than `before`. The kernel sends a full
 * backend nothing until it is below its lower threshold.
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

/** Returns null if the backend was not in rotation with this weight during the whole span. */
function newConnections(
  { inKernel, weight, since }: BackendRecord,
  { at }: CountedBefore,
  had: number | undefined,
  now: CountedNow | undefined,
): number | null {
  if (had === undefined || now === undefined || !inKernel || weight === 0 || since > at) return null;
  // Fewer than before: it was removed from the kernel and added again.
  const connections = now.traffic.connections - had;
  return connections < 0 ? null : connections;
}
