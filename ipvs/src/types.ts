/** Transport protocol of a virtual service. */
export type Protocol = 'tcp' | 'udp' | 'sctp';

/** Address family, for a service known by its firewall mark; elsewhere the address shows it. */
export type AddressFamily = 'ipv4' | 'ipv6';

/** A virtual service known by protocol, address and port. */
export interface AddressServiceId {
  readonly protocol: Protocol;
  /** IPv4 or IPv6 address as text, without zone and brackets. */
  readonly address: string;
  /** 0 to 65535; 0 means every port and needs persistence. */
  readonly port: number;
}

/** A virtual service known by the mark that a packet filter gave to its packets. */
export interface FwmarkServiceId {
  /** 1 to 4294967295. */
  readonly fwmark: number;
  readonly family: AddressFamily;
}

/** What identifies a virtual service. */
export type ServiceId = AddressServiceId | FwmarkServiceId;

/** Balancing algorithms of the kernel by their short names. Another name is passed on as it is. */
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
 * Switches of a scheduler, whose meaning is the scheduler's own. For `sh` and `mh`, `flag-1` is "fall back to another
 * destination when the chosen one is unavailable" and `flag-2` is "hash the source port too".
 */
export type SchedulerFlag = 'flag-1' | 'flag-2' | 'flag-3';

/** Clients stay with the destination that they got first. */
export interface Persistence {
  /** For how long after the last connection ended, in seconds, 1 or more. */
  readonly timeoutSeconds: number;
  /**
   * How many leading bits of the client's address must agree for two clients to count as one.
   * @defaultValue 32 for IPv4, 128 for IPv6: every address by itself
   */
  readonly prefixLength?: number | undefined;
}

/** How a service balances; what can be changed once it exists. */
export interface ServiceOptions {
  readonly scheduler: Scheduler;
  /** @defaultValue none */
  readonly schedulerFlags?: readonly SchedulerFlag[] | undefined;
  /**
   * Schedules each UDP packet by itself.
   * @defaultValue false
   */
  readonly onePacket?: boolean | undefined;
  /** @defaultValue no persistence */
  readonly persistence?: Persistence | undefined;
  /**
   * What distinguishes clients instead of their address; `sip` is the only one there is. Needs persistence and UDP.
   * @defaultValue none
   */
  readonly persistenceEngine?: string | undefined;
}

/** A virtual service as one writes it: what it is known by, and how it balances. */
export type VirtualService = ServiceId & ServiceOptions;

/**
 * Traffic counted by the kernel. Totals since the service or destination was made or zeroed; the kernel sums them up over
 * its processors every two seconds (estimation_timer of ip_vs_est.c), so what is read may be that old.
 */
export interface Stats {
  readonly connections: bigint;
  readonly inPackets: bigint;
  readonly outPackets: bigint;
  readonly inBytes: bigint;
  readonly outBytes: bigint;
  /** Rates are per second, averaged by the kernel over some seconds. */
  readonly connectionRate: number;
  readonly inPacketRate: number;
  readonly outPacketRate: number;
  readonly inByteRate: number;
  readonly outByteRate: number;
}

/**
 * A virtual service as the kernel has it. What is at its default is left out, so it compares equal to one written
 * without it.
 */
export type ObservedService = VirtualService & { readonly stats: Stats };

/** How packets get to a destination: NAT, same network, encapsulated, this host, or past the balancer. */
export type ForwardingMethod = 'masquerade' | 'direct-route' | 'tunnel' | 'local' | 'bypass';

/** Encapsulation for the forwarding method `tunnel`. Since Linux 5.2, `gre` and checksums since 5.3; before, and by default, it is `ipip`. */
export interface Tunnel {
  readonly type: 'ipip' | 'gue' | 'gre';
  /** UDP port of the remote end; `gue` needs one. */
  readonly port?: number | undefined;
  /**
   * Checksum of the outer header, for `gue` and `gre`; `remote-checksum` is for `gue` only.
   * @defaultValue none
   */
  readonly checksum?: 'none' | 'checksum' | 'remote-checksum' | undefined;
}

/** What identifies a destination of a service. */
export interface DestinationId {
  /** IPv4 or IPv6 address as text. Another family than the service's is possible with the method `tunnel`. */
  readonly address: string;
  /** The service's own port, except with the method `masquerade`. */
  readonly port: number;
}

/** A destination as one writes it; `ipvsadm` calls it a real server. */
export interface Destination extends DestinationId {
  /** 0 to 2147483647. 0 means no new connections; those that exist go on. */
  readonly weight: number;
  readonly forwardingMethod: ForwardingMethod;
  /** @defaultValue `ipip` where the method is `tunnel` */
  readonly tunnel?: Tunnel | undefined;
  /**
   * From this many connections on it gets no new ones.
   * @defaultValue 0: no limit
   */
  readonly upperThreshold?: number | undefined;
  /**
   * Below this many connections it gets new ones again.
   * @defaultValue 0: three quarters of the upper threshold
   */
  readonly lowerThreshold?: number | undefined;
}

/** A destination as the kernel has it; what is at its default is left out. */
export interface ObservedDestination extends Destination {
  readonly activeConnections: number;
  readonly inactiveConnections: number;
  readonly persistentConnections: number;
  readonly stats: Stats;
}

/** A service with its destinations. */
export interface TableEntry {
  readonly service: ObservedService;
  readonly destinations: readonly ObservedDestination[];
}

/** One change of the kernel's table. */
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

/** Version and size of the kernel's IPVS. */
export interface Info {
  /** For example `1.2.1`. */
  readonly version: string;
  /** Buckets of the connection table. */
  readonly connectionTableSize: number;
}

/** How long idle connections are kept, in seconds. */
export interface Timeouts {
  readonly tcpSeconds: number;
  /** After a FIN was seen. */
  readonly tcpFinSeconds: number;
  readonly udpSeconds: number;
}

/** Which end of the connection synchronisation: `master` sends, `backup` receives. One of each may run. */
export type SyncRole = 'master' | 'backup';

/** A thread of the kernel that sends connections to other hosts, or receives them. */
export interface SyncDaemon {
  readonly role: SyncRole;
  /** Network interface for the multicast. */
  readonly interface: string;
  /** 0 to 255. A backup takes only messages with its own; 0 takes all. */
  readonly syncId: number;
  /**
   * Largest payload of a message in bytes; the kernel takes less than 1024 as 1024. Since Linux 4.3, like all below.
   * @defaultValue what fits the interface's MTU (1472 at 1500)
   */
  readonly maxLength?: number | undefined;
  /**
   * Multicast group, IPv4 or IPv6.
   * @defaultValue `224.0.0.81`
   */
  readonly group?: string | undefined;
  /**
   * UDP port.
   * @defaultValue 8848
   */
  readonly port?: number | undefined;
  /**
   * Time to live of the multicast packets.
   * @defaultValue 1
   */
  readonly ttl?: number | undefined;
}
