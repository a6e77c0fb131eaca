/** Backends that do not answer this host, although their sources call them fit: the words in which that is told. */

import { type Backend, type BackendKey, endpointKey, type Protocol } from './model.ts';

/** `tcp/10.0.0.1:31000`: a backend in whatever VIPs it is. */
export type TargetKey = string;

/** A backend as it is watched and probed. */
export interface Target {
  readonly key: TargetKey;
  readonly protocol: Protocol;
  readonly address: string;
  readonly port: number;
  /** Address of the host that it runs on; its own where that is not known. */
  readonly agent: string;
  /** Another task at the same address and port is another backend. */
  readonly task: string;
}

/** How a connection to a backend failed. `agent`: a UDP backend, of whose agent TCP backends time out. */
export type EjectionCause = 'timed out' | 'unreachable' | 'refused' | 'agent';

export const EJECTION_CAUSES: readonly EjectionCause[] = ['timed out', 'unreachable', 'refused', 'agent'];

/** A backend that is proven not to answer. Times are milliseconds of the monotonic clock. */
export interface Ejection {
  readonly target: Target;
  readonly since: number;
  readonly cause: EjectionCause;
  /** In words: `7 connections, no reply; connect timed out`. */
  readonly reason: string;
  /** When it is probed next; null where its agent's backends are probed instead. */
  readonly nextProbe: number | null;
}

export type Ejections = ReadonlyMap<TargetKey, Ejection>;

/** What watching has found, for status, health and metrics. */
export interface EjectionReport {
  readonly mode: 'on' | 'observe';
  readonly ejections: Ejections;
  /** Backends that are being probed because clients seemed to get no reply. */
  readonly suspects: number;
  /** Set where so many agents fail from here that this host may be at fault: nothing more is ejected. */
  readonly blind: Blindness | null;
  /** What keeps connections or counters from being read often enough; null where nothing does. */
  readonly behind: string | null;
  /** Since the start. */
  readonly ejected: Readonly<Record<EjectionCause, number>>;
  readonly returned: number;
  readonly probes: Readonly<Record<ProbeResult, number>>;
}

/** How many agents failed, and how many answered meanwhile. */
export interface Blindness {
  readonly since: number;
  readonly failing: number;
  readonly answering: number;
}

/**
 * `silent`: of a UDP backend, that nothing told it was closed. `unknown`: the probe could not be made (no descriptor, no
 * route of ours), which says nothing of the backend.
 */
export type ProbeResult = 'connected' | 'timed out' | 'unreachable' | 'refused' | 'silent' | 'unknown';

export const PROBE_RESULTS: readonly ProbeResult[] = [
  'connected',
  'timed out',
  'unreachable',
  'refused',
  'silent',
  'unknown',
];

/** The key of a backend of a service with this protocol. */
export function targetKey(protocol: string, backend: BackendKey): TargetKey {
  return `${protocol}/${backend}`;
}

/** A service's backend, to be watched and probed. */
export function targetOf(protocol: Protocol, backend: Backend): Target {
  const { address, port, hostPort, agent, task } = backend;
  const key = targetKey(protocol, endpointKey(backend));
  return { key, protocol, address, port, agent: agent ?? hostPort?.address ?? address, task };
}
