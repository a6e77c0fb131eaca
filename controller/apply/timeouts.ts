import { readFile } from 'node:fs/promises';
import type { IpvsClient, Timeouts } from 'ipvs-netlink-ts';
import { messageOf } from '../errors.ts';
import { setSysctl } from '../fixes.ts';
import type { Reachability, ReachabilityReport } from '../ports.ts';
import { diesBeforeKeepalive, keepaliveRemedies } from './keepalive.ts';

/** The desired timeouts, in seconds; undefined leaves the kernel's value. */
export interface WantedTimeouts {
  readonly tcp?: number | undefined;
  readonly tcpFin?: number | undefined;
  readonly udp?: number | undefined;
}

/**
 * Extends a `Reachability` by the timeouts of IPVS: each `ensure` checks them, and writes those that differ. Failures become
 * advice, as does a TCP timeout that ends idle connections before their keepalive.
 *
 * The timeouts belong to the network namespace, so they apply to other programs' services too.
 */
export function withTimeouts(
  reachability: Reachability,
  client: Pick<IpvsClient, 'getTimeouts' | 'setTimeouts'>,
  wanted: WantedTimeouts,
  root = '/proc/sys',
): Reachability {
  return {
    async ensure(addresses): Promise<ReachabilityReport> {
      const { changed, advice } = await ensureTimeouts(client, wanted, root);
      const report = await reachability.ensure(addresses);
      return {
        changed: [...report.changed, ...changed],
        problems: report.problems,
        advice: [...report.advice, ...advice],
      };
    },
    repair: () => reachability.repair(),
    exists: () => reachability.exists(),
    remove: () => reachability.remove(),
    close: () => reachability.close(),
  };
}

/** Names in messages, in the order of `ipvsadm --set`. */
const FIELDS = [
  ['tcp', 'tcpSeconds'],
  ['tcpFin', 'tcpFinSeconds'],
  ['udp', 'udpSeconds'],
] as const;
const WORDS = { tcp: 'tcp', tcpFin: 'tcp FIN', udp: 'udp' } as const;

async function ensureTimeouts(
  client: Pick<IpvsClient, 'getTimeouts' | 'setTimeouts'>,
  wanted: WantedTimeouts,
  root: string,
): Promise<Pick<ReachabilityReport, 'changed' | 'advice'>> {
  const changed: string[] = [];
  const advice: string[] = [];
  try {
    let now = await client.getTimeouts();
    const changes: { -readonly [Field in keyof Timeouts]?: number } = {};
    for (const [name, field] of FIELDS) {
      const value = wanted[name];
      if (value === undefined || value === now[field]) continue;
      changes[field] = value;
      changed.push(`IPVS ${WORDS[name]} timeout ${now[field]} s -> ${value} s`);
    }
    if (changed.length > 0) await client.setTimeouts(changes);
    now = { ...now, ...changes };
    const keepalive = await keepaliveSeconds(root);
    if (diesBeforeKeepalive(now.tcpSeconds, keepalive))
      advice.push(keepaliveWarning(now.tcpSeconds, keepalive));
  } catch (error) {
    changed.length = 0;
    advice.push(`IPVS timeouts: ${messageOf(error)}`);
  }
  return { changed, advice };
}

const KEEPALIVE = 'net.ipv4.tcp_keepalive_time';

/** One line with both values and both remedies. */
function keepaliveWarning(timeout: number, keepalive: number): string {
  const remedies = keepaliveRemedies(timeout, keepalive);
  return (
    `the IPVS tcp timeout of ${timeout} s is shorter than net.ipv4.tcp_keepalive_time of ${keepalive} s, ` +
    'so an idle connection through a VIP ends before its keepalive; fix: ' +
    `run with --tcp-timeout ${remedies.timeoutSeconds}, or on every client: ${setSysctl(KEEPALIVE, String(remedies.keepaliveSeconds))}`
  );
}

/** null when /proc/sys does not have it. */
async function keepaliveSeconds(root: string): Promise<number | null> {
  try {
    return Number(await readFile(`${root}/net/ipv4/tcp_keepalive_time`, 'utf8'));
  } catch {
    return null;
  }
}
