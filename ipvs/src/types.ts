/** Transport protocol of a virtual service. */
export type Protocol = 'tcp' | 'udp' | 'sctp';

/** Address family of a service identified by a firewall mark. Elsewhere it follows from the address. */
export type AddressFamily = 'ipv4' | 'ipv6';

/** Identifies a virtual service by protocol, address and port. */
export interface AddressServiceId {
  readonly protocol: Protocol;
  /** IPv4 or IPv6 address as text, without zone or brackets. */
  readonly address: string;
  /** 0 to 65535. 0 means every port and requires persistence. */
  readonly port: number;
}

/** Identifies a virtual service by the firewall mark (fwmark) that a packet filter sets on its packets. */
export interface FwmarkServiceId {
  /** 1 to 4294967295. */
  readonly fwmark: number;
  readonly family: AddressFamily;
}

/** Identifies a virtual service. */
export type ServiceId = AddressServiceId | FwmarkServiceId;

/** Scheduling algorithm, by its kernel name. A name that is not listed here is passed to the kernel unchanged. */
export type Scheduler =
  | 'rr'
  | 'wrr'
  | 'lc'
  | 'wlc'
  | 'lblc'
  | 'lblcr'
  | 'dh'
  | 'sh'
  | 'sed'
  | 'nq'
  | 'fo'
  | 'ovf'
  | 'mh'
  | 'twos'
  | (string & {});

/**
 * Scheduler flags; each scheduler defines what they mean. For `sh` and `mh`, `flag-1` falls back to another destination
 * if the chosen one is unavailable, and `flag-2` includes the source port in the hash.
 */
export type SchedulerFlag = 'flag-1' | 'flag-2' | 'flag-3';

/** Persistence: new connections of a client go to the same destination as its earlier ones. */
export interface Persistence {
  /** How long persistence lasts after the client's last connection has ended, in seconds; at least 1. */
  readonly timeoutSeconds: number;
  /**
   * Prefix length of the client network: clients in the same network count as one client.
   * @defaultValue 32 for IPv4, 128 for IPv6: each address is a client
   */
  readonly prefixLength?: number | undefined;
}

/** How a service schedules connections. These options can be changed later. */
export interface ServiceOptions {
  readonly scheduler: Scheduler;
  /** @defaultValue none */
  readonly schedulerFlags?: readonly SchedulerFlag[] | undefined;
  /**
   * One-packet scheduling: each UDP packet is scheduled independently.
   * @defaultValue false
   */
  readonly onePacket?: boolean | undefined;
  /** @defaultValue no persistence */
  readonly persistence?: Persistence | undefined;
  /**
   * Persistence engine: identifies clients by something in addition to their address. Linux has only `sip`, which adds the
   * Call-ID, so that the calls of one client may go to different destinations. Requires persistence and UDP.
   * @defaultValue none
   */
  readonly persistenceEngine?: string | undefined;
}

/** A virtual service as it is written: its identity and its options. */
export type VirtualService = ServiceId & ServiceOptions;

/**
 * Traffic statistics. The totals count from when the service or destination was added or last zeroed. The kernel sums
 * them over its CPUs every two seconds (estimation_timer in ip_vs_est.c), so they may be up to two seconds old.
 */
export interface Stats {
  readonly connections: bigint;
  readonly inPackets: bigint;
  readonly outPackets: bigint;
  readonly inBytes: bigint;
  readonly outBytes: bigint;
  /** Rates are per second, as a moving average that the kernel keeps over some seconds. */
  readonly connectionRate: number;
  readonly inPacketRate: number;
  readonly outPacketRate: number;
  readonly inByteRate: number;
  readonly outByteRate: number;
}

/**
 * A virtual service as read from the kernel. Options at their default are absent, so that apart from `stats` it equals the
 * service that was written without them.
 */
export type ObservedService = VirtualService & { readonly stats: Stats };

/**
 * How packets reach a destination: `masquerade` (NAT), `direct-route` (same network), `tunnel` (encapsulated), `local`
 * (this host) or `bypass` (not to the destination, but to the address that the client used; for transparent caches).
 */
export type ForwardingMethod = 'masquerade' | 'direct-route' | 'tunnel' | 'local' | 'bypass';

/**
 * Encapsulation for the forwarding method `tunnel`. The choice exists since Linux 5.2, `gre` and checksums since 5.3; older
 * kernels always use `ipip`.
 */
export interface Tunnel {
  readonly type: 'ipip' | 'gue' | 'gre';
  /** Remote UDP port. Required for `gue`. */
  readonly port?: number | undefined;
  /**
   * Checksum of the outer header, for `gue` and `gre`. `remote-checksum` is valid for `gue` only.
   * @defaultValue none
   */
  readonly checksum?: 'none' | 'checksum' | 'remote-checksum' | undefined;
}

/** Identifies a destination of a service. */
export interface DestinationId {
  /** IPv4 or IPv6 address as text. Its family may differ from the service's only with the forwarding method `tunnel`. */
  readonly address: string;
  /** Must be the service's port, except with the forwarding method `masquerade`. */
  readonly port: number;
}

/** A destination as it is written. `ipvsadm` calls it a real server. */
export interface Destination extends DestinationId {
  /** 0 to 2147483647. A destination with weight 0 gets no new connections; existing ones continue. */
  readonly weight: number;
  readonly forwardingMethod: ForwardingMethod;
  /** @defaultValue `ipip` if the forwarding method is `tunnel` */
  readonly tunnel?: Tunnel | undefined;
  /**
   * At this many connections the destination stops getting new ones.
   * @defaultValue 0: no limit
   */
  readonly upperThreshold?: number | undefined;
  /**
   * Below this many connections the destination gets new ones again.
   * @defaultValue 0: three quarters of the upper threshold
   */
  readonly lowerThreshold?: number | undefined;
}

/** A destination as read from the kernel. Settings at their default are absent. */
export interface ObservedDestination extends Destination {
  /** Established connections of TCP (set_tcp_state in ip_vs_proto_tcp.c) or SCTP. */
  readonly activeConnections: number;
  /** All other connections: those that are opened or closed just now, and those of UDP (ip_vs_bind_dest in ip_vs_conn.c). */
  readonly inactiveConnections: number;
  /** Clients that persistence binds to this destination (connection templates, ip_vs_bind_dest). */
  readonly persistentConnections: number;
  readonly stats: Stats;
}

/** A service with its destinations. */
export interface TableEntry {
  readonly service: ObservedService;
  readonly destinations: readonly ObservedDestination[];
}

/** A single change to the kernel's tables. */
export type Change =
  | { readonly op: 'add-service' | 'update-service'; readonly service: VirtualService }
  | { readonly op: 'remove-service'; readonly service: ServiceId }
  | {
      readonly op: 'add-destination' | 'update-destination';
      readonly service: ServiceId;
      readonly destination: Destination;
    }
  | { readonly op: 'remove-destination'; readonly service: ServiceId; readonly destination: DestinationId }
  | { readonly op: 'zero'; readonly service?: ServiceId | undefined };

/** IPVS version and connection table size. */
export interface Info {
  /** For example `1.2.1`. */
  readonly version: string;
  /** Number of hash buckets in the connection table. */
  readonly connectionTableSize: number;
}

/** How long the kernel keeps idle connections, in seconds. */
export interface Timeouts {
  readonly tcpSeconds: number;
  /** For TCP connections after a FIN. */
  readonly tcpFinSeconds: number;
  readonly udpSeconds: number;
}

/** Role of a connection synchronization daemon: `master` sends, `backup` receives. One of each may run. */
export type SyncRole = 'master' | 'backup';

/** A kernel thread that sends the connection table to other hosts by multicast, or receives it. */
export interface SyncDaemon {
  readonly role: SyncRole;
  /** Network interface for the multicast traffic. */
  readonly interface: string;
  /** 0 to 255. A backup accepts only messages with its own id; with 0 it accepts all. */
  readonly syncId: number;
  /**
   * Maximum payload of a message, in bytes; the kernel raises values below 1024 to 1024. Linux 4.3 or later, as are the
   * fields below.
   * @defaultValue the largest that fits the interface's MTU (1472 for an MTU of 1500)
   */
  readonly maxLength?: number | undefined;
  /**
   * Multicast group, IPv4 or IPv6.
   * @defaultValue `224.0.0.81`
   */
  readonly group?: string | undefined;
  /**
   * UDP port of the multicast packets.
   * @defaultValue 8848
   */
  readonly port?: number | undefined;
  /**
   * TTL of the multicast packets.
   * @defaultValue 1
   */
  readonly ttl?: number | undefined;
}
