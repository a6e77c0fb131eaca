/** What the kernel counts for services and backends, and for the whole network namespace. */

import type { BackendKey, ServiceKey } from './model.ts';

export interface KernelReading {
  readonly services: ReadonlyMap<ServiceKey, ServiceCounters>;
  /** For example `1.2.1`. */
  readonly ipvsVersion: string;
  /** Buckets of the connection table. */
  readonly connectionTableSize: number;
  /** Entries of connection tracking, and how many it takes; null where there is none. */
  readonly conntrack: { readonly count: number; readonly max: number } | null;
  readonly timeouts: IpvsTimeouts;
}

/** How long IPVS keeps a connection without packets, in seconds; of this network namespace. */
export interface IpvsTimeouts {
  readonly tcp: number;
  /** After a FIN was seen. */
  readonly tcpFin: number;
  readonly udp: number;
}

export interface ServiceCounters {
  readonly traffic: Traffic;
  readonly backends: ReadonlyMap<BackendKey, BackendCounters>;
}

/** What has gone through a service or a backend since the kernel made it. */
export interface Traffic {
  readonly connections: number;
  /** From clients. */
  readonly inPackets: number;
  /** To clients. */
  readonly outPackets: number;
  readonly inBytes: number;
  readonly outBytes: number;
  /** Each second, the kernel's average over some of them. */
  readonly connectionRate: number;
  readonly inPacketRate: number;
  readonly outPacketRate: number;
  readonly inByteRate: number;
  readonly outByteRate: number;
}

export interface BackendCounters {
  readonly activeConnections: number;
  readonly inactiveConnections: number;
  readonly traffic: Traffic;
}
