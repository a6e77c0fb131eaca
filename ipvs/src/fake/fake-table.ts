import { formatAddress } from '../address.ts';
import type { CommandAttrs, DaemonAttrs, DestinationAttrs, ServiceAttrs } from '../tables.ts';
import { AF_INET, AF_INET6, IP_VS_CONN_F, IP_VS_SVC_F, IPVS_CMD } from '../uapi.ts';

/** Error numbers that commands return. <asm-generic/errno.h> */
const E = { NOENT: 2, SRCH: 3, EXIST: 17, INVAL: 22, RANGE: 34, AFNOSUPPORT: 97 } as const;

/** A service, with its destinations by {@link addressKey}. */
export interface FakeService {
  attrs: ServiceAttrs;
  readonly destinations: Map<string, DestinationAttrs>;
}

/** The tables, with commands that follow ip_vs_genl_set_cmd and the functions that it calls in Linux 6.1. */
export class FakeTable {
  readonly services = new Map<string, FakeService>();
  readonly daemons = new Map<number, DaemonAttrs>();
  readonly #schedulers: ReadonlySet<string>;
  timeouts: CommandAttrs = { timeoutTcp: 900, timeoutTcpFin: 120, timeoutUdp: 300 };

  constructor(schedulers: readonly string[]) {
    this.#schedulers = new Set(schedulers);
  }

  find(attrs: ServiceAttrs | undefined): FakeService | undefined {
    const key = attrs && serviceMapKey(attrs);
    return key === undefined ? undefined : this.services.get(key);
  }

  /** Carries out a command that changes the tables. Returns an error number, 0 for success. */
  change(command: number, attrs: CommandAttrs): number {
    switch (command) {
      case IPVS_CMD.FLUSH:
        this.services.clear();
        return 0;
      case IPVS_CMD.SET_CONFIG:
        this.timeouts = { ...this.timeouts, ...attrs };
        return 0;
      case IPVS_CMD.NEW_DAEMON:
      case IPVS_CMD.DEL_DAEMON:
        return this.#daemon(command, attrs.daemon);
      case IPVS_CMD.ZERO:
        return !attrs.service || this.find(attrs.service) ? 0 : E.SRCH;
      default:
        return this.#serviceCommand(command, attrs);
    }
  }

  #serviceCommand(command: number, attrs: CommandAttrs): number {
    const key = attrs.service && serviceMapKey(attrs.service);
    if (!attrs.service || key === undefined) return E.INVAL;
    const full = command === IPVS_CMD.NEW_SERVICE || command === IPVS_CMD.SET_SERVICE;
    const { scheduler, flags, timeout, netmask } = attrs.service;
    if (full && !(scheduler && flags && timeout !== undefined && netmask)) return E.INVAL;
    const service = this.services.get(key);
    if (!service && command !== IPVS_CMD.NEW_SERVICE) return E.SRCH;

    if (command === IPVS_CMD.NEW_SERVICE) return service ? E.EXIST : this.#put(key, attrs.service);
    if (command === IPVS_CMD.SET_SERVICE) return this.#put(key, attrs.service, service);
    if (command === IPVS_CMD.DEL_SERVICE) return this.services.delete(key) ? 0 : E.SRCH;
    return service ? destinationCommand(command, service, attrs.destination) : E.SRCH;
  }

  #put(key: string, attrs: ServiceAttrs, before?: FakeService): number {
    if (!this.#schedulers.has(attrs.scheduler ?? '')) return E.NOENT;
    if (attrs.persistenceEngine && attrs.persistenceEngine !== 'sip') return E.NOENT;
    const prefix = attrs.netmask && new Uint32Array(attrs.netmask.slice(0, 4).buffer)[0];
    if (attrs.family === AF_INET6 && (!prefix || prefix > 128)) return E.INVAL;

    const { value = 0, mask = 0 } = attrs.flags ?? {};
    const kept = (before?.attrs.flags?.value ?? 0) & ~mask;
    const flags = { value: kept | (value & mask) | IP_VS_SVC_F.HASHED, mask: 0xffff_ffff };
    if (before) before.attrs = { ...attrs, flags };
    else this.services.set(key, { attrs: { ...attrs, flags }, destinations: new Map() });
    return 0;
  }

  #daemon(command: number, daemon: DaemonAttrs | undefined): number {
    if (!daemon?.state) return E.INVAL;
    if (command === IPVS_CMD.DEL_DAEMON) return this.daemons.delete(daemon.state) ? 0 : E.SRCH;
    if (!daemon.interface || daemon.syncId === undefined) return E.INVAL;
    if (this.daemons.has(daemon.state)) return E.EXIST;
    const defaults = { maxLength: 1472, group: 0xe000_0051, port: 8848, ttl: 1 };
    this.daemons.set(daemon.state, { ...defaults, ...daemon });
    return 0;
  }
}

function destinationCommand(
  command: number,
  service: FakeService,
  attrs: DestinationAttrs | undefined,
): number {
  if (attrs?.address === undefined || attrs.port === undefined) return E.INVAL;
  const family = attrs.family || service.attrs.family || AF_INET;
  const key = addressKey(family, attrs.address, attrs.port);
  const exists = service.destinations.has(key);
  if (command === IPVS_CMD.DEL_DEST) return service.destinations.delete(key) ? 0 : E.NOENT;

  const refused = refuseDestination(attrs, family, service.attrs.family);
  if (refused) return refused;
  if (command === IPVS_CMD.NEW_DEST && exists) return E.EXIST;
  if (command === IPVS_CMD.SET_DEST && !exists) return E.NOENT;
  const counters = { activeConnections: 0, inactiveConnections: 0, persistentConnections: 0 };
  service.destinations.set(key, { ...counters, ...service.destinations.get(key), ...attrs, family });
  return 0;
}

/** The error number if ip_vs_genl_set_cmd or ip_vs_add_dest refuses these settings, else 0. */
function refuseDestination(attrs: DestinationAttrs, family: number, ofService: number | undefined): number {
  const { forwardingMethod, weight, upperThreshold, lowerThreshold } = attrs;
  if (forwardingMethod === undefined || weight === undefined) return E.INVAL;
  if (upperThreshold === undefined || lowerThreshold === undefined) return E.INVAL;
  if (family !== AF_INET && family !== AF_INET6) return E.AFNOSUPPORT;
  if (family !== ofService && forwardingMethod !== IP_VS_CONN_F.TUNNEL) return E.INVAL;
  return weight > 0x7fff_ffff || lowerThreshold > upperThreshold ? E.RANGE : 0;
}

/** The map key of a service; undefined if its identity is incomplete. */
function serviceMapKey({ family, fwmark, protocol, address, port }: ServiceAttrs): string | undefined {
  if (family !== AF_INET && family !== AF_INET6) return undefined;
  if (fwmark) return `fwmark ${fwmark} ${family}`;
  if (protocol === undefined || address === undefined || port === undefined) return undefined;
  return `${protocol} ${addressKey(family, address, port)}`;
}

/** A map key for an address of AF_INET or AF_INET6, in 16 bytes, and a port. Throws `malformed-reply` for too few bytes. */
export function addressKey(family: number, address: Uint8Array, port: number): string {
  return `${formatAddress(address, family === AF_INET ? 'ipv4' : 'ipv6')} ${port}`;
}
