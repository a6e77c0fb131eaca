import { parseAddress } from '../../address.ts';
import { cleanName, fullyQualified } from '../../desired/names.ts';

export interface NameFacts {
  readonly zone: string;
  readonly framework: string;
}

/**
 * The address at which clients reach a VIP with this label value: `my-service.marathon.l4lb.thisdcos.directory:5555` or
 * `10.1.2.3:80`. null if the name cannot become a DNS name. A port that is not known yet is `<assigned port>`, as in DC/OS.
 */
export function shownAddress(value: string, { zone, framework }: NameFacts): string | null {
  const colon = value.lastIndexOf(':');
  const target = colon < 0 ? value : value.slice(0, colon);
  const digits = colon < 0 ? '' : value.slice(colon + 1);
  const port = /^[1-9]\d*$/.test(digits) ? digits : '<assigned port>';
  const address = parseAddress(target);
  if (address !== null) return address.family === 'ipv6' ? `[${address.text}]:${port}` : `${target}:${port}`;
  const [name, cleaned] = [cleanName(target.replace(/^\//, '')), cleanName(framework)];
  const fqdn = name === null || cleaned === null ? null : fullyQualified(name, cleaned, zone);
  return fqdn === null ? null : `${fqdn}:${port}`;
}
