import { writeFile } from '../../fixes.ts';
import { type Found, fine } from '../document.ts';
import type { Facts, NamesFact } from '../facts.ts';

/** Checks that programs on this host can resolve the names of VIPs. */
export function checkNames({
  names,
  wanted,
  controller,
}: Pick<Facts, 'names' | 'wanted' | 'controller'>): Found[] {
  const check = `zone ${wanted.zone}`;
  const servers = wanted.listens.filter(({ what }) => what === 'DNS').map(({ address }) => address);
  if (servers.length === 0) return [fine('zone', check, 'not served on this host (--dns-listen off)')];
  if (names === null) return [fine('zone', check, '/etc/resolv.conf cannot be read here')];
  const listed = `/etc/resolv.conf has ${names.servers.join(', ') || 'no name server'}`;
  if (names.zone.known) return [fine('zone', check, `${listed}; the zone resolves`)];
  const [server = ''] = servers;
  const direct = servers.some((address) => names.servers.includes(address));
  if (direct && controller === null)
    return [fine('zone', check, `${listed}; no controller is running to answer`)];
  return [
    {
      code: 'zone',
      check,
      state: 'warning',
      found: `${listed}; query for the zone: ${names.zone.answer}`,
      wanted: `queries for the zone reach ${server}`,
      why: 'programs on this host, and containers that inherit its resolv.conf, cannot resolve VIP names',
      command: direct
        ? 'marathon-ipvs status # shows whether DNS is served'
        : forwardingFix(names, server, wanted.zone),
    },
  ];
}

/** Changes the resolver that owns /etc/resolv.conf, where it is known, rather than the file. */
function forwardingFix({ servers, link }: NamesFact, server: string, zone: string): string {
  if (servers.includes('127.0.0.53') || link?.includes('systemd/resolve')) {
    const lines = ['[Resolve]', `DNS=${server}`, `Domains=~${zone}`];
    return `${writeFile('/etc/systemd/resolved.conf.d/marathon-ipvs.conf', lines)} && systemctl restart systemd-resolved`;
  }
  if (link !== null) {
    return `readlink -f /etc/resolv.conf # whatever writes this file must forward the zone, or put ${server} first (docs/dns.md)`;
  }
  const copy = '/etc/resolv.conf.before-marathon-ipvs';
  return `[ -L /etc/resolv.conf ] || grep -qx 'nameserver ${server}' /etc/resolv.conf || { cp -p /etc/resolv.conf ${copy} && printf 'nameserver ${server}\\n' | cat - ${copy} > /etc/resolv.conf; } # if a DHCP client writes this file, configure that instead (docs/dns.md)`;
}
