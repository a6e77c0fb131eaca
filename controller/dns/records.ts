/** The records of a VIP name and of a zone, ready to be copied into answers. */

import type { NamedService } from '../model.ts';
import { TYPE } from './codes.ts';
import {
  addressRecord,
  partBefore,
  pointer,
  QUESTION_AT,
  type RecordTemplate,
  record,
  serviceRecord,
  spelled,
} from './encoding.ts';
import { below, type WireName, wireName } from './names.ts';
import { reverseName } from './reverse.ts';

/** All records of one name and type. Their owner is a pointer to the question, so they fit any message that asks for them. */
export interface RecordSet {
  readonly type: number;
  readonly answers: number;
  readonly extras: number;
  /** The answers, then the extras: addresses of what the answers name. */
  readonly bytes: Buffer;
  readonly answersLength: number;
}

/** A name and what there is to tell of it. */
export type Entry = readonly [name: WireName, sets: readonly RecordSet[]];

/**
 * What services of the same name give: A and AAAA at the name, SRV at `_PORT._tcp.NAME` (unless that is longer than a
 * name can be).
 */
export function vipEntries(
  name: WireName,
  services: Iterable<Pick<NamedService, 'address' | 'protocol' | 'port'>>,
  ttl: number,
): Entry[] {
  const addresses = new Set<string>();
  const ports = new Map<WireName, number>();
  for (const { address, protocol, port } of services) {
    addresses.add(address);
    const middle = below(`_${protocol}`, name);
    const owner = middle === null ? null : below(`_${port}`, middle);
    if (owner !== null) ports.set(owner, port);
  }
  const entries: Entry[] = [[name, addressSets(addresses, ttl)]];
  for (const [owner, port] of ports) {
    const target = pointer(QUESTION_AT + owner.length - name.length);
    const extras = [...addresses].map((address) => addressRecord(target, ttl, address));
    entries.push([owner, [recordSet(TYPE.SRV, [serviceRecord(ASKED, ttl, port, name)], extras)]]);
  }
  return entries;
}

/** PTR at the addresses of services of the same name. */
export function pointerEntries(
  name: WireName,
  services: Iterable<Pick<NamedService, 'address'>>,
  ttl: number,
): Entry[] {
  const entries: Entry[] = [];
  for (const address of new Set([...services].map((service) => service.address))) {
    const owner = wireName(reverseName(address));
    if (owner === null) continue;
    entries.push([owner, [recordSet(TYPE.PTR, [record(ASKED, TYPE.PTR, ttl, spelled(name))])]]);
  }
  return entries;
}

/** A and AAAA, as far as there are addresses of the family. */
export function addressSets(addresses: Iterable<string>, ttl: number): RecordSet[] {
  const ipv4: Buffer[] = [];
  const ipv6: Buffer[] = [];
  for (const address of addresses) {
    (address.includes(':') ? ipv6 : ipv4).push(addressRecord(ASKED, ttl, address));
  }
  return [
    ...(ipv4.length === 0 ? [] : [recordSet(TYPE.A, ipv4)]),
    ...(ipv6.length === 0 ? [] : [recordSet(TYPE.AAAA, ipv6)]),
  ];
}

/** As DC/OS had it. */
const NS_TTL_SECONDS = 3_600;

/** SOA and NS at the top of a zone; the addresses of the name server are for the zone to tell that it lies in. */
export function apexSets(
  zone: WireName,
  soa: RecordTemplate,
  server: { readonly name: WireName; readonly addresses: readonly string[]; readonly ttl: number },
): RecordSet[] {
  const soaBytes = Buffer.from(soa.bytes);
  for (const place of soa.pointers) soaBytes.set(ASKED, place);
  const inZone = partBefore(zone, server.name);
  const target = inZone === null ? spelled(server.name) : Buffer.concat([inZone, ASKED]);
  const glue = inZone === null ? [] : server.addresses;
  return [
    recordSet(TYPE.SOA, [soaBytes]),
    recordSet(
      TYPE.NS,
      [record(ASKED, TYPE.NS, NS_TTL_SECONDS, target)],
      glue.map((address) => addressRecord(target, server.ttl, address)),
    ),
  ];
}

/** The name that is asked for. */
const ASKED = pointer(QUESTION_AT);

function recordSet(type: number, answers: readonly Buffer[], extras: readonly Buffer[] = []): RecordSet {
  const bytes = Buffer.concat([...answers, ...extras]);
  const answersLength = answers.reduce((sum, { length }) => sum + length, 0);
  return { type, answers: answers.length, extras: extras.length, bytes, answersLength };
}
