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
  /** null where the kernel tells nothing of them. */
  readonly tables: IpvsTables | null;
}

/** Size and load of the IPVS tables of a network namespace. A number is null where the kernel does not tell it. */
export interface IpvsTables {
  /**
   * Whether the tables grow and shrink with what is in them, and belong to this network namespace alone (since Linux 7.1:
   * commits 9a9ccef907a7 and 8d7de5477e47). Before, one of each with a fixed size is for all.
   */
  readonly grow: boolean;
  readonly connections: {
    /** Of every program's services. */
    readonly count: number | null;
    readonly buckets: number;
    /** What the module parameter `conn_tab_bits` lets it grow to. */
    readonly maxBuckets: number | null;
    /** `net.ipv4.vs.conn_lfactor`: 2 to this power are the entries for a bucket from which on it grows. */
    readonly loadFactor: number | null;
    /** `net.ipv4.vs.conn_max`: how many there may be (since Linux 7.2: commit 4a15044a2b06). */
    readonly max: number | null;
  };
  readonly services: {
    readonly count: number | null;
    readonly buckets: number;
    /** `net.ipv4.vs.svc_lfactor`. */
    readonly loadFactor: number | null;
  };
  /** The threads that count rates; null before Linux 7.1, which does not tell of them, and before there is a service. */
  readonly estimation: {
    readonly threads: number | null;
    readonly maxThreads: number | null;
    /** Services and backends that one thread counts at most. */
    readonly perThread: number;
    /** How many of these it counts in one go. */
    readonly chainLength: number | null;
  } | null;
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
