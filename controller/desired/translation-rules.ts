import type { PortOptions } from '../settings/label-options.ts';
import type { Pools } from './pool.ts';
import type { RealAddresses } from './refusals.ts';

/** The operator's configuration, and facts about the host. */
export interface TranslationRules {
  /** `l4lb.thisdcos.directory`; cleaned like a name. */
  readonly zone: string;
  readonly pools: Pools;
  /**
   * Why an IP VIP may not have an address: it is this host's, a name server's, and so on. Called in every update. When
   * missing, only the addresses of agents, containers and names are refused.
   */
  readonly realAddresses?: RealAddresses;
  /**
   * Addresses of the host whose kernel is programmed, which reaches its own containers without their host ports. Called in
   * every update; must return the same object as long as they are the same. When missing, backends are as other hosts
   * reach them.
   */
  readonly hostAddresses?: () => ReadonlySet<string>;
  /**
   * Addresses that cannot be a backend's on that host, with the reason (`a broadcast address`). Called in every update; must
   * return the same object as long as they are the same. When missing, only addresses that no host can use are left out.
   */
  readonly unfitAddresses?: () => ReadonlyMap<string, string>;
  /** Options of ports without `IPVS_*` labels. When missing: wlc, not persistent, weight 1, drain of 300 s. */
  readonly defaults?: PortOptions;
}

/** Conditions of an update, besides the apps. */
export interface Conditions {
  /**
   * Whether all sources have been read: what the inventory lacks does not exist, and is forgotten. Until then absent names
   * keep their addresses, and a remembered label counts as newer than an inventory from saved state.
   */
  readonly complete: boolean;
  /** Names (`label.framework`) whose VIPs are held: they keep their addresses although no app declares them. */
  readonly heldNames?: ReadonlySet<string>;
  /** Schedulers that the kernel lacks. A VIP that asks for one gets the default. */
  readonly lacking?: ReadonlySet<string>;
}
