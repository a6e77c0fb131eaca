/** Builds the records of VIP names and zones, ready to be copied into replies. */

import type { NamedService } from '../model/service.ts';
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

/** All records of one name and type. Their owner is a pointer to the question, so that they fit any reply. */
export interface RecordSet {
  readonly type: number;
  readonly answers: number;
  readonly extras: number;
  /** The answers, then the additional records: addresses of the names in the answers. */
  readonly bytes: Buffer;
  readonly answersLength: number;
}

/** A name and its records. */
export type Entry = readonly [name: WireName, sets: readonly RecordSet[]];

/** Builds the records of services that share a name: A and AAAA at the name, SRV at `_PORT._tcp.NAME` unless that is too long. */
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
    entries.push([owner, [recordSet(TYPE.SRV, [serviceRecord(QUESTION_NAME, ttl, port, name)], extras)]]);
  }
  return entries;
}

/** Builds the PTR records at the addresses of services that share a name. */
export function pointerEntries(
  name: WireName,
  services: Iterable<Pick<NamedService, 'address'>>,
  ttl: number,
): Entry[] {
  const entries: Entry[] = [];
  for (const address of new Set([...services].map((service) => service.address))) {
    const owner = wireName(reverseName(address));
    if (owner === null) continue;
    entries.push([owner, [recordSet(TYPE.PTR, [record(QUESTION_NAME, TYPE.PTR, ttl, spelled(name))])]]);
  }
  return entries;
}

/** Builds A and AAAA record sets, each only if there are addresses of its family. */
export function addressSets(addresses: Iterable<string>, ttl: number): RecordSet[] {
  const ipv4: Buffer[] = [];
  const ipv6: Buffer[] = [];
  for (const address of addresses) {
    (address.includes(':') ? ipv6 : ipv4).push(addressRecord(QUESTION_NAME, ttl, address));
  }
  return [
    ...(ipv4.length === 0 ? [] : [recordSet(TYPE.A, ipv4)]),
    ...(ipv6.length === 0 ? [] : [recordSet(TYPE.AAAA, ipv6)]),
  ];
}

/** The value of DC/OS. */
const NS_TTL_SECONDS = 3_600;

/** Builds SOA and NS at the apex of a zone, with the addresses of the name server if it is in this zone. */
export function apexSets(
  zone: WireName,
  soa: RecordTemplate,
  server: { readonly name: WireName; readonly addresses: readonly string[]; readonly ttl: number },
): RecordSet[] {
  const soaBytes = Buffer.from(soa.bytes);
  for (const offset of soa.pointers) soaBytes.set(QUESTION_NAME, offset);
  const inZone = partBefore(zone, server.name);
  const target = inZone === null ? spelled(server.name) : Buffer.concat([inZone, QUESTION_NAME]);
  const glue = inZone === null ? [] : server.addresses;
  return [
    recordSet(TYPE.SOA, [soaBytes]),
    recordSet(
      TYPE.NS,
      [record(QUESTION_NAME, TYPE.NS, NS_TTL_SECONDS, target)],
      glue.map((address) => addressRecord(target, server.ttl, address)),
    ),
  ];
}

/** A pointer to the name in the question. */
const QUESTION_NAME = pointer(QUESTION_AT);

function recordSet(type: number, answers: readonly Buffer[], extras: readonly Buffer[] = []): RecordSet {
  const bytes = Buffer.concat([...answers, ...extras]);
  const answersLength = answers.reduce((sum, { length }) => sum + length, 0);
  return { type, answers: answers.length, extras: extras.length, bytes, answersLength };
}
