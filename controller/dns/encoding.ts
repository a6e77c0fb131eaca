/** Encodes resource records (RFC 1035, section 4.1) for messages with a single question. */

import ipaddr from 'ipaddr.js';
import { CLASS_IN, TYPE } from './codes.ts';
import { isWithin, type WireName } from './names.ts';

/** Offset of the question's name: right after the header. */
export const QUESTION_AT = 12;

/** A compression pointer to the name at this offset of the message. */
export function pointer(at: number): Buffer {
  return Buffer.from([0xc0 | (at >> 8), at & 0xff]);
}

/** The name without compression. */
export function spelled(name: WireName): Buffer {
  return Buffer.from(name, 'latin1');
}

/** The labels of `name` before `zone`, to be followed by a pointer to the zone; null if `name` is not in the zone. */
export function partBefore(zone: WireName, name: WireName): Buffer | null {
  return isWithin(name, zone) ? spelled(name.slice(0, name.length - zone.length)) : null;
}

/** Encodes a resource record. */
export function record(owner: Uint8Array, type: number, ttl: number, data: Uint8Array): Buffer {
  const fixed = Buffer.alloc(10);
  fixed.writeUInt16BE(type, 0);
  fixed.writeUInt16BE(CLASS_IN, 2);
  fixed.writeUInt32BE(ttl, 4);
  fixed.writeUInt16BE(data.length, 8);
  return Buffer.concat([owner, fixed, data]);
}

/** Encodes an A or AAAA record, depending on the address. */
export function addressRecord(owner: Uint8Array, ttl: number, address: string): Buffer {
  const bytes = Uint8Array.from(ipaddr.parse(address).toByteArray());
  return record(owner, bytes.length === 4 ? TYPE.A : TYPE.AAAA, ttl, bytes);
}

/** Encodes an SRV record. Its target must not be compressed (RFC 2782); a single target needs neither priority nor weight. */
export function serviceRecord(owner: Uint8Array, ttl: number, port: number, target: WireName): Buffer {
  return record(owner, TYPE.SRV, ttl, Buffer.concat([words16(0, 0, port), spelled(target)]));
}

export interface Soa {
  readonly primary: WireName;
  readonly mailbox: WireName;
  readonly serial: number;
  readonly refresh: number;
  readonly retry: number;
  readonly expire: number;
  /** How long a negative answer may be cached. */
  readonly negativeTtl: number;
}

/** A record with pointers to the zone's name, whose offset differs from message to message. */
export interface RecordTemplate {
  readonly bytes: Buffer;
  /** Offsets of the pointers in `bytes`. */
  readonly pointers: readonly number[];
}

/** Encodes an SOA record. Its TTL is the negative one too, since resolvers differ in which they use (RFC 2308, section 3). */
export function soaTemplate(zone: WireName, soa: Soa): RecordTemplate {
  const owner = pointer(0);
  const pointers = [0];
  const parts: Buffer[] = [];
  let at = owner.length + 10;
  for (const name of [soa.primary, soa.mailbox]) {
    const before = partBefore(zone, name);
    const part = before === null ? spelled(name) : Buffer.concat([before, pointer(0)]);
    at += part.length;
    if (before !== null) pointers.push(at - 2);
    parts.push(part);
  }
  parts.push(words32(soa.serial, soa.refresh, soa.retry, soa.expire, soa.negativeTtl));
  return { bytes: record(owner, TYPE.SOA, soa.negativeTtl, Buffer.concat(parts)), pointers };
}

/** Writes the record at `at` into a message that has the zone's name at `zoneAt`. */
export function fill({ bytes, pointers }: RecordTemplate, message: Buffer, at: number, zoneAt: number): void {
  message.set(bytes, at);
  for (const offset of pointers) message.writeUInt16BE(0xc000 | zoneAt, at + offset);
}

function words16(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(2 * values.length);
  for (const [i, value] of values.entries()) bytes.writeUInt16BE(value, 2 * i);
  return bytes;
}

function words32(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length);
  for (const [i, value] of values.entries()) bytes.writeUInt32BE(value, 4 * i);
  return bytes;
}
