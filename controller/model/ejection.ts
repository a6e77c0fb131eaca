/** Ejection: the types for backends that do not answer this host although their sources call them healthy. */

import { type BackendKey, endpointKey, type Protocol } from './endpoint.ts';
import type { Backend } from './service.ts';

/** Identifies a backend in all of its VIPs: `tcp/10.0.0.1:31000`. */
export type TargetKey = string;

/** A backend to watch and probe. */
export interface Target {
  readonly key: TargetKey;
  readonly protocol: Protocol;
  readonly address: string;
  readonly port: number;
  /** Address of the host that it runs on; the backend's own when unknown. */
  readonly agent: string;
  /** A new task at the same address and port is a new target. */
  readonly task: string;
}

/** How connections to a backend failed. `agent`: a UDP backend on an agent whose TCP backends time out. */
export type EjectionCause = 'timed out' | 'unreachable' | 'refused' | 'agent';

export const EJECTION_CAUSES: readonly EjectionCause[] = ['timed out', 'unreachable', 'refused', 'agent'];

/** An ejected backend. Times are milliseconds of the monotonic clock. */
export interface Ejection {
  readonly target: Target;
  readonly since: number;
  readonly cause: EjectionCause;
  /** As text: `7 connections, no reply; connect timed out`. */
  readonly reason: string;
  /** When it is probed next; null when its agent's TCP backends are probed instead. */
  readonly nextProbe: number | null;
}

export type Ejections = ReadonlyMap<TargetKey, Ejection>;

/** The state of ejection, for status, health and metrics. */
export interface EjectionReport {
  readonly mode: 'on' | 'observe';
  readonly ejections: Ejections;
  /** Number of backends that are probed because clients seem to get no reply. */
  readonly suspects: number;
  /** Set when so many agents fail that this host may be at fault: nothing more is ejected. */
  readonly blind: Blindness | null;
  /** Why connections or counters cannot be read often enough; null when they can. */
  readonly behind: string | null;
  /** Totals since the start. */
  readonly ejected: Readonly<Record<EjectionCause, number>>;
  readonly returned: number;
  readonly probes: Readonly<Record<ProbeResult, number>>;
}

/** How many agents fail, and how many answer. */
export interface Blindness {
  readonly since: number;
  readonly failing: number;
  readonly answering: number;
}

/**
 * `silent`: a UDP backend from which no ICMP error came. `unknown`: the probe could not be made (no descriptor, no local
 * route), which says nothing about the backend.
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

/** The target for a backend of a service. */
export function targetOf(protocol: Protocol, backend: Backend): Target {
  const { address, port, hostPort, agent, task } = backend;
  const key = targetKey(protocol, endpointKey(backend));
  return { key, protocol, address, port, agent: agent ?? hostPort?.address ?? address, task };
}
