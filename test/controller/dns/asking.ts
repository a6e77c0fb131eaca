/** An index of a few VIPs, queried through an independent codec. */

import dnsPacket, { type DecodedPacket, type Packet } from 'dns-packet';
import { type Answer, answer, type Transport } from '../../../controller/dns/answer.ts';
import { type NameIndex, NameTable, type ZoneOptions } from '../../../controller/dns/name-table.ts';
import { type Service, serviceKey } from '../../../controller/model/service.ts';
import { service } from '../../support/builders.ts';

export const ZONE = 'l4lb.thisdcos.directory';
export const WEB = `web.marathon.${ZONE}`;

/** `web` on tcp 80 and 443 in both families and udp 53 in one, `api.svc` behind two labels, and an IP VIP. */
export const SERVICES: readonly Service[] = [
  service('11.0.0.1', 80, [], { name: 'web' }),
  service('11.0.0.1', 443, [], { name: 'web' }),
  service('11.0.0.1', 53, [], { name: 'web', protocol: 'udp' }),
  service('fd01:c::1', 80, [], { name: 'web' }),
  service('11.0.0.2', 80, [], { name: 'api.svc' }),
  service('192.168.7.7', 80),
];

export const SERIAL = 7;
export const OPTIONS: ZoneOptions = {
  zones: [ZONE],
  pools: ['11.0.0.0/8', 'fd01:c::/64'],
  servers: ['198.51.100.4'],
  ttlSeconds: 5,
};

export function indexOf(services: Iterable<Service> = SERVICES, over: Partial<ZoneOptions> = {}): NameTable {
  const table = new NameTable({ ...OPTIONS, ...over });
  table.update(byKey(services), () => SERIAL);
  return table;
}

/** The changes that give these services names and remove all others of `before`. */
export function changesTo(
  services: Iterable<Service>,
  before: Iterable<Service>,
): Map<string, Service | null> {
  const changes = new Map<string, Service | null>([...before].map((each) => [serviceKey(each), null]));
  for (const [key, service] of byKey(services)) changes.set(key, service);
  return changes;
}

export function byKey(services: Iterable<Service>): Map<string, Service> {
  return new Map([...services].map((each) => [serviceKey(each), each]));
}

export const INDEX = indexOf();

export interface Asked {
  /** A name of dns-packet, or the number of a type. */
  readonly type?: string | number;
  /** dns-packet's flags: RECURSION_DESIRED and the like. */
  readonly flags?: number;
  readonly edns?: { readonly payload?: number; readonly version?: number } | undefined;
  readonly transport?: Transport;
  readonly index?: NameIndex;
  /** Changes the bytes of the query before they are sent. */
  readonly spoil?: (query: Buffer) => Buffer;
}

export const ID = 4_711;

/** Encodes a query. */
export function question(name: string, { type = 'A', flags = 0, edns, spoil }: Asked = {}): Buffer {
  const packet: Packet = {
    type: 'query',
    id: ID,
    flags,
    questions: [{ name, type: typeof type === 'number' ? 'A' : (type as 'A'), class: 'IN' }],
    ...(edns !== undefined && {
      additionals: [
        {
          type: 'OPT',
          name: '.',
          udpPayloadSize: edns.payload ?? 4_096,
          extendedRcode: 0,
          ednsVersion: edns.version ?? 0,
          flags: 0,
          flag_do: false,
          options: [],
        },
      ],
    }),
  };
  const bytes = dnsPacket.encode(packet);
  if (typeof type === 'number') {
    const length = dnsPacket.encode({ questions: [{ name, type: 'A' }] }).length;
    bytes.writeUInt16BE(type, length - 4);
  }
  return spoil === undefined ? bytes : spoil(bytes);
}

export function ask(name: string, asked: Asked = {}): Answer | null {
  return answer(question(name, asked), asked.index ?? INDEX, asked.transport ?? 'udp');
}

/** Decodes a reply with an independent codec. */
export function told(found: Answer | null): DecodedPacket & { readonly rcode: string } {
  if (found === null) throw new Error('no reply');
  // dns-packet has the rcode at run time; its types do not.
  return dnsPacket.decode(found.bytes) as DecodedPacket & { readonly rcode: string };
}

/** `web.… A 11.0.0.1`: records of a section in one line each, without TTL and EDNS. */
export function lines(records: DecodedPacket['answers']): string[] {
  return (records ?? [])
    .filter(({ type }) => type !== 'OPT')
    .map((each) => `${each.name} ${each.type} ${'data' in each ? inWords(each.data) : ''}`);
}

function inWords(data: unknown): string {
  if (typeof data !== 'object' || data === null) return String(data);
  return Object.values(data).join(' ');
}
