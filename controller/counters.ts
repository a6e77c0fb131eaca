/** The kernel's counters for services, backends and the whole network namespace. */

import type { BackendKey, ServiceKey } from './model.ts';

export interface KernelReading {
  readonly services: ReadonlyMap<ServiceKey, ServiceCounters>;
  /** For example `1.2.1`. */
  readonly ipvsVersion: string;
  /** Buckets of the connection table. */
  readonly connectionTableSize: number;
  /** Connection-tracking entries and their maximum; null without connection tracking. */
  readonly conntrack: { readonly count: number; readonly max: number } | null;
  readonly timeouts: IpvsTimeouts;
  /** null if the kernel does not report them. */
  readonly tables: IpvsTables | null;
}

/** Size and load of the IPVS tables of a network namespace. A number is null if the kernel does not report it. */
export interface IpvsTables {
  /**
   * Whether the tables are resized with their contents and belong to this network namespace alone (since Linux 7.1: commits
   * 9a9ccef907a7 and 8d7de5477e47). Older kernels have tables of a fixed size, shared by all namespaces.
   */
  readonly grow: boolean;
  readonly connections: {
    /** Connections, other programs' services included. */
    readonly count: number | null;
    readonly buckets: number;
    /** Maximum number of buckets, from the module parameter `conn_tab_bits`. */
    readonly maxBuckets: number | null;
    /** `net.ipv4.vs.conn_lfactor`: the table grows at 2 to this power entries per bucket. */
    readonly loadFactor: number | null;
    /** `net.ipv4.vs.conn_max`: maximum number of connections (since Linux 7.2: commit 4a15044a2b06). */
    readonly max: number | null;
  };
  readonly services: {
    readonly count: number | null;
    readonly buckets: number;
    /** `net.ipv4.vs.svc_lfactor`. */
    readonly loadFactor: number | null;
  };
  /** The threads that estimate rates; null before Linux 7.1, which does not report them, and while there is no service. */
  readonly estimation: {
    readonly threads: number | null;
    readonly maxThreads: number | null;
    /** Maximum number of services and backends per thread. */
    readonly perThread: number;
    /** Services and backends that a thread updates in one go. */
    readonly chainLength: number | null;
  } | null;
}

/** How long IPVS keeps an idle connection in this network namespace, in seconds. */
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

/** Traffic of a service or a backend since it was added to the kernel. */
export interface Traffic {
  readonly connections: number;
  /** From clients. */
  readonly inPackets: number;
  /** To clients. */
  readonly outPackets: number;
  readonly inBytes: number;
  readonly outBytes: number;
  /** Per second, the kernel's average over a few seconds. */
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

/** What was read to find backends that do not answer. */
export interface CountersRead {
  readonly services: ReadonlyMap<ServiceKey, ReadonlyMap<BackendKey, CountedDestination>>;
  /** Services with new connections that there was no time for; they come first the next time. */
  readonly left: number;
  /** How many services were listed and destinations read for this. */
  readonly entries: number;
}

/** What a destination had counted at three reads, the last one among them. */
export type CountedDestination = readonly [Counted, Counted, Counted];

/** Since the kernel made the destination; all of one read. */
export interface Counted {
  readonly connections: number;
  readonly inPackets: number;
  readonly outPackets: number;
  readonly inBytes: number;
  readonly outBytes: number;
}
