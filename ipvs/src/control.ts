import { familyOf, formatAddress, parseAddress } from './address.ts';
import { viewOf } from './codec.ts';
import { byNumber, checkName, checkRange, nameOf, numberOf } from './convert.ts';
import { IpvsError } from './errors.ts';
import { GENL_HEADER } from './genl.ts';
import type { Reply } from './replies.ts';
import { type CommandAttrs, commandAttrs, type DaemonAttrs, infoAttrs } from './tables.ts';
import type { Info, SyncDaemon, SyncRole, Timeouts } from './types.ts';
import { IP_VS_STATE } from './uapi.ts';

const roleNames = byNumber(IP_VS_STATE);

/** Reads the reply to GET_INFO. Throws `malformed-reply`. */
export function readInfo({ view, from, to }: Reply): Info {
  const { version, connectionTableSize } = infoAttrs.readView(view, from + GENL_HEADER, to);
  if (version === undefined || connectionTableSize === undefined) {
    throw new IpvsError('malformed-reply', 'info without version or size');
  }
  return { version: versionText(version), connectionTableSize };
}

/** Formats an IPVS version: three bytes, from major to patch (NVERSION in ip_vs.h). 0x010201 is 1.2.1. */
export function versionText(version: number): string {
  return `${(version >> 16) & 0xff}.${(version >> 8) & 0xff}.${version & 0xff}`;
}

/** The kernel stores timeouts in jiffies and refuses values that would overflow (ip_vs_set_timeout). */
const MAX_TIMEOUT_SECONDS = 0x7fff_ffff;

/** The attributes of the given timeouts; the kernel keeps those that are absent (ip_vs_genl_set_config). Throws `invalid`. */
export function toTimeoutAttrs({ tcpSeconds, tcpFinSeconds, udpSeconds }: Partial<Timeouts>): CommandAttrs {
  const check = (name: string, value: number | undefined) =>
    value === undefined ? undefined : checkRange(name, value, 1, MAX_TIMEOUT_SECONDS);
  return {
    timeoutTcp: check('TCP timeout', tcpSeconds),
    timeoutTcpFin: check('TCP FIN timeout', tcpFinSeconds),
    timeoutUdp: check('UDP timeout', udpSeconds),
  };
}

/** Reads the reply to GET_CONFIG. Throws `malformed-reply`. */
export function readTimeouts({ view, from, to }: Reply): Timeouts {
  const attrs = commandAttrs.readView(view, from + GENL_HEADER, to);
  const { timeoutTcp, timeoutTcpFin, timeoutUdp } = attrs;
  // A kernel built without IPVS for TCP or UDP omits the attributes of that protocol.
  return { tcpSeconds: timeoutTcp ?? 0, tcpFinSeconds: timeoutTcpFin ?? 0, udpSeconds: timeoutUdp ?? 0 };
}

/** The attributes of a daemon. Its role alone is enough to stop it. */
export function toDaemonAttrs(daemon: SyncDaemon | { readonly role: SyncRole }): DaemonAttrs {
  const state = numberOf('sync daemon role', IP_VS_STATE, daemon.role);
  if (!('interface' in daemon)) return { state };
  return {
    state,
    interface: checkName('interface', daemon.interface),
    syncId: checkRange('sync id', daemon.syncId, 0, 255),
    maxLength: optional('sync message length', daemon.maxLength, 0xffff),
    ...(daemon.group && toGroupAttrs(daemon.group)),
    port: optional('sync port', daemon.port, 0xffff),
    ttl: optional('sync TTL', daemon.ttl, 0xff),
  };
}

function optional(what: string, value: number | undefined, max: number): number | undefined {
  return value === undefined ? undefined : checkRange(what, value, 1, max);
}

function toGroupAttrs(group: string): DaemonAttrs {
  const bytes = parseAddress(group);
  return familyOf(group) === 'ipv6' ? { group6: bytes } : { group: viewOf(bytes).getUint32(0) };
}

/** Reads the daemon in a reply. Throws `malformed-reply`. */
export function readDaemon({ view, from, to }: Reply): SyncDaemon {
  const attrs = commandAttrs.readView(view, from + GENL_HEADER, to).daemon;
  if (attrs?.state === undefined) throw new IpvsError('malformed-reply', 'reply without sync daemon');
  const { maxLength, port, ttl } = attrs;
  const group = groupOf(attrs);
  return {
    role: nameOf('sync daemon role', roleNames, attrs.state),
    interface: attrs.interface ?? '',
    syncId: attrs.syncId ?? 0,
    ...(maxLength && { maxLength }),
    ...(group && { group }),
    ...(port && { port }),
    ...(ttl && { ttl }),
  };
}

function groupOf({ group, group6 }: DaemonAttrs): string | undefined {
  if (group6) return formatAddress(group6, 'ipv6');
  if (group === undefined) return undefined;
  const bytes = new Uint8Array(4);
  viewOf(bytes).setUint32(0, group);
  return formatAddress(bytes, 'ipv4');
}
