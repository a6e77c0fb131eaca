import { type Attrs, attrTable, nested, type Row } from './codec.ts';
import type { FormatName } from './decode/formats.ts';
import { be16, be32, type Codec, cstring, maskedFlags, raw, u8, u16, u32, u64 } from './scalars.ts';

/** A rate in 64 bits, as newer kernels send it. Far below 2^53, so read as a number. */
const rate64: Codec<number> = {
  name: 'rate',
  minBytes: 8,
  size: () => 8,
  write: (view, at, value) => u64.write(view, at, BigInt(value)),
  read: (view, at) => Number(u64.read(view, at, 8)),
};

/** A 32-bit counter in IPVS_*_ATTR_STATS. */
const counter32: Codec<bigint> = {
  name: 'u32',
  minBytes: 4,
  size: () => 4,
  write: (view, at, value) => u32.write(view, at, Number(value)),
  read: (view, at) => BigInt(u32.read(view, at, 4)),
};

/**
 * An attribute, told once: encoder, decoder and `ipvs-netlink-ts decode` use the same row.
 *
 * Numbers are those of `<linux/ip_vs.h>`, types and byte orders those of ip_vs_cmd_policy and the other policies in
 * net/netfilter/ipvs/ip_vs_ctl.c, and names those of `spec/ipvs.yaml`; tests compare them.
 */
export interface ShownRow extends Row {
  /** Name in the kernel's netlink specification. */
  readonly name: string;
  /** How a value that is more than a number or a string is shown. */
  readonly format?: FormatName;
  /** Unit, shown after the value. */
  readonly unit?: string;
}

/** Rows by attribute name, all of which can be shown. */
export type ShownRows = Readonly<Record<string, ShownRow>>;

/** IPVS_STATS_ATTR_* in IPVS_*_ATTR_STATS64, since Linux 4.1. */
// biome-ignore format: aligned table
const stats64Rows = {
  connections:    { type: 1,  codec: u64,    name: 'conns' },
  inPackets:      { type: 2,  codec: u64,    name: 'inpkts' },
  outPackets:     { type: 3,  codec: u64,    name: 'outpkts' },
  inBytes:        { type: 4,  codec: u64,    name: 'inbytes',  unit: ' bytes' },
  outBytes:       { type: 5,  codec: u64,    name: 'outbytes', unit: ' bytes' },
  connectionRate: { type: 6,  codec: rate64, name: 'cps',      unit: '/s' },
  inPacketRate:   { type: 7,  codec: rate64, name: 'inpps',    unit: '/s' },
  outPacketRate:  { type: 8,  codec: rate64, name: 'outpps',   unit: '/s' },
  inByteRate:     { type: 9,  codec: rate64, name: 'inbps',    unit: '/s' },
  outByteRate:    { type: 10, codec: rate64, name: 'outbps',   unit: '/s' },
} as const satisfies ShownRows;

/** The same in IPVS_*_ATTR_STATS, which every kernel sends; its 32-bit counters wrap. */
// biome-ignore format: aligned table
const stats32Rows = {
  connections:    { ...stats64Rows.connections,    codec: counter32 },
  inPackets:      { ...stats64Rows.inPackets,      codec: counter32 },
  outPackets:     { ...stats64Rows.outPackets,     codec: counter32 },
  inBytes:        stats64Rows.inBytes,
  outBytes:       stats64Rows.outBytes,
  connectionRate: { ...stats64Rows.connectionRate, codec: u32 },
  inPacketRate:   { ...stats64Rows.inPacketRate,   codec: u32 },
  outPacketRate:  { ...stats64Rows.outPacketRate,  codec: u32 },
  inByteRate:     { ...stats64Rows.inByteRate,     codec: u32 },
  outByteRate:    { ...stats64Rows.outByteRate,    codec: u32 },
} as const satisfies ShownRows;

/** Totals and rates in 64 bits. Missing ones are absent. */
export const stats64Attrs = attrTable('stats64', stats64Rows);
/** Totals in 32 bits, except bytes, and rates. Missing ones are absent. */
export const stats32Attrs = attrTable('stats', stats32Rows);

/** IPVS_SVC_ATTR_*, in the order in which ipvsadm writes them. Only the kernel sends rows marked "read". */
// biome-ignore format: aligned table
const serviceRows = {
  family:            { type: 1,  codec: u16,         name: 'af',         format: 'family' },
  fwmark:            { type: 5,  codec: u32,         name: 'fwmark' }, // instead of protocol, address and port
  protocol:          { type: 2,  codec: u16,         name: 'protocol',   format: 'protocol' },
  address:           { type: 3,  codec: raw,         name: 'addr',       format: 'address' }, // 16 bytes, IPv4 in the first four
  port:              { type: 4,  codec: be16,        name: 'port' }, //   ports are the only big-endian integers here
  scheduler:         { type: 6,  codec: cstring,     name: 'sched-name' },
  persistenceEngine: { type: 11, codec: cstring,     name: 'pe-name' },
  flags:             { type: 7,  codec: maskedFlags, name: 'flags',      format: 'serviceFlags' },
  timeout:           { type: 8,  codec: u32,         name: 'timeout',    unit: ' s' },
  netmask:           { type: 9,  codec: raw,         name: 'netmask',    format: 'netmask' }, // see netmaskBytes
  stats64:           { type: 12, codec: nested(stats64Attrs), name: 'stats64' }, // read, since Linux 4.1
  stats32:           { type: 10, codec: nested(stats32Attrs), name: 'stats' }, //   read
} as const satisfies ShownRows;

/** A service. */
export const serviceAttrs = attrTable('service', serviceRows);
/** The attributes of a service, all optional. */
export type ServiceAttrs = Attrs<typeof serviceRows>;

/** IPVS_DEST_ATTR_*, in the order in which ipvsadm writes them. Only the kernel sends rows marked "read". */
// biome-ignore format: aligned table
const destinationRows = {
  family:                { type: 11, codec: u16,  name: 'addr-family', format: 'family' }, // since Linux 3.18
  address:               { type: 1,  codec: raw,  name: 'addr',        format: 'address' }, // 16 bytes, IPv4 in the first four
  port:                  { type: 2,  codec: be16, name: 'port' },
  forwardingMethod:      { type: 3,  codec: u32,  name: 'fwd-method',  format: 'forwardingMethod' },
  weight:                { type: 4,  codec: u32,  name: 'weight' },
  tunnelType:            { type: 13, codec: u8,   name: 'tun-type',    format: 'tunnelType' }, //  since Linux 5.2
  tunnelPort:            { type: 14, codec: be16, name: 'tun-port' }, //                           since Linux 5.2
  tunnelFlags:           { type: 15, codec: u16,  name: 'tun-flags',   format: 'tunnelFlags' }, // since Linux 5.3
  upperThreshold:        { type: 5,  codec: u32,  name: 'u-thresh' },
  lowerThreshold:        { type: 6,  codec: u32,  name: 'l-thresh' },
  activeConnections:     { type: 7,  codec: u32,  name: 'active-conns' }, //  read
  inactiveConnections:   { type: 8,  codec: u32,  name: 'inact-conns' }, //   read
  persistentConnections: { type: 9,  codec: u32,  name: 'persist-conns' }, // read
  stats64:               { type: 12, codec: nested(stats64Attrs), name: 'stats64' }, // read, since Linux 4.1
  stats32:               { type: 10, codec: nested(stats32Attrs), name: 'stats' }, //   read
} as const satisfies ShownRows;

/** A destination of a service. */
export const destinationAttrs = attrTable('destination', destinationRows);
/** The attributes of a destination, all optional. */
export type DestinationAttrs = Attrs<typeof destinationRows>;

/** IPVS_DAEMON_ATTR_*. The rows from maxLength on exist since Linux 4.3. */
// biome-ignore format: aligned table
const daemonRows = {
  state:     { type: 1, codec: u32,     name: 'state',        format: 'daemonState' },
  interface: { type: 2, codec: cstring, name: 'mcast-ifn' },
  syncId:    { type: 3, codec: u32,     name: 'sync-id' },
  maxLength: { type: 4, codec: u16,     name: 'sync-maxlen',  unit: ' bytes' },
  group:     { type: 5, codec: be32,    name: 'mcast-group',  format: 'ipv4' },
  group6:    { type: 6, codec: raw,     name: 'mcast-group6', format: 'ipv6' },
  port:      { type: 7, codec: u16,     name: 'mcast-port' }, // in host order, unlike every other port
  ttl:       { type: 8, codec: u8,      name: 'mcast-ttl' },
} as const satisfies ShownRows;

/** A sync daemon. */
export const daemonAttrs = attrTable('sync daemon', daemonRows);
/** The attributes of a sync daemon, all optional. */
export type DaemonAttrs = Attrs<typeof daemonRows>;

/** IPVS_CMD_ATTR_*: the outermost attributes of every command but GET_INFO. */
// biome-ignore format: aligned table
const commandRows = {
  service:       { type: 1, codec: nested(serviceAttrs),     name: 'service' },
  destination:   { type: 2, codec: nested(destinationAttrs), name: 'dest' },
  daemon:        { type: 3, codec: nested(daemonAttrs),      name: 'daemon' },
  timeoutTcp:    { type: 4, codec: u32,                      name: 'timeout-tcp',     unit: ' s' },
  timeoutTcpFin: { type: 5, codec: u32,                      name: 'timeout-tcp-fin', unit: ' s' },
  timeoutUdp:    { type: 6, codec: u32,                      name: 'timeout-udp',     unit: ' s' },
} as const satisfies ShownRows;

/** A command or a reply. */
export const commandAttrs = attrTable('command', commandRows);
/** The attributes of a command, all optional. */
export type CommandAttrs = Attrs<typeof commandRows>;

/** IPVS_INFO_ATTR_*: the reply to GET_INFO. */
// biome-ignore format: aligned table
export const infoAttrs = attrTable('info', {
  version:             { type: 1, codec: u32, name: 'version', format: 'version' },
  connectionTableSize: { type: 2, codec: u32, name: 'conn-tab-size' },
} as const satisfies ShownRows);

/** CTRL_ATTR_*: only the attributes needed to look up a generic netlink family, named as in `nlctrl.yaml`. <linux/genetlink.h> */
// biome-ignore format: aligned table
export const familyAttrs = attrTable('family', {
  id:   { type: 1, codec: u16,     name: 'family-id' },
  name: { type: 2, codec: cstring, name: 'family-name' },
} as const satisfies ShownRows);
