import type { Family } from '../address.ts';
import type { TrafficDistribution } from '../place.ts';

/** How a VIP is balanced, as the labels beside its VIP label say. */
export interface PortOptions {
  /** The kernel's short name. */
  readonly scheduler: string;
  /** As for `ipvsadm -b`: `mh-fallback,mh-port`; empty for none. */
  readonly flags: string;
  /** 0: not persistent. */
  readonly persistenceSeconds: number;
  /** Prefix length by which persistence groups clients. */
  readonly persistencePrefix: Readonly<Record<Family, number>>;
  /** Weight of a healthy backend. */
  readonly weight: number;
  /** Limit for each backend; 0: no limit. */
  readonly maxConnections: number;
  readonly drainSeconds: number;
  /** Whether a backend that does not answer is ejected. */
  readonly eject: boolean;
  /** How long a backend that comes into rotation grows to its weight; 0: no slow start. */
  readonly slowStartSeconds: number;
  /** Whether all backends get connections, or only the nearest. */
  readonly trafficDistribution: TrafficDistribution;
}
