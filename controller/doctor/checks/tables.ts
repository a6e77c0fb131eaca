import { isBefore, kernelVersion } from '../../apply/kernel-version.ts';
import { setSysctlOf, writeFile } from '../../fixes.ts';
import type { IpvsTables } from '../../model/counters.ts';
import { type Found, fine } from '../document.ts';
import type { Facts } from '../facts.ts';

/** Average number of connections per bucket above which a larger table is worth its memory. */
const LONG_CHAIN = 4;
/** Average number of services per bucket above which a new connection takes microseconds to look up. */
const LONG_SERVICE_CHAIN = 64;
/** Shares of net.ipv4.vs.conn_max. At the maximum new connections are refused. */
const FULL = { warning: 0.8, problem: 0.95 };
/** The largest conn_tab_bits on 64-bit processors, since Linux 6.5 and before (net/netfilter/ipvs/Kconfig). */
const MAX_BITS = { since: 27, before: 20 };

type Tables = Pick<Facts, 'tables' | 'ipvs' | 'controller' | 'kernelRelease'>;

/** Checks that the IPVS tables are large enough for their contents. */
export function checkTables({ tables, ipvs, controller, kernelRelease }: Tables): Found[] {
  if (tables === null) return [];
  const connections = tables.connections.count ?? controller?.connections ?? null;
  const services = tables.services.count ?? ('services' in ipvs ? ipvs.services.length : null);
  return [
    checkConnectionTable(tables, connections, services, kernelRelease),
    ...checkServiceTable(tables, services),
    ...checkMaximum(tables),
  ];
}

function checkConnectionTable(
  { grow, connections: { buckets, maxBuckets }, services: { buckets: serviceBuckets } }: IpvsTables,
  connections: number | null,
  services: number | null,
  kernelRelease: string,
): Found {
  const check = 'IPVS tables';
  const limit = grow ? (maxBuckets === null ? '' : `, at most ${maxBuckets}`) : ' (a fixed size)';
  const found = `${connections ?? 'unknown'} connections in ${buckets} buckets${limit}; ${services ?? 'unknown'} services in ${serviceBuckets} buckets`;
  const isCrowded =
    maxBuckets !== null &&
    buckets >= maxBuckets &&
    connections !== null &&
    connections > LONG_CHAIN * maxBuckets;
  if (!isCrowded) return fine('ipvs-tables', check, found);
  const bits = Math.min(Math.ceil(Math.log2(connections)), maxBitsOf(kernelRelease));
  if (2 ** bits <= maxBuckets)
    return fine('ipvs-tables', check, `${found}: the kernel allows no larger table`);
  return {
    code: 'ipvs-tables',
    check,
    state: 'warning',
    found,
    wanted: `conn_tab_bits=${bits}`,
    why: grow
      ? 'the connection table has grown to the limit of the module parameter conn_tab_bits: the kernel compares each packet with several connections'
      : 'the module parameter conn_tab_bits fixes the size of the connection table: the kernel compares each packet with several connections',
    command: `${writeFile('/etc/modprobe.d/marathon-ipvs-tables.conf', [`options ip_vs conn_tab_bits=${bits}`])} # read when ip_vs is loaded: restart the host`,
  };
}

function maxBitsOf(kernelRelease: string): number {
  const version = kernelVersion(kernelRelease);
  return version !== null && isBefore(version, [6, 5]) ? MAX_BITS.before : MAX_BITS.since;
}

/** Only for a service table of fixed size. */
function checkServiceTable({ grow, services: { buckets } }: IpvsTables, services: number | null): Found[] {
  if (grow || services === null || services <= LONG_SERVICE_CHAIN * buckets) return [];
  return [
    {
      code: 'ipvs-tables',
      check: 'IPVS table of services',
      state: 'warning',
      found: `${services} services in ${buckets} buckets`,
      wanted: 'Linux 7.1 or newer, whose table grows, or fewer VIPs on this host',
      why: `the kernel compares each new connection with about ${Math.round(services / buckets)} services; packets of open connections are not affected`,
      command: null,
    },
  ];
}

function checkMaximum({ connections: { count, max } }: IpvsTables): Found[] {
  if (max === null || count === null) return [];
  const check = 'IPVS connections';
  const share = max === 0 ? 1 : count / max;
  const found = `${count} of ${max} (net.ipv4.vs.conn_max)`;
  if (share < FULL.warning) return [fine('ipvs-connections', check, found)];
  return [
    {
      code: 'ipvs-connections',
      check,
      state: share < FULL.problem ? 'warning' : 'problem',
      found,
      wanted: `less than ${FULL.warning * 100} %`,
      why: 'no VIP accepts a new connection once their number reaches net.ipv4.vs.conn_max',
      command: setSysctlOf('net.ipv4.vs.conn_max', String(Math.max(max * 2, 4_096)), {
        missing: false,
      }),
    },
  ];
}
