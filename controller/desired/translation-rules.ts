import type { PortOptions } from '../label-options.ts';
import type { Pools } from './pool.ts';
import type { RealAddresses } from './refusals.ts';

/** What the operator decides, and what the host is like. */
export interface TranslationRules {
  /** `l4lb.thisdcos.directory`; cleaned like a name. */
  readonly zone: string;
  readonly pools: Pools;
  /**
   * Why an IP VIP may not have an address: it is this host's, a name server's, … Asked anew in every update. When
   * missing, none is refused on that account; agents' addresses and names' addresses are refused in any case.
   */
  readonly realAddresses?: RealAddresses;
  /**
   * Addresses of the host whose kernel is programmed, asked for in every update: the same object while they are the
   * same. It reaches its own containers without their host ports. When missing, backends are as other hosts reach them.
   */
  readonly hostAddresses?: () => ReadonlySet<string>;
  /**
   * Addresses at which no backend can be on the host whose kernel is programmed, with why (`a broadcast address`); asked for
   * in every update: the same object while they are the same. When missing, those that are unfit on any host.
   */
  readonly unfitAddresses?: () => ReadonlyMap<string, string>;
  /** For ports without `IPVS_*` labels; wlc, not persistent, weight 1, 300 s when missing. */
  readonly defaults?: PortOptions;
}

/** What an update depends on besides the apps. */
export interface Conditions {
  /**
   * What is not in the inventory does not exist, so it is forgotten. Otherwise names that are not there keep their
   * addresses, and what is remembered of a label is newer than an inventory from our own disk.
   */
  readonly complete: boolean;
  /** Names (`label.framework`) that keep their addresses although no app declares them, since their VIPs are held. */
  readonly heldNames?: ReadonlySet<string>;
  /** Schedulers that the kernel lacks; a VIP that asks for one gets the default. */
  readonly lacking?: ReadonlySet<string>;
}
