/** What the checks are made on, each part read by one port when its turn comes. Reading changes nothing. */

import type { PortRangeFact } from '../doctor/facts.ts';
import type { ObservedService, Rejection } from '../model.ts';
import type { Clock } from '../ports.ts';

/** What is asked about: `my-service:5555/udp`. */
export interface Asked {
  /** As it was given. */
  readonly text: string;
  /** In lower case, without port and protocol: a name, DNS name, address or app. */
  readonly name: string;
  readonly port: number | null;
  readonly protocol: 'tcp' | 'udp' | null;
}

/** What should be: from the running controller, or read from the sources. */
export interface Known {
  readonly from:
    | { readonly kind: 'controller'; readonly url: string; readonly dryRun: boolean }
    | { readonly kind: 'sources' };
  readonly vips: readonly VipFact[];
  readonly rejected: readonly Rejection[];
  readonly sources: readonly SourceFact[];
  /** Why it is not known yet what should be; null where it is. */
  readonly incomplete: string | null;
}

export interface SourceFact {
  readonly name: string;
  /** Why it could not be read lately; null where it was. */
  readonly failure: string | null;
}

export interface VipFact {
  /** `tcp/11.0.0.1:80`; `tcp/web.marathon:80` of one that is in no table. */
  readonly id: string;
  readonly name: string | null;
  readonly framework: string | null;
  readonly fqdn: string | null;
  readonly protocol: string;
  readonly address: string | null;
  readonly port: number;
  readonly apps: readonly string[];
  /** As `status` has it. */
  readonly state: string;
  readonly reason: string | null;
  readonly backends: readonly BackendFact[];
}

export interface BackendFact {
  readonly address: string;
  readonly port: number;
  /** What the kernel should have. */
  readonly weight: number;
  readonly forward: string;
  readonly reason: string;
}

/** The kernel's service at the VIP's address and port (null: it has none), or why it cannot be read. */
export type KernelFact =
  | { readonly service: ObservedService | null }
  | { readonly error: string; readonly missing: boolean };

/** What the client is told of a name. */
export type NamesFact =
  | {
      /** Addresses that its hosts file gives the name. */
      readonly hosts: readonly string[];
      /** Of its resolv.conf, which is at `path`; null: it cannot be read. */
      readonly servers: readonly string[] | null;
      readonly path: string;
      /** What each of them says, in order; then our own, where it is none of them. */
      readonly answers: readonly NameAnswer[];
      /** Where our own name server answers; empty: nowhere. */
      readonly ours: readonly string[];
    }
  | { readonly error: string };

export interface NameAnswer {
  readonly server: string;
  readonly addresses: readonly string[];
  /** The code of the failure: ENOTFOUND, ETIMEOUT; null: none. */
  readonly error: string | null;
}

/** Where packets to the VIP go from here, and the settings on their way. */
export interface RouteFact {
  /** Of our interface. */
  readonly interfaceName: string;
  readonly link: 'up' | 'down' | 'missing';
  readonly way:
    | { readonly kind: 'local' }
    | { readonly kind: 'leaves'; readonly interfaceName: string }
    | { readonly kind: 'refused'; readonly why: string }
    | { readonly unread: string };
  /** `net.ipv4.ip_forward` and `net.ipv4.vs.conntrack`; null where they cannot be read, or are of the other family. */
  readonly ipForward: string | null;
  readonly conntrack: string | null;
}

/** Packet filters as their own programs print them; null where one is not here or has no rules. */
export interface FiltersFact {
  /** `nft -j list ruleset`. */
  readonly nftables: string | null;
  /** `iptables-save`. */
  readonly iptables: string | null;
  readonly ip6tables: string | null;
}

export interface LimitsFact {
  readonly conntrack: { readonly count: number; readonly max: number } | null;
  readonly portRange: PortRangeFact | null;
}

/** What became of a connection. */
export interface Tried {
  readonly address: string;
  readonly port: number;
  /** `connected`, `timeout`, or the system's code: ECONNREFUSED. */
  readonly outcome: string;
  /** The client's own port; null where it got none. */
  readonly localPort: number | null;
}

/** IPVS's entry of a connection. */
export interface Entry {
  /** `ESTABLISHED`, `SYN_RECV`. */
  readonly state: string;
  readonly backend: { readonly address: string; readonly port: number };
}

/** Connections that were tried, to each backend and through the VIP, or why none could be. */
export type ConnectionsFact =
  | {
      readonly backends: readonly Tried[];
      readonly vip: readonly Tried[];
      /** By the client's port; null where the kernel's table cannot be read. */
      readonly entries: ReadonlyMap<number, Entry> | null;
    }
  | { readonly error: string };

/** A VIP that has an address, and so a way to it. */
export type Reachable = VipFact & { readonly address: string };

/** The network namespace of the client that names and connections are tried from; null: this host's. */
export type Client = string | null;

/**
 * Reads the facts. What cannot be read is a fact too: nothing rejects besides `known`, and whatever is read of another network
 * namespace that cannot be looked into.
 */
export interface WhyPorts {
  readonly client: Client;
  /** Path of the network namespace whose table, routes and filters are read; absent: that of this process. */
  readonly namespace?: string | undefined;
  readonly sleep: Clock['sleep'];
  /** Rejects where neither a controller nor a source can be asked. */
  known(signal: AbortSignal): Promise<Known>;
  /** Asks for the addresses of the VIP's family. */
  names(vip: Reachable & { readonly fqdn: string }): Promise<NamesFact>;
  kernel(vip: Reachable): Promise<KernelFact>;
  route(vip: Reachable): Promise<RouteFact>;
  filters(): Promise<FiltersFact>;
  limits(): Promise<LimitsFact>;
  /** Opens a connection to each backend, and so many through the VIP, and closes them. */
  connections(vip: Reachable, count: number): Promise<ConnectionsFact>;
}
