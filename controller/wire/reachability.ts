/** Wires what makes VIPs reachable in the network namespace of this process. */

import { DummyInterface } from '../apply/dummy-interface.ts';
import { FilterTable } from '../apply/nftables/table.ts';
import { PacketFilter } from '../apply/packet-filter.ts';
import { HostReachability } from '../apply/reachability.ts';
import { RouteNetlink } from '../apply/rtnetlink.ts';
import { Sysctls } from '../apply/sysctls.ts';
import type { Config } from '../config/config.ts';
import { isLoopback } from '../http/loopback.ts';
import type { Reachability } from '../ports.ts';

/** The options that it depends on; plain data, which can be sent to another process. */
export type ReachabilityOptions = Pick<
  Config,
  'interface' | 'poolIpv4' | 'poolIpv6' | 'dnsListen' | 'hostAddress' | 'writeSysctls' | 'packetFilter'
>;

/** Kernel settings, packet filter, interface and routes. Throws when no netlink socket can be opened. */
export function openReachability(config: ReachabilityOptions): Reachability {
  const { hostAddress } = config;
  const common = { pools: networksOf(config), servers: addressesOf(config.dnsListen), hostAddress };
  return new HostReachability({
    sysctls: new Sysctls({ write: config.writeSysctls }),
    filter: new PacketFilter(new FilterTable(), common),
    filtering: config.packetFilter === 'nftables',
    dummy: new DummyInterface(RouteNetlink.open(), { ...common, interfaceName: config.interface }),
  });
}

/** The configured pools of named VIPs: `11.0.0.0/8`. */
export function networksOf({ poolIpv4, poolIpv6 }: Pick<Config, 'poolIpv4' | 'poolIpv6'>): string[] {
  return [poolIpv4, poolIpv6].filter((pool) => pool !== null);
}

/** The addresses that our interface gets when no other one has them. */
function addressesOf(listen: Config['dnsListen']): string[] {
  return listen.map(({ address }) => address).filter((address) => !isLoopback(address));
}
