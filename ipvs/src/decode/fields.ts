import { type AttrTable, attrTable, type Rows } from '../codec.ts';
import { type Codec, cstring, raw, u32 } from '../scalars.ts';
import * as tables from '../tables.ts';
import { type Format, formats } from './formats.ts';

/** How to show an attribute: its name in the kernel's netlink specification, and the format of its value. */
export interface Field {
  readonly name: string;
  readonly codec: Codec<unknown>;
  readonly format?: Format;
  /** Unit, shown after the value. */
  readonly unit?: string;
  /** Fields of the nested attributes. */
  readonly nest?: FieldSet;
  /** Fields of each entry of a list. */
  readonly list?: FieldSet;
}

/** Fields by attribute number. */
export interface FieldSet {
  readonly name: string;
  readonly fields: ReadonlyMap<number, Field>;
}

/** Name of attributes that are only padding. */
export const PAD = 'pad';

type Description = string | Omit<Field, 'codec'>;

/**
 * The fields for an attribute table. Every row of the table needs one; a test compares names and sets with the
 * specification (`ipvs.yaml`).
 */
function fieldSet<const R extends Rows>(
  name: string,
  table: AttrTable<R>,
  descriptions: { readonly [K in keyof R]: Description },
): FieldSet {
  const fields = Object.entries(table.rows).map(([key, { type, codec }]): [number, Field] => {
    const description: Description = descriptions[key as keyof R];
    return [type, typeof description === 'string' ? { name: description, codec } : { ...description, codec }];
  });
  return { name, fields: new Map(fields) };
}

const perSecond = (name: string) => ({ name, unit: '/s' });
const bytes = (name: string) => ({ name, unit: ' bytes' });
const seconds = (name: string) => ({ name, unit: ' s' });

const statistics = {
  connections: 'conns',
  inPackets: 'inpkts',
  outPackets: 'outpkts',
  inBytes: bytes('inbytes'),
  outBytes: bytes('outbytes'),
  connectionRate: perSecond('cps'),
  inPacketRate: perSecond('inpps'),
  outPacketRate: perSecond('outpps'),
  inByteRate: perSecond('inbps'),
  outByteRate: perSecond('outbps'),
};

const stats = padded(fieldSet('stats', tables.stats32Attrs, statistics), 11);
const stats64 = padded(fieldSet('stats64', tables.stats64Attrs, statistics), 11);

/** Adds the padding attribute that aligns the next one to eight bytes. */
function padded({ name, fields }: FieldSet, type: number): FieldSet {
  return { name, fields: new Map([...fields, [type, { name: PAD, codec: raw }]]) };
}

const svc = fieldSet('svc', tables.serviceAttrs, {
  family: { name: 'af', format: formats.family },
  protocol: { name: 'protocol', format: formats.protocol },
  address: { name: 'addr', format: formats.address },
  port: 'port',
  fwmark: 'fwmark',
  scheduler: 'sched-name',
  flags: { name: 'flags', format: formats.serviceFlags },
  timeout: seconds('timeout'),
  netmask: { name: 'netmask', format: formats.netmask },
  stats32: { name: 'stats', nest: stats },
  persistenceEngine: 'pe-name',
  stats64: { name: 'stats64', nest: stats64 },
});

const dest = fieldSet('dest', tables.destinationAttrs, {
  address: { name: 'addr', format: formats.address },
  port: 'port',
  forwardingMethod: { name: 'fwd-method', format: formats.forwardingMethod },
  weight: 'weight',
  upperThreshold: 'u-thresh',
  lowerThreshold: 'l-thresh',
  activeConnections: 'active-conns',
  inactiveConnections: 'inact-conns',
  persistentConnections: 'persist-conns',
  stats32: { name: 'stats', nest: stats },
  family: { name: 'addr-family', format: formats.family },
  stats64: { name: 'stats64', nest: stats64 },
  tunnelType: { name: 'tun-type', format: formats.tunnelType },
  tunnelPort: 'tun-port',
  tunnelFlags: { name: 'tun-flags', format: formats.tunnelFlags },
});

const daemon = fieldSet('daemon', tables.daemonAttrs, {
  state: { name: 'state', format: formats.daemonState },
  interface: 'mcast-ifn',
  syncId: 'sync-id',
  maxLength: bytes('sync-maxlen'),
  group: { name: 'mcast-group', format: formats.ipv4 },
  group6: { name: 'mcast-group6', format: formats.ipv6 },
  port: 'mcast-port',
  ttl: 'mcast-ttl',
});

const cmd = fieldSet('cmd', tables.commandAttrs, {
  service: { name: 'service', nest: svc },
  destination: { name: 'dest', nest: dest },
  daemon: { name: 'daemon', nest: daemon },
  timeoutTcp: seconds('timeout-tcp'),
  timeoutTcpFin: seconds('timeout-tcp-fin'),
  timeoutUdp: seconds('timeout-udp'),
});

const info = fieldSet('info', tables.infoAttrs, {
  version: { name: 'version', format: formats.version },
  connectionTableSize: 'conn-tab-size',
});

/** The attribute sets of the IPVS family, by their names in the specification. */
export const ipvsSets: Readonly<Record<string, FieldSet>> = { cmd, svc, dest, daemon, stats, stats64, info };

/** CTRL_ATTR_OP_*. <linux/genetlink.h> */
const operation = fieldSet(
  'op',
  attrTable('op', { id: { type: 1, codec: u32 }, flags: { type: 2, codec: u32 } }),
  {
    id: 'id',
    flags: { name: 'flags', format: formats.operationFlags },
  },
);

/** CTRL_ATTR_MCAST_GRP_*. <linux/genetlink.h> */
const group = fieldSet(
  'mcast-group',
  attrTable('group', { name: { type: 1, codec: cstring }, id: { type: 2, codec: u32 } }),
  { name: 'name', id: 'id' },
);

/** CTRL_ATTR_*, with the names of `nlctrl.yaml` in the kernel. <linux/genetlink.h> */
// biome-ignore format: aligned table
const controllerAttrs = attrTable('family', {
  ...tables.familyAttrs.rows,
  version:         { type: 3,  codec: u32 },
  headerSize:      { type: 4,  codec: u32 },
  maxAttribute:    { type: 5,  codec: u32 },
  operations:      { type: 6,  codec: raw },
  multicastGroups: { type: 7,  codec: raw },
  operation:       { type: 10, codec: u32 },
});

export const controllerSet = fieldSet('ctrl-attrs', controllerAttrs, {
  id: 'family-id',
  name: 'family-name',
  version: 'version',
  headerSize: 'hdrsize',
  maxAttribute: 'maxattr',
  operations: { name: 'ops', list: operation },
  multicastGroups: { name: 'mcast-groups', list: group },
  operation: 'op',
});

/** NLMSGERR_ATTR_*: the extended acknowledgement. <linux/netlink.h> */
// biome-ignore format: aligned table
const extendedAckAttrs = attrTable('extended acknowledgement', {
  message:         { type: 1, codec: cstring },
  offset:          { type: 2, codec: u32 },
  cookie:          { type: 3, codec: raw },
  missingType:     { type: 5, codec: u32 },
  missingNest:     { type: 6, codec: u32 },
});

export const extendedAckSet = fieldSet('nlmsgerr-attrs', extendedAckAttrs, {
  message: 'msg',
  offset: 'offs',
  cookie: 'cookie',
  missingType: 'miss-type',
  missingNest: 'miss-nest',
});
