import { setSysctlOf, writeFile } from '../../fixes.ts';
import { type Found, fine } from '../document.ts';
import type { Facts, TablesFact } from '../facts.ts';

/** Connections to be looked through for a packet, from which on a larger table is worth its memory. */
const LONG_CHAIN = 4;
/** Of net.ipv4.vs.conn_max: from here on someone should look, and from there on connections will be refused soon. */
const FULL = { warning: 0.8, problem: 0.95 };
/** The kernel takes no more than this for conn_tab_bits on 64-bit processors (net/netfilter/ipvs/Kconfig). */
const MAX_BITS = 27;

/** Whether the IPVS table of connections, of kernels that tell its size, can grow as it should. */
export function checkTables({ tables }: Pick<Facts, 'tables'>): Found[] {
  if (tables === null) return [];
  const { connections, buckets, maxBuckets, services, serviceBuckets } = tables;
  const check = 'IPVS tables';
  const most = maxBuckets === null ? '' : `, at most ${maxBuckets}`;
  const found = `${connections} connections in ${buckets} buckets${most}; ${services ?? '?'} services in ${serviceBuckets ?? '?'} buckets`;
  const crowded = maxBuckets !== null && buckets >= maxBuckets && connections > LONG_CHAIN * maxBuckets;
  const bits = Math.min(Math.ceil(Math.log2(Math.max(connections, 1))), MAX_BITS);
  const size: Found = crowded
    ? {
        code: 'ipvs-tables',
        check,
        state: 'warning',
        found,
        wanted: `conn_tab_bits=${bits}`,
        why: 'the table of connections has grown as far as the module parameter conn_tab_bits lets it: each packet looks through several connections',
        command: `${writeFile('/etc/modprobe.d/marathon-ipvs-tables.conf', [`options ip_vs conn_tab_bits=${bits}`])} # read when ip_vs is loaded: restart the host`,
      }
    : fine('ipvs-tables', check, found);
  return [size, ...checkMaximum(tables)];
}

function checkMaximum({ connections, maxConnections }: TablesFact): Found[] {
  if (maxConnections === null) return [];
  const check = 'IPVS connections';
  const share = maxConnections === 0 ? 1 : connections / maxConnections;
  const found = `${connections} of ${maxConnections} (net.ipv4.vs.conn_max)`;
  if (share < FULL.warning) return [fine('ipvs-connections', check, found)];
  return [
    {
      code: 'ipvs-connections',
      check,
      state: share < FULL.problem ? 'warning' : 'problem',
      found,
      wanted: `less than ${FULL.warning * 100} %`,
      why: 'no VIP takes a new connection once there are as many as net.ipv4.vs.conn_max',
      command: setSysctlOf('net.ipv4.vs.conn_max', String(Math.max(maxConnections * 2, 4_096)), {
        missing: false,
      }),
    },
  ];
}
