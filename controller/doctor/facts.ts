/** The facts that checks work on, all read at once. A fact that is null or absent could not be read on this host. */

import type { IpvsTables, IpvsTimeouts } from '../model/counters.ts';

export interface Facts {
  /** `6.1.0-13-amd64`. */
  readonly kernelRelease: string;
  readonly modules: readonly ModuleFact[];
  readonly sysctls: readonly SysctlFact[];
  /** Numbers of this process's effective capabilities. */
  readonly capabilities: ReadonlySet<number> | null;
  /** Ports below this need CAP_NET_BIND_SERVICE. */
  readonly unprivilegedPortStart: number;
  readonly nftables: NftablesFact;
  readonly ipvs: IpvsFact;
  readonly addresses: readonly AddressFact[];
  readonly routes: readonly RouteFact[];
  /** Names of all interfaces. */
  readonly interfaces: readonly string[];
  /** Names of the processes visible to this one. */
  readonly processes: ReadonlySet<string>;
  readonly bridges: BridgesFact;
  /** Programs that manage network interfaces. */
  readonly managers: readonly ManagerFact[];
  readonly portRange: PortRangeFact | null;
  readonly conntrack: { readonly count: number; readonly max: number } | null;
  readonly keepaliveSeconds: number | null;
  readonly estimation: EstimationFact;
  /** null if their size cannot be read. */
  readonly tables: IpvsTables | null;
  readonly names: NamesFact | null;
  readonly controller: ControllerFact | null;
  /** null without --netns-dir. */
  readonly namespaces: NamespacesFact | null;
  readonly wanted: WantedFact;
}

/** `unknown`: not loaded, and the lists of built-in and loadable modules do not exist here. */
export type ModuleState = 'loaded' | 'built in' | 'loadable' | 'missing' | 'unknown';

export interface ModuleFact {
  readonly name: string;
  readonly state: ModuleState;
  readonly why: string;
  /** Whether VIPs work without it. */
  readonly optional: boolean;
}

export interface SysctlFact {
  readonly name: string;
  readonly wanted: string;
  readonly why: string;
  /** Whether other values are left to the operator: `run` does not write it. */
  readonly onlyAdvised: boolean;
  /** null if it could not be read, for the reason in `error`. */
  readonly value: string | null;
  readonly error: string | null;
  /** Whether it does not exist, rather than being unreadable. */
  readonly missing: boolean;
  /** Whether this process may write it, which a read-only /proc/sys prevents. */
  readonly writable: boolean;
}

/** nftables base chains, or why they cannot be read. */
export type NftablesFact =
  | { readonly chains: readonly ChainFact[] }
  | { readonly error: string; readonly denied: boolean };

export interface ChainFact {
  /** `inet filter input`, as `nft` names it. */
  readonly name: string;
  readonly family: string;
  readonly hook: 'prerouting' | 'input' | 'forward' | 'output' | 'postrouting' | 'other';
  readonly priority: number;
  readonly dropsByDefault: boolean;
}

/** The kernel's IPVS table, or why it cannot be read. */
export type IpvsFact =
  | { readonly services: readonly string[]; readonly timeouts: IpvsTimeouts }
  | { readonly error: string; readonly missing: boolean };

export interface AddressFact {
  readonly interfaceName: string;
  readonly address: string;
}

export interface RouteFact {
  readonly interfaceName: string;
  /** `10.0.0.0/24`, `fd00::/64`. */
  readonly network: string;
}

export interface BridgesFact {
  /** Whether the host's packet filter sees bridged traffic (`br_netfilter`). */
  readonly filtered: boolean;
  /** Bridge ports that lead into other network namespaces. */
  readonly containerPorts: readonly { readonly name: string; readonly hairpin: boolean }[];
}

export interface ManagerFact {
  readonly name: 'NetworkManager' | 'systemd-networkd';
  readonly running: boolean;
  /** Whether it is configured to leave the controller's interface alone. */
  readonly leavesOursAlone: boolean;
}

export interface PortRangeFact {
  readonly low: number;
  readonly high: number;
  /** The value of `net.ipv4.ip_local_reserved_ports`: `8080,9148-9150`. */
  readonly reserved: string;
}

/** Settings below `net.ipv4.vs`; each null if the kernel does not have it. */
export interface EstimationFact {
  /** `run_estimation`. */
  readonly switchedOn: string | null;
  /** `est_cpulist`: empty if rates are not estimated. */
  readonly processors: string | null;
  /** `est_nice`. */
  readonly nice: string | null;
}

export interface NamesFact {
  /** The name servers in /etc/resolv.conf. */
  readonly servers: readonly string[];
  /** Target of /etc/resolv.conf if it is a symbolic link; null otherwise. */
  readonly link: string | null;
  /** Whether the host's name servers resolve the zone, with the answer or the code of the failure. */
  readonly zone: { readonly known: boolean; readonly answer: string };
}

/** The network namespaces in the directory of --netns-dir. */
export interface NamespacesFact {
  readonly directory: string;
  /** Whether the directory does not exist. */
  readonly missing: boolean;
  /** Why the directory cannot be used; null if it can. */
  readonly failure: string | null;
  readonly found: number;
  readonly refused: readonly { readonly id: string; readonly reason: string }[];
}

/** The status of the running controller. */
export interface ControllerFact {
  readonly url: string;
  readonly version: string;
  readonly vips: readonly {
    readonly id: string;
    readonly name: string | null;
    readonly address: string | null;
    readonly scheduler: string | null;
    readonly backends: readonly { readonly address: string; readonly port: number }[];
  }[];
  /** null if its status is about another network namespace than the one that was examined. */
  readonly foreignServices: number | null;
  /** Active and inactive connections of its VIPs. */
  readonly connections: number;
}

/** The options that the host must be set up for. */
export interface WantedFact {
  readonly interfaceName: string;
  readonly pools: readonly string[];
  readonly zone: string;
  /** Directory of network namespaces that get VIPs too; null without --netns-dir. */
  readonly netnsDir: string | null;
  /** Addresses that DNS and HTTP are served on. */
  readonly listens: readonly {
    readonly what: 'DNS' | 'HTTP';
    readonly address: string;
    readonly port: number;
  }[];
}
