/** The kernel's counters: of services, of backends, and of the network namespace. */

import type { BackendKey } from './endpoint.ts';
import type { ServiceKey } from './service.ts';

export interface KernelReading {
  readonly services: ReadonlyMap<ServiceKey, ServiceCounters>;
  /** For example `1.2.1`. */
  readonly ipvsVersion: string;
  /** Number of buckets of the connection table. */
  readonly connectionTableSize: number;
  /** Entries of connection tracking and their limit; null without connection tracking. */
  readonly conntrack: { readonly count: number; readonly max: number } | null;
  readonly timeouts: IpvsTimeouts;
  /** null when the kernel does not report them. */
  readonly tables: IpvsTables | null;
}

/** Size and load of the IPVS tables of a network namespace. A number is null when the kernel does not report it. */
export interface IpvsTables {
  /**
   * Whether each network namespace has tables of its own, which grow and shrink (since Linux 7.1: commits 9a9ccef907a7 and
   * 8d7de5477e47). Before, all share tables of a fixed size.
   */
  readonly grow: boolean;
  readonly connections: {
    /** Connections of all services, whichever program they belong to. */
    readonly count: number | null;
    readonly buckets: number;
    /** The limit of its growth, from the module parameter `conn_tab_bits`. */
    readonly maxBuckets: number | null;
    /** `net.ipv4.vs.conn_lfactor`: the table grows from 2 to this power entries for each bucket on. */
    readonly loadFactor: number | null;
    /** `net.ipv4.vs.conn_max`: the limit of connections (since Linux 7.2: commit 4a15044a2b06). */
    readonly max: number | null;
  };
  readonly services: {
    readonly count: number | null;
    readonly buckets: number;
    /** `net.ipv4.vs.svc_lfactor`. */
    readonly loadFactor: number | null;
  };
  /** The threads that estimate rates; null before Linux 7.1, which does not report them, and before the first service. */
  readonly estimation: {
    readonly threads: number | null;
    readonly maxThreads: number | null;
    /** The maximum of services and backends for one thread. */
    readonly perThread: number;
    /** How many of these it estimates in one go. */
    readonly chainLength: number | null;
  } | null;
}

/** How long IPVS keeps a connection without packets, in seconds, in this network namespace. */
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

/** Traffic of a service or backend since it was added to the kernel. */
export interface Traffic {
  readonly connections: number;
  /** From clients. */
  readonly inPackets: number;
  /** To clients. */
  readonly outPackets: number;
  readonly inBytes: number;
  readonly outBytes: number;
  /** Rates for each second: the kernel's moving average over some seconds. */
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

/** A read of counters, to find backends that do not answer. */
export interface CountersRead {
  readonly services: ReadonlyMap<ServiceKey, ReadonlyMap<BackendKey, CountedDestination>>;
  /** Number of services with new connections that there was no time for; the next read begins with them. */
  readonly left: number;
  /** Number of services listed and destinations read. */
  readonly entries: number;
}

/** The counters of a destination at three reads, the latest last. */
export type CountedDestination = readonly [Counted, Counted, Counted];

/** Counters of one read, since the destination was added to the kernel. */
export interface Counted {
  readonly connections: number;
  readonly inPackets: number;
  readonly outPackets: number;
  readonly inBytes: number;
  readonly outBytes: number;
}
