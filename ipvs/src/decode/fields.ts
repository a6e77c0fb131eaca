import { attrTable, list, type Row } from '../codec.ts';
import { type Codec, cstring, raw, u32 } from '../scalars.ts';
import * as tables from '../tables.ts';
import { type Format, formats } from './formats.ts';

/** How to show an attribute, from its row. */
export interface Field {
  readonly name: string;
  readonly codec: Codec<unknown>;
  readonly format?: Format | undefined;
  readonly unit?: string | undefined;
  /** Fields of the nested attributes. */
  readonly nest?: FieldSet | undefined;
  /** Fields of each entry of a list. */
  readonly list?: FieldSet | undefined;
}

/** Fields by attribute number. */
export interface FieldSet {
  readonly name: string;
  readonly fields: ReadonlyMap<number, Field>;
}

/** Name of attributes that are only padding. */
export const PAD = 'pad';

interface ShownTable {
  readonly rows: tables.ShownRows;
}

/** The sets made so far, by table: a set comes after those that are nested in it. */
const sets = new Map<unknown, FieldSet>();

/** Makes the fields of a table. `name`: that of the set in the specification. */
function fieldSet(name: string, table: ShownTable): FieldSet {
  const fields = Object.values(table.rows).map(({ type, codec, name, format, unit }): [number, Field] => {
    const nest = sets.get(innerTable(codec, 'table'));
    const list = sets.get(innerTable(codec, 'entries'));
    return [type, { name, codec, format: format && formats[format], unit, nest, list }];
  });
  const set = { name, fields: new Map(fields) };
  sets.set(table, set);
  return set;
}

/** The table of a codec for nested attributes (`table`) or of one for lists (`entries`). */
function innerTable(codec: Row['codec'], key: 'table' | 'entries'): unknown {
  return (codec as { readonly [K in typeof key]?: unknown })[key];
}

/** Statistics, with the attribute that aligns the next one to eight bytes. */
function statistics(name: string, table: ShownTable): FieldSet {
  const { fields } = fieldSet(name, table);
  const set = { name, fields: new Map([...fields, [11, { name: PAD, codec: raw }]]) };
  sets.set(table, set);
  return set;
}

/** The attribute sets of the IPVS family, by their names in the specification. */
export const ipvsSets: Readonly<Record<string, FieldSet>> = {
  stats: statistics('stats', tables.stats32Attrs),
  stats64: statistics('stats64', tables.stats64Attrs),
  svc: fieldSet('svc', tables.serviceAttrs),
  dest: fieldSet('dest', tables.destinationAttrs),
  daemon: fieldSet('daemon', tables.daemonAttrs),
  cmd: fieldSet('cmd', tables.commandAttrs),
  info: fieldSet('info', tables.infoAttrs),
};

/** CTRL_ATTR_OP_*. <linux/genetlink.h> */
const operationAttrs = attrTable('op', {
  id: { type: 1, codec: u32, name: 'id' },
  flags: { type: 2, codec: u32, name: 'flags', format: 'operationFlags' },
} as const satisfies tables.ShownRows);
fieldSet('op', operationAttrs);

/** CTRL_ATTR_MCAST_GRP_*. <linux/genetlink.h> */
const groupAttrs = attrTable('group', {
  name: { type: 1, codec: cstring, name: 'name' },
  id: { type: 2, codec: u32, name: 'id' },
} as const satisfies tables.ShownRows);
fieldSet('mcast-group', groupAttrs);

/** CTRL_ATTR_*: what the generic netlink controller tells of a family, with the names of `nlctrl.yaml`. <linux/genetlink.h> */
// biome-ignore format: aligned table
export const controllerSet = fieldSet('ctrl-attrs', { rows: {
  ...tables.familyAttrs.rows,
  version:         { type: 3,  codec: u32,                             name: 'version' },
  headerSize:      { type: 4,  codec: u32,                             name: 'hdrsize' },
  maxAttribute:    { type: 5,  codec: u32,                             name: 'maxattr' },
  operations:      { type: 6,  codec: list(operationAttrs, 'counted'), name: 'ops' },
  multicastGroups: { type: 7,  codec: list(groupAttrs, 'counted'),     name: 'mcast-groups' },
  operation:       { type: 10, codec: u32,                             name: 'op' },
} });

/** NLMSGERR_ATTR_*: the kernel's own words about an error (extended acknowledgement). <linux/netlink.h> */
// biome-ignore format: aligned table
export const extendedAckSet = fieldSet('nlmsgerr-attrs', { rows: {
  message:     { type: 1, codec: cstring, name: 'msg' },
  offset:      { type: 2, codec: u32,     name: 'offs' },
  cookie:      { type: 3, codec: raw,     name: 'cookie' },
  missingType: { type: 5, codec: u32,     name: 'miss-type' },
  missingNest: { type: 6, codec: u32,     name: 'miss-nest' },
} });
