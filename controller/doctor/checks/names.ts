import { type Finding, fine } from '../document.ts';
import type { Facts } from '../facts.ts';

/** Whether programs of this host find VIPs by their names. */
export function checkNames({
  names,
  wanted,
  controller,
}: Pick<Facts, 'names' | 'wanted' | 'controller'>): Finding[] {
  const check = `zone ${wanted.zone}`;
  const servers = wanted.listens.filter(({ what }) => what === 'DNS').map(({ address }) => address);
  if (servers.length === 0) return [fine('Names', check, 'not answered for here (--dns-listen off)')];
  if (names === null) return [fine('Names', check, '/etc/resolv.conf is not to be read here')];
  const listed = `/etc/resolv.conf has ${names.servers.join(', ') || 'no name server'}`;
  if (names.zone.known) return [fine('Names', check, `${listed}; the zone is known there`)];
  const [server = ''] = servers;
  const direct = servers.some((address) => names.servers.includes(address));
  if (direct && controller === null) return [fine('Names', check, `${listed}; no controller runs to answer`)];
  return [
    {
      group: 'Names',
      check,
      state: 'warning',
      found: `${listed}; asked for the zone: ${names.zone.said}`,
      wanted: `queries for the zone lead to ${server}`,
      why: 'programs of this host, and containers that inherit its resolv.conf, find no VIP by its name',
      command: direct
        ? 'marathon-ipvs status # whether DNS is answered'
        : `sed -i '1i nameserver ${server}' /etc/resolv.conf # or forward the zone: docs/dns.md`,
    },
  ];
}
