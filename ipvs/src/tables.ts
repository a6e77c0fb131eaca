import { type Attrs, attrTable, nested } from './codec.ts';
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

/** IPVS_STATS_ATTR_* in IPVS_*_ATTR_STATS64, since Linux 4.1. <linux/ip_vs.h> */
// biome-ignore format: aligned table
const stats64Rows = {
  connections:    { type: 1,  codec: u64 },
  inPackets:      { type: 2,  codec: u64 },
  outPackets:     { type: 3,  codec: u64 },
  inBytes:        { type: 4,  codec: u64 },
  outBytes:       { type: 5,  codec: u64 },
  connectionRate: { type: 6,  codec: rate64 },
  inPacketRate:   { type: 7,  codec: rate64 },
  outPacketRate:  { type: 8,  codec: rate64 },
  inByteRate:     { type: 9,  codec: rate64 },
  outByteRate:    { type: 10, codec: rate64 },
} as const;

/** IPVS_STATS_ATTR_* in IPVS_*_ATTR_STATS, which every kernel sends; its 32-bit counters wrap. */
// biome-ignore format: aligned table
const stats32Rows = {
  connections:    { type: 1,  codec: counter32 },
  inPackets:      { type: 2,  codec: counter32 },
  outPackets:     { type: 3,  codec: counter32 },
  inBytes:        { type: 4,  codec: u64 },
  outBytes:       { type: 5,  codec: u64 },
  connectionRate: { type: 6,  codec: u32 },
  inPacketRate:   { type: 7,  codec: u32 },
  outPacketRate:  { type: 8,  codec: u32 },
  inByteRate:     { type: 9,  codec: u32 },
  outByteRate:    { type: 10, codec: u32 },
} as const;

export const stats64Attrs = attrTable('stats64', stats64Rows);
export const stats32Attrs = attrTable('stats', stats32Rows);

/** IPVS_SVC_ATTR_*, in the order in which ipvsadm writes them. Only the kernel sends rows marked "read". <linux/ip_vs.h> */
// biome-ignore format: aligned table
const serviceRows = {
  family:            { type: 1,  codec: u16 },
  fwmark:            { type: 5,  codec: u32 }, //         instead of protocol, address and port
  protocol:          { type: 2,  codec: u16 },
  address:           { type: 3,  codec: raw }, //         16 bytes, IPv4 in the first four
  port:              { type: 4,  codec: be16 }, //        ports are the only big-endian integers here
  scheduler:         { type: 6,  codec: cstring },
  persistenceEngine: { type: 11, codec: cstring },
  flags:             { type: 7,  codec: maskedFlags },
  timeout:           { type: 8,  codec: u32 }, //         seconds
  netmask:           { type: 9,  codec: raw }, //         network order for IPv4, a host-order length for IPv6
  stats64:           { type: 12, codec: nested(stats64Attrs) }, // read, since Linux 4.1
  stats32:           { type: 10, codec: nested(stats32Attrs) }, // read
} as const;

export const serviceAttrs = attrTable('service', serviceRows);
export type ServiceAttrs = Attrs<typeof serviceRows>;

/** IPVS_DEST_ATTR_*, in the order in which ipvsadm writes them. Only the kernel sends rows marked "read". <linux/ip_vs.h> */
// biome-ignore format: aligned table
const destinationRows = {
  family:                { type: 11, codec: u16 }, //          since Linux 3.18
  address:               { type: 1,  codec: raw }, //          16 bytes, IPv4 in the first four
  port:                  { type: 2,  codec: be16 },
  forwardingMethod:      { type: 3,  codec: u32 },
  weight:                { type: 4,  codec: u32 },
  tunnelType:            { type: 13, codec: u8 }, //           since Linux 5.2
  tunnelPort:            { type: 14, codec: be16 }, //         since Linux 5.2
  tunnelFlags:           { type: 15, codec: u16 }, //          since Linux 5.3
  upperThreshold:        { type: 5,  codec: u32 },
  lowerThreshold:        { type: 6,  codec: u32 },
  activeConnections:     { type: 7,  codec: u32 }, //          read
  inactiveConnections:   { type: 8,  codec: u32 }, //          read
  persistentConnections: { type: 9,  codec: u32 }, //          read
  stats64:               { type: 12, codec: nested(stats64Attrs) }, // read, since Linux 4.1
  stats32:               { type: 10, codec: nested(stats32Attrs) }, // read
} as const;

export const destinationAttrs = attrTable('destination', destinationRows);
export type DestinationAttrs = Attrs<typeof destinationRows>;

/** IPVS_DAEMON_ATTR_*. The rows from maxLength on exist since Linux 4.3. <linux/ip_vs.h> */
// biome-ignore format: aligned table
const daemonRows = {
  state:     { type: 1, codec: u32 },
  interface: { type: 2, codec: cstring },
  syncId:    { type: 3, codec: u32 },
  maxLength: { type: 4, codec: u16 },
  group:     { type: 5, codec: be32 },
  group6:    { type: 6, codec: raw },
  port:      { type: 7, codec: u16 }, // in host order, unlike every other port
  ttl:       { type: 8, codec: u8 },
} as const;

export const daemonAttrs = attrTable('sync daemon', daemonRows);
export type DaemonAttrs = Attrs<typeof daemonRows>;

/** IPVS_CMD_ATTR_*: the outermost attributes of every command but GET_INFO. <linux/ip_vs.h> */
// biome-ignore format: aligned table
const commandRows = {
  service:       { type: 1, codec: nested(serviceAttrs) },
  destination:   { type: 2, codec: nested(destinationAttrs) },
  daemon:        { type: 3, codec: nested(daemonAttrs) },
  timeoutTcp:    { type: 4, codec: u32 }, // seconds, as the two below
  timeoutTcpFin: { type: 5, codec: u32 },
  timeoutUdp:    { type: 6, codec: u32 },
} as const;

export const commandAttrs = attrTable('command', commandRows);
export type CommandAttrs = Attrs<typeof commandRows>;

/** IPVS_INFO_ATTR_*: the reply to GET_INFO. <linux/ip_vs.h> */
export const infoAttrs = attrTable('info', {
  version: { type: 1, codec: u32 },
  connectionTableSize: { type: 2, codec: u32 },
});

/** CTRL_ATTR_*: only the attributes needed to look up a generic netlink family. <linux/genetlink.h> */
export const familyAttrs = attrTable('family', {
  id: { type: 1, codec: u16 },
  name: { type: 2, codec: cstring },
});
