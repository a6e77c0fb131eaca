import { setSysctl, setSysctlOf } from '../../fixes.ts';
import type { AddressedVip, DesiredState, RouteFact } from '../facts.ts';
import { broken, ok, type Suspect, unknown, type Verdict } from '../verdict.ts';
import { repairOf } from './repair.ts';

/** Checks that packets to the VIP are delivered to this host, and that kernel settings let replies through. */
export function checkRoute({
  vip: { address },
  desired,
  route,
}: {
  readonly vip: AddressedVip;
  readonly desired: DesiredState;
  readonly route: RouteFact;
}): Verdict[] {
  const { interfaceName, link, lookup } = route;
  if ('unread' in lookup) return [unknown(`routes cannot be read: ${lookup.unread}`)];
  const fix = repairOf(desired);
  if (lookup.kind === 'local') return [ok(`${address} is delivered to this host`), ...settings(route)];
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
  if (lookup.kind === 'refused') {
    return [
      broken(
        'route-refuses',
        `a route or rule on this host rejects ${address}: ${lookup.why}`,
        `ip route show table all and ip rule show it: remove it, or exclude ${address}`,
      ),
    ];
  }
  return [
    broken(
      'route-missing',
      inWords(address, route),
      `ip rule and ip route show table all show which route takes precedence: remove it if it is another program's; otherwise ${fix}`,
    ),
  ];
}

function inWords(address: string, { lookup }: RouteFact): string {
  if ('unread' in lookup || lookup.kind === 'local') return '';
  if (lookup.kind === 'refused') return `no route to ${address}: ${lookup.why}`;
  return `packets to ${address} leave this host through ${lookup.interfaceName}`;
}

/** Settings that make some connections fail, but not all: an attempt to connect decides. */
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
      found: 'net.ipv4.vs.conntrack is 0: replies to masqueraded connections are lost',
      fix: setSysctlOf('net.ipv4.vs.conntrack', '1', { missing: false }),
      explains: ['no-answer'],
    });
  }
  return suspects;
}
