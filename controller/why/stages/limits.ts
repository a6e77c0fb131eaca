import { setSysctl } from '../../fixes.ts';
import { endpointKey } from '../../model/endpoint.ts';
import type { KernelFact, LimitsFact } from '../facts.ts';
import { broken, ok, type Verdict } from '../verdict.ts';

/** The share of its maximum from which a table refuses some entries. */
const FULL = 0.98;

/** Checks that there is room for another connection, in connection tracking and in the limit of each backend. */
export function checkLimits({
  limits,
  kernel,
}: {
  readonly limits: LimitsFact;
  readonly kernel: KernelFact;
}): Verdict[] {
  const verdicts: Verdict[] = [];
  const { conntrack, portRange } = limits;
  if (conntrack !== null && conntrack.count >= conntrack.max * FULL) {
    verdicts.push({
      state: 'suspect',
      cause: 'conntrack-full',
      found: `connection tracking is full: ${conntrack.count} of ${conntrack.max} entries (net.netfilter.nf_conntrack_max)`,
      fix: setSysctl('net.netfilter.nf_conntrack_max', String(Math.max(262_144, conntrack.max * 4))),
      explains: [
        'not-at-ipvs',
        'no-answer',
        'backend-silent',
        'vip-refuses',
        'client-unreachable',
        'backend-unreachable',
      ],
    });
  }
  const room = roomIn(kernel);
  if (room !== null && room.free <= 0) {
    verdicts.push(
      broken(
        'limit-reached',
        `every backend has as many connections as IPVS_MAX_CONNECTIONS allows: ${room.text}`,
        'raise IPVS_MAX_CONNECTIONS, or scale the app up; a backend accepts connections again when it has fewer than three quarters of its limit',
      ),
    );
  }
  if (verdicts.length > 0) return verdicts;
  const tracked = conntrack === null ? '' : `connection tracking ${conntrack.count} of ${conntrack.max}; `;
  const ports = portRange === null ? '' : `${portRange.high - portRange.low + 1} source ports; `;
  return [ok(`${tracked}${ports}backends have room for connections`)];
}

/** Returns how many more connections the backends accept, and a text about some of them; null if there is no limit. */
export function roomIn(kernel: KernelFact): { readonly free: number; readonly text: string } | null {
  if ('error' in kernel || kernel.service === null) return null;
  const inRotation = [...kernel.service.backends.values()].filter(({ weight }) => weight > 0);
  if (inRotation.length === 0 || inRotation.some(({ upperThreshold }) => upperThreshold === 0)) return null;
  const used = inRotation.map((each) => each.activeConnections + each.inactiveConnections);
  const free = inRotation.map(({ upperThreshold }, at) => Math.max(0, upperThreshold - (used[at] ?? 0)));
  const texts = inRotation.map((each, at) => `${endpointKey(each)}: ${used[at]} of ${each.upperThreshold}`);
  return { free: free.reduce((sum, each) => sum + each, 0), text: texts.slice(0, MAX_NAMED).join(', ') };
}

const MAX_NAMED = 4;
