/** What the checks are made on: read at the edge, all at once. null and absence mean that it could not be read here. */

import type { IpvsTables, IpvsTimeouts } from '../counters.ts';

export interface Facts {
  /** `6.1.0-13-amd64`. */
  readonly kernelRelease: string;
  readonly modules: readonly ModuleFact[];
  readonly sysctls: readonly SysctlFact[];
  /** Numbers of the capabilities that this process has in effect. */
  readonly capabilities: ReadonlySet<number> | null;
  /** Ports below this need CAP_NET_BIND_SERVICE. */
  readonly unprivilegedPortStart: number;
  readonly nftables: NftablesFact;
  readonly ipvs: IpvsFact;
  readonly addresses: readonly AddressFact[];
  readonly routes: readonly RouteFact[];
  /** Names of all interfaces. */
  readonly interfaces: readonly string[];
  /** Names of the processes that can be seen from here, each once. */
  readonly processes: ReadonlySet<string>;
  readonly bridges: BridgesFact;
  /** Programs that take over interfaces, which of them are here, and whether they leave ours alone. */
  readonly managers: readonly ManagerFact[];
  readonly portRange: PortRangeFact | null;
  readonly conntrack: { readonly count: number; readonly max: number } | null;
  readonly keepaliveSeconds: number | null;
  readonly estimation: EstimationFact;
  /** null: their size cannot be read. */
  readonly tables: IpvsTables | null;
  readonly names: NamesFact | null;
  readonly controller: ControllerFact | null;
  /** null without --netns-dir. */
  readonly namespaces: NamespacesFact | null;
  readonly wanted: WantedFact;
}

/** `unknown`: neither loaded nor listed, and the lists of built-in and loadable ones are not here. */
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
  /** Another value is for the operator to judge: `run` does not write it. */
  readonly onlyAdvised: boolean;
  /** null: it could not be read, for the reason in `error`. */
  readonly value: string | null;
  readonly error: string | null;
  /** It does not exist, rather than being kept from us. */
  readonly missing: boolean;
  /** Whether this process may write it: not where /proc/sys is mounted read-only. */
  readonly writable: boolean;
}

/** Base chains of the packet filter, or why they cannot be read. */
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
  /** Whether the packet filter of this host sees what its bridges carry. */
  readonly filtered: boolean;
  /** Ports of bridges that lead into other network namespaces. */
  readonly containerPorts: readonly { readonly name: string; readonly hairpin: boolean }[];
}

export interface ManagerFact {
  readonly name: 'NetworkManager' | 'systemd-networkd';
  readonly running: boolean;
  readonly leavesOursAlone: boolean;
}

export interface PortRangeFact {
  readonly low: number;
  readonly high: number;
  /** `net.ipv4.ip_local_reserved_ports`, as it is: `8080,9148-9150`. */
  readonly reserved: string;
}

/** Settings below `net.ipv4.vs`; each null where the kernel does not have it. */
export interface EstimationFact {
  /** `run_estimation`. */
  readonly switchedOn: string | null;
  /** `est_cpulist`: empty where nothing is counted. */
  readonly processors: string | null;
  /** `est_nice`. */
  readonly nice: string | null;
}

export interface NamesFact {
  /** Of /etc/resolv.conf. */
  readonly servers: readonly string[];
  /** Where it leads to as a symbolic link; null where it is a file. */
  readonly link: string | null;
  /** What this host's name servers say of our zone: whether they know it, or the code of the failure. */
  readonly zone: { readonly known: boolean; readonly said: string };
}

/** What the directory of --netns-dir gives. */
export interface NamespacesFact {
  readonly directory: string;
  /** It is not there, or not yet. */
  readonly missing: boolean;
  /** Why it cannot be used; null: it can. */
  readonly failure: string | null;
  readonly found: number;
  readonly refused: readonly { readonly id: string; readonly reason: string }[];
}

/** What the running controller tells. */
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
  /** null: it does not tell of the table that was read. */
  readonly foreignServices: number | null;
  /** Connections of its VIPs, those too that have ended and that the kernel still remembers. */
  readonly connections: number;
}

/** What this host is to be set up for: from the options. */
export interface WantedFact {
  readonly interfaceName: string;
  readonly pools: readonly string[];
  readonly zone: string;
  /** Directory of network namespaces that get VIPs too; null: none do. */
  readonly netnsDir: string | null;
  /** Where DNS and HTTP are served. */
  readonly listens: readonly {
    readonly what: 'DNS' | 'HTTP';
    readonly address: string;
    readonly port: number;
  }[];
}
