/**
 * Reads and changes the Linux IPVS tables over generic netlink.
 *
 * @packageDocumentation
 */
export type { ChangeFailure } from './batch.ts';
export { IpvsClient, type IpvsClientOptions } from './client.ts';
export { IpvsError, type IpvsErrorCode, type IpvsErrorDetails, isIpvsError } from './errors.ts';
export { destinationKey, serviceKey } from './id.ts';
export type { NetlinkSocketOptions } from './netlink-socket.ts';
export { type NetlinkTransportOptions, netlinkTransport } from './netlink-transport.ts';
export type { Link, LinkEvents, Transport } from './transport.ts';
export type {
  AddressFamily,
  AddressServiceId,
  Change,
  Destination,
  DestinationId,
  ForwardingMethod,
  FwmarkServiceId,
  Info,
  ObservedDestination,
  ObservedService,
  Persistence,
  Protocol,
  Scheduler,
  SchedulerFlag,
  ServiceId,
  ServiceOptions,
  Stats,
  SyncDaemon,
  SyncRole,
  TableEntry,
  Timeouts,
  Tunnel,
  VirtualService,
} from './types.ts';
