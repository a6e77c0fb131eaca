/**
 * This library's netlink socket and attribute codecs, for protocols other than IPVS: routes, addresses, nf_tables.
 *
 * @packageDocumentation
 */
import { payloadOf } from './message.ts';
import { NetlinkSocket, type NetlinkSocketOptions } from './netlink-socket.ts';
import { netlinkTransport } from './netlink-transport.ts';
import { sendRequest } from './request.ts';
import { type Refusal, type TransactionMessage, transact } from './transaction.ts';
import type { Transport } from './transport.ts';

export { align4 } from './align.ts';
export {
  ATTR_HEADER,
  type Attrs,
  type AttrTable,
  attrTable,
  encoded,
  list,
  nested,
  type Row,
  type Rows,
} from './codec.ts';
export {
  codeOfErrno,
  errnoName,
  IpvsError,
  type IpvsErrorCode,
  type IpvsErrorDetails,
  isIpvsError,
} from './errors.ts';
export {
  be16,
  be32,
  be64,
  type Codec,
  cstring,
  flag,
  HOST_IS_LE,
  raw,
  u8,
  u16,
  u32,
  u64,
} from './scalars.ts';
export type { Refusal, TransactionMessage } from './transaction.ts';
export type { Link, LinkEvents, Transport } from './transport.ts';
export { NETLINK, NLM_F, NLMSG } from './uapi.ts';

/** Options of {@link openNetlink}. All are optional. */
export interface NetlinkOptions extends NetlinkSocketOptions {
  /**
   * Opens the socket.
   * @defaultValue the host's kernel, in this process's network namespace
   */
  readonly transport?: Transport | undefined;
}

/** A netlink socket. Requests run one at a time, in the order of the calls. */
export interface Netlink {
  /**
   * Sends one message and resolves with the payloads of its replies when the kernel has acknowledged it; with an empty
   * list if it sends only the acknowledgement.
   *
   * Rejects with an `IpvsError`: with the kernel's `errno` if the kernel refuses the request, `timeout` if no reply arrives,
   * `closed` after `close`, and `interrupted` if other writers disturbed a dump eight times.
   *
   * @param type - Message type, for example RTM_NEWROUTE.
   * @param flags - NLM_F_* flags. REQUEST and ACK are added. With all bits of `NLM_F.DUMP` the request is a dump, which is
   * repeated if other writers disturb it.
   * @param payload - The part after the message header: fixed structure and attributes, each aligned to four bytes.
   * @param what - The operation, as the start of error messages: `add route 10.0.0.0/8`.
   */
  request(type: number, flags: number, payload: Uint8Array, what?: string): Promise<Uint8Array[]>;
  /**
   * Makes all changes or none, in a netfilter subsystem (protocol 12) with batches, such as nf_tables.
   *
   * Resolves with the messages that the kernel refused; an empty list means that all changes were made. An error about the
   * transaction as a whole is reported as a refusal of the last message. Rejects if the kernel does not answer.
   *
   * @param subsystem - NFNL_SUBSYS_*, for example 10 for nf_tables.
   */
  transaction(subsystem: number, messages: readonly TransactionMessage[]): Promise<readonly Refusal[]>;
  /** Closes the socket; pending requests reject with `closed`. May be called twice. */
  close(): void;
}

/** Opens a netlink socket. Throws an `IpvsError`; `unsupported` if the kernel lacks the protocol. */
export function openNetlink(protocol: number, options: NetlinkOptions = {}): Netlink {
  const socket = new NetlinkSocket(options.transport ?? netlinkTransport(), protocol, options);
  return {
    request: (type, flags, payload, what = `netlink message ${type}`) =>
      sendRequest(socket, { op: '', what }, type, flags, payload, payloadOf),
    transaction: (subsystem, messages) => transact(socket, subsystem, messages),
    close: () => socket.close(),
  };
}
