/**
 * Constants of the kernel's user-space API, under their kernel names.
 *
 * From `<linux/ip_vs.h>` of Linux 6.1 (ADDR_FAMILY since 3.18, STATS64 since 4.1, GUE since 5.2, GRE and tunnel checksums
 * since 5.3), `<linux/netlink.h>` and `<linux/genetlink.h>`. Attribute numbers are in `tables.ts`.
 */

/** Netlink protocols. <linux/netlink.h> */
export const NETLINK = { ROUTE: 0, GENERIC: 16 } as const;

/** Message types of every netlink protocol. <linux/netlink.h> */
export const NLMSG = { NOOP: 1, ERROR: 2, DONE: 3, OVERRUN: 4, MIN_TYPE: 16 } as const;

/** Message flags. REPLACE, EXCL, CREATE and APPEND qualify "new" requests, ROOT and MATCH dumps. <linux/netlink.h> */
export const NLM_F = {
  REQUEST: 0x1,
  MULTI: 0x2,
  ACK: 0x4,
  DUMP_INTR: 0x10,
  DUMP: 0x300,
  REPLACE: 0x100,
  EXCL: 0x200,
  CREATE: 0x400,
  APPEND: 0x800,
  /** On NLMSG_ERROR: the request is not echoed. */
  CAPPED: 0x100,
  /** On NLMSG_ERROR and NLMSG_DONE: extended-ack attributes follow. */
  ACK_TLVS: 0x200,
} as const;

/** The controller of generic netlink, which looks up families, and family versions. <linux/genetlink.h> */
export const GENL = { ID_CTRL: 0x10, CTRL_CMD_GETFAMILY: 3, CTRL_VERSION: 1, IPVS_VERSION: 1 } as const;

/** Address families, the same on every architecture. <linux/socket.h> */
export const AF_INET = 2;
/** See {@link AF_INET}. */
export const AF_INET6 = 10;

/** IPPROTO_*. <linux/in.h> */
export const IPPROTO = { tcp: 6, udp: 17, sctp: 132 } as const;

/** IPVS_CMD_*. <linux/ip_vs.h> */
export const IPVS_CMD = {
  NEW_SERVICE: 1,
  SET_SERVICE: 2,
  DEL_SERVICE: 3,
  GET_SERVICE: 4,
  NEW_DEST: 5,
  SET_DEST: 6,
  DEL_DEST: 7,
  GET_DEST: 8,
  NEW_DAEMON: 9,
  DEL_DAEMON: 10,
  GET_DAEMON: 11,
  SET_CONFIG: 12,
  GET_CONFIG: 13,
  SET_INFO: 14,
  GET_INFO: 15,
  ZERO: 16,
  FLUSH: 17,
} as const;

/** IP_VS_SVC_F_*. HASHED is internal to the kernel, which includes it in every reply. <linux/ip_vs.h> */
export const IP_VS_SVC_F = {
  PERSISTENT: 0x1,
  HASHED: 0x2,
  ONEPACKET: 0x4,
  SCHED1: 0x8,
  SCHED2: 0x10,
  SCHED3: 0x20,
} as const;

/** IP_VS_CONN_F_*: the forwarding methods, in the low three bits of a destination's flags. <linux/ip_vs.h> */
export const IP_VS_CONN_F = {
  FWD_MASK: 0x7,
  MASQ: 0,
  LOCALNODE: 1,
  TUNNEL: 2,
  DROUTE: 3,
  BYPASS: 4,
} as const;

/** IP_VS_CONN_F_TUNNEL_TYPE_*. <linux/ip_vs.h>, since Linux 5.2; gre since 5.3 */
export const IP_VS_TUNNEL_TYPE = { ipip: 0, gue: 1, gre: 2 } as const;

/** IP_VS_TUNNEL_ENCAP_FLAG_*. <linux/ip_vs.h>, since Linux 5.3 */
export const IP_VS_TUNNEL_FLAG = { CSUM: 0x1, REMCSUM: 0x2 } as const;

/** IP_VS_STATE_*: role of a sync daemon. <linux/ip_vs.h> */
export const IP_VS_STATE = { master: 1, backup: 2 } as const;

/** IP_VS_SCHEDNAME_MAXLEN, IP_VS_PENAME_MAXLEN and IP_VS_IFNAME_MAXLEN: each 16, including the final NUL. <linux/ip_vs.h> */
export const IP_VS_NAME_MAXLEN = 16;
