/** The specification of the IPVS family (ipvs/spec/ipvs.yaml) says what the library's tables say, and nothing else. */

import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import * as z from 'zod';
import type { Rows } from '../../ipvs/src/codec.ts';
import * as tables from '../../ipvs/src/tables.ts';
import {
  IP_VS_CONN_F,
  IP_VS_STATE,
  IP_VS_SVC_F,
  IP_VS_TUNNEL_FLAG,
  IP_VS_TUNNEL_TYPE,
  IPVS_CMD,
} from '../../ipvs/src/uapi.ts';

/**
 * The part of the kernel's schema (Documentation/netlink/genetlink-legacy.yaml) that this file uses; nothing else may be
 * in it. Newer kernels want names, but for that of the family, in lower case.
 */
const name = z.string().regex(/^[0-9a-z-]+$/);
const entry = z.union([name, z.strictObject({ name, doc: z.string().optional() })]);
const attribute = z.strictObject({
  name,
  type: z.enum(['u8', 'u16', 'u32', 'u64', 'string', 'binary', 'nest', 'pad']),
  doc: z.string().optional(),
  'byte-order': z.literal('big-endian').optional(),
  'nested-attributes': name.optional(),
  enum: name.optional(),
  'enum-as-flags': z.boolean().optional(),
  struct: name.optional(),
  checks: z.strictObject({ 'max-len': z.int().optional(), 'exact-len': z.int().optional() }).optional(),
  'display-hint': z.enum(['ipv4', 'ipv6', 'hex']).optional(),
});
const message = z.strictObject({ value: z.int().optional(), attributes: z.array(name).optional() });
const operation = z.strictObject({ request: message.optional(), reply: message.optional() });
const schema = z.strictObject({
  name: z.literal('IPVS'),
  protocol: z.literal('genetlink-legacy'),
  doc: z.string(),
  'uapi-header': z.literal('linux/ip_vs.h'),
  'c-family-name': z.string(),
  'c-version-name': z.string(),
  'kernel-policy': z.literal('global'),
  version: z.literal(1),
  definitions: z.array(
    z.strictObject({
      name,
      type: z.enum(['flags', 'enum', 'struct']),
      doc: z.string(),
      'name-prefix': z.string().optional(),
      entries: z.array(entry).optional(),
      members: z
        .array(
          z.strictObject({
            name,
            type: z.literal('u32'),
            enum: z.string().optional(),
            'display-hint': z.literal('hex').optional(),
          }),
        )
        .optional(),
    }),
  ),
  'attribute-sets': z.array(
    z.strictObject({
      name,
      'name-prefix': z.string().optional(),
      doc: z.string().optional(),
      attributes: z.array(attribute),
    }),
  ),
  operations: z.strictObject({
    'enum-model': z.literal('unified'),
    'name-prefix': z.literal('ipvs-cmd-'),
    list: z.array(
      z.strictObject({
        name,
        value: z.int(),
        doc: z.string(),
        'attribute-set': z.string(),
        flags: z.array(z.literal('uns-admin-perm')).optional(),
        do: operation.optional(),
        dump: operation.optional(),
      }),
    ),
  }),
});

const text = readFileSync(new URL('../../ipvs/spec/ipvs.yaml', import.meta.url), 'utf8');
const spec = schema.parse(parse(text));
const sets = new Map(spec['attribute-sets'].map((set) => [set.name, set.attributes]));

/** How a codec of the library is called in a specification. */
const TYPES: Readonly<Record<string, string>> = {
  u8: 'u8',
  u16: 'u16',
  u32: 'u32',
  u64: 'u64',
  rate: 'u64',
  be16: 'u16 big-endian',
  be32: 'u32 big-endian',
  string: 'string',
  bytes: 'binary',
  'flags with mask': 'binary ip-vs-flags',
};

/** Tables of the library by the set that they are. */
const TABLES: Readonly<Record<string, { readonly rows: Rows }>> = {
  cmd: tables.commandAttrs,
  svc: tables.serviceAttrs,
  dest: tables.destinationAttrs,
  daemon: tables.daemonAttrs,
  stats: tables.stats32Attrs,
  stats64: tables.stats64Attrs,
  info: tables.infoAttrs,
};

test('the file has the licence, the beginning and the indentation that the kernel wants of specifications', () => {
  expect(text).toMatch(
    /^# SPDX-License-Identifier: \(\(GPL-2\.0 WITH Linux-syscall-note\) OR BSD-3-Clause\)\n---\nname: /,
  );
  expect(text).not.toMatch(/\t|[ ]$|\n\n\n/m);
  expect(text.endsWith('\n')).toBe(true);
});

test('every set of attributes is a table, and every table a set', () => {
  expect([...sets.keys()].sort()).toEqual(Object.keys(TABLES).sort());
});

test.each(Object.entries(TABLES))('%s has the numbers and types of the table', (name, { rows }) => {
  const inSpec = (sets.get(name) ?? []).flatMap((one, index) => {
    const type = [one.type, one['byte-order'] ?? one.struct ?? one['nested-attributes']]
      .filter(Boolean)
      .join(' ');
    return one.type === 'pad' ? [] : [`${index + 1} ${type}`];
  });
  const inTable = Object.values(rows).map(({ type, codec }) => {
    const nest = Object.entries(TABLES).find(([, table]) => codec.name === nestNameOf(table));
    return `${type} ${nest === undefined ? (TYPES[codec.name] ?? codec.name) : `nest ${nest[0]}`}`;
  });
  expect(inTable.sort()).toEqual(inSpec.sort());
});

function nestNameOf(table: unknown): string {
  return (table as { readonly name: string }).name;
}

test('operations have the numbers of the library', () => {
  const inSpec = spec.operations.list.map(({ name, value }) => [
    name.toUpperCase().replaceAll('-', '_'),
    value,
  ]);
  expect(Object.fromEntries(inSpec)).toEqual(IPVS_CMD);
});

test('requests and replies name attributes that their set has, and replies operations that there are', () => {
  const values: number[] = Object.values(IPVS_CMD);
  for (const { name, value, do: one, dump, 'attribute-set': set } of spec.operations.list) {
    const known = (sets.get(set) ?? []).map((each) => each.name);
    for (const { request, reply } of [one ?? {}, dump ?? {}]) {
      for (const attributeName of [...(request?.attributes ?? []), ...(reply?.attributes ?? [])])
        expect([name, known]).toEqual([name, expect.arrayContaining([attributeName])]);
      if (request?.value !== undefined) expect(request.value).toBe(value);
      if (reply !== undefined) expect(values).toContain(reply.value);
    }
  }
});

describe('definitions', () => {
  const { MASQ, LOCALNODE, TUNNEL, DROUTE, BYPASS } = IP_VS_CONN_F;
  test.each<[string, Readonly<Record<string, number>>]>([
    ['svc-flags', IP_VS_SVC_F],
    ['fwd-method', { MASQ, LOCALNODE, TUNNEL, DROUTE, BYPASS }],
    ['tunnel-type', IP_VS_TUNNEL_TYPE],
    ['tunnel-encap-flags', IP_VS_TUNNEL_FLAG],
    ['daemon-state', IP_VS_STATE],
  ])('%s has the values of the library', (name, values) => {
    const definition = spec.definitions.find((one) => one.name === name);
    const names = (definition?.entries ?? []).map((one) => (typeof one === 'string' ? one : one.name));
    const inSpec = names.map((one, index) => [one, definition?.type === 'flags' ? 2 ** index : index]);
    const inLibrary = Object.entries(values).map(([key, value]) => [key.toLowerCase(), value]);
    expect(Object.fromEntries(inSpec)).toEqual(Object.fromEntries(inLibrary));
  });

  test('are those that attributes name, and no others', () => {
    const attributes = [...sets.values()].flat();
    const members = spec.definitions.flatMap((one) => one.members ?? []);
    const named = [...attributes.flatMap((one) => [one.enum, one.struct]), ...members.map((one) => one.enum)];
    expect(spec.definitions.map(({ name }) => name).sort()).toEqual(
      [...new Set(named.filter((one) => one !== undefined))].sort(),
    );
  });
});
