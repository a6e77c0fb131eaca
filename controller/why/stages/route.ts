import { setSysctl, setSysctlOf } from '../../fixes.ts';
import type { Known, Reachable, RouteFact } from '../facts.ts';
import { broken, ok, type Suspect, unknown, type Verdict } from '../verdict.ts';
import { repairOf } from './repair.ts';

/** Whether packets to the address are delivered to this host, and the settings let answers through. */
export function checkRoute({
  vip: { address },
  known,
  route,
}: {
  readonly vip: Reachable;
  readonly known: Known;
  readonly route: RouteFact;
}): Verdict[] {
  const { interfaceName, link, way } = route;
  if ('unread' in way) return [unknown(`routes cannot be read: ${way.unread}`)];
  const fix = repairOf(known);
  if (way.kind === 'local') return [ok(`${address} is delivered to this host`), ...settings(route)];
  if (link === 'missing') {
    return [
      broken('interface-missing', `there is no interface ${interfaceName}; ${inWords(address, route)}`, fix),
    ];
  }
  if (link === 'down') {
    return [
      broken(
        'interface-down',
        `interface ${interfaceName} is down; ${inWords(address, route)}`,
        `ip link set ${interfaceName} up; ${fix}`,
      ),
    ];
  }
  if (way.kind === 'refused') {
    return [
      broken(
        'route-refuses',
        `a route or rule of this host refuses ${address}: ${way.why}`,
        `ip route show table all and ip rule show it: remove it, or leave ${address} out`,
      ),
    ];
  }
  return [
    broken(
      'route-missing',
      inWords(address, route),
      `ip rule and ip route show table all tell whose route comes first: remove it where it is of another program; else ${fix}`,
    ),
  ];
}

function inWords(address: string, { way }: RouteFact): string {
  if ('unread' in way || way.kind === 'local') return '';
  if (way.kind === 'refused') return `no route to ${address}: ${way.why}`;
  return `packets to ${address} leave this host by ${way.interfaceName}`;
}

/** They keep some connections from working, and not all: an attempt decides. */
function settings({ ipForward, conntrack }: RouteFact): Suspect[] {
  const suspects: Suspect[] = [];
  if (ipForward === '0') {
    suspects.push({
      state: 'suspect',
      cause: 'forwarding-off',
      found: 'net.ipv4.ip_forward is 0: containers and other hosts get no answer',
      fix: setSysctl('net.ipv4.ip_forward', '1'),
      explains: ['no-answer', 'not-at-ipvs', 'client-unreachable', 'backend-silent'],
    });
  }
  if (conntrack === '0') {
    suspects.push({
      state: 'suspect',
      cause: 'conntrack-off',
      found: 'net.ipv4.vs.conntrack is 0: answers to connections that need another source address are lost',
      fix: setSysctlOf('net.ipv4.vs.conntrack', '1', { missing: false }),
      explains: ['no-answer'],
    });
  }
  return suspects;
}
