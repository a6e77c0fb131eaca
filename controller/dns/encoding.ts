/** Resource records as bytes (RFC 1035, section 4.1), for messages whose question starts where every question does. */

import ipaddr from 'ipaddr.js';
import { CLASS_IN, TYPE } from './codes.ts';
import { isWithin, type WireName } from './names.ts';

/** Where the question's name stands: right after the header. */
export const QUESTION_AT = 12;

/** Two bytes that stand for the name at this offset of the message. */
export function pointer(at: number): Buffer {
  return Buffer.from([0xc0 | (at >> 8), at & 0xff]);
}

/** The name in full. */
export function spelled(name: WireName): Buffer {
  return Buffer.from(name, 'latin1');
}

/** What of `name` stands before `zone`, without the end that a pointer to the zone takes the place of; null when it is not within. */
export function partBefore(zone: WireName, name: WireName): Buffer | null {
  return isWithin(name, zone) ? spelled(name.slice(0, name.length - zone.length)) : null;
}

export function record(owner: Uint8Array, type: number, ttl: number, data: Uint8Array): Buffer {
  const fixed = Buffer.alloc(10);
  fixed.writeUInt16BE(type, 0);
  fixed.writeUInt16BE(CLASS_IN, 2);
  fixed.writeUInt32BE(ttl, 4);
  fixed.writeUInt16BE(data.length, 8);
  return Buffer.concat([owner, fixed, data]);
}

/** An A or AAAA record, as the address is. */
export function addressRecord(owner: Uint8Array, ttl: number, address: string): Buffer {
  const bytes = Uint8Array.from(ipaddr.parse(address).toByteArray());
  return record(owner, bytes.length === 4 ? TYPE.A : TYPE.AAAA, ttl, bytes);
}

/** The target is never shortened by a pointer (RFC 2782). One target needs neither priority nor weight. */
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
  /** How long it may be remembered that a name does not exist. */
  readonly negativeTtl: number;
}

/** A record with pointers to the zone's name, which stands elsewhere in each message. */
export interface RecordTemplate {
  readonly bytes: Buffer;
  /** Where the pointers are. */
  readonly pointers: readonly number[];
}

/** Its own TTL is the negative one: some resolvers look at this, some at that (RFC 2308, section 3). */
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

/** Writes the record into a message that has the zone's name at `zoneAt`. */
export function fill({ bytes, pointers }: RecordTemplate, message: Buffer, at: number, zoneAt: number): void {
  message.set(bytes, at);
  for (const place of pointers) message.writeUInt16BE(0xc000 | zoneAt, at + place);
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
