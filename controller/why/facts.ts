/** The facts that the stages check, each read through a port when its stage runs. Reading changes nothing. */

import type { PortRangeFact } from '../doctor/facts.ts';
import type { Rejection } from '../model/app.ts';
import type { ObservedService } from '../model/kernel.ts';
import type { Clock } from '../ports.ts';

/** A request for one VIP, parsed from text such as `my-service:5555/udp`. */
export interface VipQuery {
  /** The text as requested. */
  readonly text: string;
  /** In lower case, without port and protocol: a name, DNS name, address or app. */
  readonly name: string;
  readonly port: number | null;
  readonly protocol: 'tcp' | 'udp' | null;
}

/** The desired state, from the running controller or from the sources. */
export interface DesiredState {
  readonly from:
    | { readonly kind: 'controller'; readonly url: string; readonly dryRun: boolean }
    | { readonly kind: 'sources' };
  readonly vips: readonly VipFact[];
  readonly rejected: readonly Rejection[];
  /** As in `status`, each with its app in front. */
  readonly warnings: readonly string[];
  readonly sources: readonly SourceFact[];
  /** Why the desired state is not complete yet; null if it is. */
  readonly incomplete: string | null;
}

export interface SourceFact {
  readonly name: string;
  /** Why the last read failed; null if it succeeded. */
  readonly failure: string | null;
}

export interface VipFact {
  /** `tcp/11.0.0.1:80`, or `tcp/web.marathon:80` for a VIP that is in no table. */
  readonly id: string;
  readonly name: string | null;
  readonly framework: string | null;
  readonly fqdn: string | null;
  readonly protocol: string;
  readonly address: string | null;
  readonly port: number;
  readonly apps: readonly string[];
  /** As in `status`. */
  readonly state: string;
  readonly reason: string | null;
  readonly backends: readonly BackendFact[];
}

export interface BackendFact {
  readonly address: string;
  readonly port: number;
  /** The desired weight in the kernel. */
  readonly weight: number;
  readonly forward: string;
  readonly reason: string;
}

/** The kernel's service at the VIP's address and port (null if there is none), or why it cannot be read. */
export type KernelFact =
  | { readonly service: ObservedService | null }
  | { readonly error: string; readonly missing: boolean };

/** How the client resolves a name. */
export type NamesFact =
  | {
      /** Addresses that its hosts file gives the name. */
      readonly hosts: readonly string[];
      /** The name servers in its resolv.conf at `path`; null if the file cannot be read. */
      readonly servers: readonly string[] | null;
      readonly path: string;
      /** The answers of these servers, in order, then of our own if it is not one of them. */
      readonly answers: readonly NameAnswer[];
      /** Addresses of our own name server; empty if it is switched off. */
      readonly ours: readonly string[];
    }
  | { readonly error: string };

export interface NameAnswer {
  readonly server: string;
  readonly addresses: readonly string[];
  /** The code of the failure (ENOTFOUND, ETIMEOUT); null if there is none. */
  readonly error: string | null;
}

/** Where this host routes packets to the VIP, and the settings that affect them. */
export interface RouteFact {
  /** Name of the controller's interface. */
  readonly interfaceName: string;
  readonly link: 'up' | 'down' | 'missing';
  readonly lookup:
    | { readonly kind: 'local' }
    | { readonly kind: 'leaves'; readonly interfaceName: string }
    | { readonly kind: 'refused'; readonly why: string }
    | { readonly unread: string };
  /** `net.ipv4.ip_forward` and `net.ipv4.vs.conntrack`; null for IPv6, or if they cannot be read. */
  readonly ipForward: string | null;
  readonly conntrack: string | null;
}

/** Packet filters as their own programs print them; null if a program is not installed or has no rules. */
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

/** The outcome of an attempt to connect. */
export interface ConnectionAttempt {
  readonly address: string;
  readonly port: number;
  /** `connected`, `timeout`, or the system's error code, such as ECONNREFUSED. */
  readonly outcome: string;
  /** The client's local port; null if it got none. */
  readonly localPort: number | null;
}

/** IPVS's entry for a connection. */
export interface IpvsEntry {
  /** `ESTABLISHED`, `SYN_RECV`. */
  readonly state: string;
  readonly backend: { readonly address: string; readonly port: number };
}

/** Attempts to connect to each backend and through the VIP, or why none could be made. */
export type ConnectionsFact =
  | {
      readonly backends: readonly ConnectionAttempt[];
      readonly vip: readonly ConnectionAttempt[];
      /** By the client's port; null if the kernel's table cannot be read. */
      readonly entries: ReadonlyMap<number, IpvsEntry> | null;
    }
  | { readonly error: string };

/** A VIP that has an address. */
export type AddressedVip = VipFact & { readonly address: string };

/** The network namespace that names and connections are tried from; null for this host's. */
export type Client = string | null;

/**
 * Reads the facts. What cannot be read is a fact too: only `desired` rejects, and any read in another network namespace that
 * cannot be entered.
 */
export interface WhyPorts {
  readonly client: Client;
  /** Path of the network namespace whose table, routes and filters are read. Defaults to that of this process. */
  readonly namespace?: string | undefined;
  readonly sleep: Clock['sleep'];
  /** Rejects if neither a controller nor a source can be read. */
  desired(signal: AbortSignal): Promise<DesiredState>;
  /** Resolves the name to addresses of the VIP's family. */
  names(vip: AddressedVip & { readonly fqdn: string }): Promise<NamesFact>;
  kernel(vip: AddressedVip): Promise<KernelFact>;
  route(vip: AddressedVip): Promise<RouteFact>;
  filters(): Promise<FiltersFact>;
  limits(): Promise<LimitsFact>;
  /** Opens a connection to each backend, and `count` connections through the VIP, and closes them. */
  connections(vip: AddressedVip, count: number): Promise<ConnectionsFact>;
}
