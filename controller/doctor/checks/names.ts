import { writeFile } from '../../fixes.ts';
import { type Found, fine } from '../document.ts';
import type { Facts, NamesFact } from '../facts.ts';

/** Whether programs of this host find VIPs by their names. */
export function checkNames({
  names,
  wanted,
  controller,
}: Pick<Facts, 'names' | 'wanted' | 'controller'>): Found[] {
  const check = `zone ${wanted.zone}`;
  const servers = wanted.listens.filter(({ what }) => what === 'DNS').map(({ address }) => address);
  if (servers.length === 0) return [fine('zone', check, 'not answered for here (--dns-listen off)')];
  if (names === null) return [fine('zone', check, '/etc/resolv.conf is not to be read here')];
  const listed = `/etc/resolv.conf has ${names.servers.join(', ') || 'no name server'}`;
  if (names.zone.known) return [fine('zone', check, `${listed}; the zone is known there`)];
  const [server = ''] = servers;
  const direct = servers.some((address) => names.servers.includes(address));
  if (direct && controller === null) return [fine('zone', check, `${listed}; no controller runs to answer`)];
  return [
    {
      code: 'zone',
      check,
      state: 'warning',
      found: `${listed}; asked for the zone: ${names.zone.said}`,
      wanted: `queries for the zone lead to ${server}`,
      why: 'programs of this host, and containers that inherit its resolv.conf, find no VIP by its name',
      command: direct
        ? 'marathon-ipvs status # whether DNS is answered'
        : forwardingFix(names, server, wanted.zone),
    },
  ];
}

/** Where the file is another program's, the zone is forwarded there, or that program is named. */
function forwardingFix({ servers, link }: NamesFact, server: string, zone: string): string {
  if (servers.includes('127.0.0.53') || link?.includes('systemd/resolve')) {
    const lines = ['[Resolve]', `DNS=${server}`, `Domains=~${zone}`];
    return `${writeFile('/etc/systemd/resolved.conf.d/marathon-ipvs.conf', lines)} && systemctl restart systemd-resolved`;
  }
  if (link !== null) {
    return `readlink -f /etc/resolv.conf # whatever writes this file must forward the zone, or put ${server} first (docs/dns.md)`;
  }
  const copy = '/etc/resolv.conf.before-marathon-ipvs';
  return `[ -L /etc/resolv.conf ] || grep -qx 'nameserver ${server}' /etc/resolv.conf || { cp -p /etc/resolv.conf ${copy} && printf 'nameserver ${server}\\n' | cat - ${copy} > /etc/resolv.conf; } # where a DHCP client writes it, tell that one (docs/dns.md)`;
}
