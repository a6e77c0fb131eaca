/** Encodes the expressions of our rules. <linux/netfilter/nf_tables.h>; attributes have the order of `nft`. */

import ipaddr from 'ipaddr.js';
import { attrTable, be32, cstring, encoded, nested, raw, u8 } from 'ipvs-netlink-ts/netlink';
import type { Family } from '../../address.ts';

/** One expression of a rule: its name in nf_tables, and its encoded attributes. */
export interface Expression {
  readonly name: string;
  readonly data: Uint8Array;
}

/** The first register of 16 bytes, and the second of 4 bytes after it: a key of two parts uses both. */
const REGISTER = 1;
const SECOND_PART = 9;
const VERDICT_REGISTER = 0;

// biome-ignore-start format: aligned tables
const META = { iif: 4, oif: 5, nfproto: 15, l4proto: 16 } as const;
const CT = { direction: 1, destinationIpv4: 20, destinationIpv6: 22 } as const;
const ACCEPT = 1;
const NFPROTO: Record<Family, number> = { ipv4: 2, ipv6: 10 };

const valueAttrs = attrTable('data', { value: { type: 1, codec: raw } });
const verdictAttrs = attrTable('verdict', { code: { type: 1, codec: be32 } });
const verdictData = attrTable('data', { verdict: { type: 2, codec: nested(verdictAttrs) } });
const metaAttrs = attrTable('meta', { key: { type: 2, codec: be32 }, into: { type: 1, codec: be32 } });
const ctAttrs = attrTable('ct', {
  key: { type: 2, codec: be32 },
  into: { type: 1, codec: be32 },
  direction: { type: 3, codec: u8 },
});
const cmpAttrs = attrTable('cmp', {
  from: { type: 1, codec: be32 },
  op: { type: 2, codec: be32 },
  data: { type: 3, codec: nested(valueAttrs) },
});
const payloadAttrs = attrTable('payload', {
  into: { type: 1, codec: be32 },
  base: { type: 2, codec: be32 },
  offset: { type: 3, codec: be32 },
  length: { type: 4, codec: be32 },
});
const lookupAttrs = attrTable('lookup', {
  from: { type: 2, codec: be32 },
  set: { type: 1, codec: cstring },
  setId: { type: 4, codec: be32 },
});
const dynsetAttrs = attrTable('dynset', {
  key: { type: 4, codec: be32 },
  op: { type: 3, codec: be32 },
  set: { type: 1, codec: cstring },
  setId: { type: 2, codec: be32 },
});
const immediateValue = attrTable('immediate', {
  into: { type: 1, codec: be32 },
  data: { type: 2, codec: nested(valueAttrs) },
});
const immediateVerdict = attrTable('immediate', {
  into: { type: 1, codec: be32 },
  data: { type: 2, codec: nested(verdictData) },
});
const natAttrs = attrTable('nat', {
  type: { type: 1, codec: be32 },
  family: { type: 2, codec: be32 },
  address: { type: 3, codec: be32 },
});
const rejectAttrs = attrTable('reject', { type: { type: 1, codec: be32 }, code: { type: 2, codec: u8 } });
// biome-ignore-end format: aligned tables

/** `expr`: one entry in the list of a rule. */
export const expressionAttrs = attrTable('expression', {
  name: { type: 1, codec: cstring },
  data: { type: 2, codec: encoded },
});

/** A set that a rule refers to; `id` is its number in the transaction. */
export interface SetReference {
  readonly name: string;
  readonly id: number;
}

/** `ip daddr @set`, `ip6 saddr @set`: packets of this family with an address in the set. */
export function addressIn(
  family: Family,
  which: 'source' | 'destination',
  set: SetReference,
): readonly Expression[] {
  return [...onlyFamily(family), loadAddress(family, which), lookup(set)];
}

/** `ct original ip daddr @set`: packets of connections to an address in the set. */
export function madeTo(family: Family, set: SetReference): readonly Expression[] {
  const key = family === 'ipv4' ? CT.destinationIpv4 : CT.destinationIpv6;
  return [{ name: 'ct', data: ctAttrs.write({ key, into: REGISTER, direction: 0 }) }, lookup(set)];
}

/** `meta iif . meta oif @set`. */
export function interfacesIn(set: SetReference): readonly Expression[] {
  return [meta(META.iif, REGISTER), meta(META.oif, SECOND_PART), lookup(set)];
}

/** `update @set { meta iif . meta iif }`. */
export function rememberInterface(set: SetReference): readonly Expression[] {
  const UPDATE = 1;
  const data = dynsetAttrs.write({ key: REGISTER, op: UPDATE, set: set.name, setId: set.id });
  return [meta(META.iif, REGISTER), meta(META.iif, SECOND_PART), { name: 'dynset', data }];
}

/** `ct direction reply`. */
export function isReply(): readonly Expression[] {
  const data = ctAttrs.write({ key: CT.direction, into: REGISTER });
  return [{ name: 'ct', data }, equals(Uint8Array.of(1))];
}

/** `meta l4proto 6`. */
export function hasProtocol(number: number): readonly Expression[] {
  return [meta(META.l4proto, REGISTER), equals(Uint8Array.of(number))];
}

/** `dnat ip to ip daddr`. */
export function dnatToItself(family: Family): readonly Expression[] {
  return [loadAddress(family, 'destination'), nat('dnat', family)];
}

/** `snat ip to ADDRESS`. */
export function snatTo(family: Family, address: string): readonly Expression[] {
  const value = Uint8Array.from(ipaddr.parse(address).toByteArray());
  const data = immediateValue.write({ into: REGISTER, data: { value } });
  return [{ name: 'immediate', data }, nat('snat', family)];
}

export function masquerade(): readonly Expression[] {
  return [{ name: 'masq', data: new Uint8Array() }];
}

export function accept(): readonly Expression[] {
  const data = immediateVerdict.write({ into: VERDICT_REGISTER, data: { verdict: { code: ACCEPT } } });
  return [{ name: 'immediate', data }];
}

/** `reject with tcp reset`, or with the port-unreachable of the packet's family. */
export function reject(with_: 'tcp-reset' | Family): readonly Expression[] {
  const PORT_UNREACHABLE: Record<Family, number> = { ipv4: 3, ipv6: 4 };
  const attributes =
    with_ === 'tcp-reset' ? { type: 1, code: 0 } : { type: 0, code: PORT_UNREACHABLE[with_] };
  return [{ name: 'reject', data: rejectAttrs.write(attributes) }];
}

/** In a table of both families the header must be checked before an address is read from it. */
function onlyFamily(family: Family): readonly Expression[] {
  return [meta(META.nfproto, REGISTER), equals(Uint8Array.of(NFPROTO[family]))];
}

const PLACES = {
  ipv4: { length: 4, source: 12, destination: 16 },
  ipv6: { length: 16, source: 8, destination: 24 },
} as const;
const NETWORK_HEADER = 1;

function loadAddress(family: Family, which: 'source' | 'destination'): Expression {
  const { length, [which]: offset } = PLACES[family];
  const data = payloadAttrs.write({ into: REGISTER, base: NETWORK_HEADER, offset, length });
  return { name: 'payload', data };
}

function nat(type: 'snat' | 'dnat', family: Family): Expression {
  const attributes = { type: type === 'snat' ? 0 : 1, family: NFPROTO[family], address: REGISTER };
  return { name: 'nat', data: natAttrs.write(attributes) };
}

function meta(key: number, into: number): Expression {
  return { name: 'meta', data: metaAttrs.write({ key, into }) };
}

function equals(value: Uint8Array): Expression {
  return { name: 'cmp', data: cmpAttrs.write({ from: REGISTER, op: 0, data: { value } }) };
}

function lookup({ name, id }: SetReference): Expression {
  return { name: 'lookup', data: lookupAttrs.write({ from: REGISTER, set: name, setId: id }) };
}
