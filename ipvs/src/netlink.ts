/**
 * Plain netlink with this library's transport and codec, for protocols other than IPVS, such as routes and addresses.
 *
 * @packageDocumentation
 */
import { payloadOf } from './message.ts';
import { NetlinkSocket, type NetlinkSocketOptions } from './netlink-socket.ts';
import { netlinkTransport } from './netlink-transport.ts';
import { ask, kernelError } from './request.ts';
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

/** Options of {@link openNetlink}; each may be left out. */
export interface NetlinkOptions extends NetlinkSocketOptions {
  /**
   * Where to open the socket.
   * @defaultValue the kernel of this host, in this process's network namespace
   */
  readonly transport?: Transport | undefined;
}

/** A netlink socket that asks one thing at a time, in the order of the calls. */
export interface Netlink {
  /**
   * Sends one message and resolves with the payloads of its replies once the kernel has acknowledged it; with no
   * payload where it only acknowledges.
   *
   * With all bits of `NLM_F.DUMP` in `flags` it is a dump, repeated when other writers disturb it (`interrupted` after
   * eight times). REQUEST and ACK are added to `flags`. Rejects with an `IpvsError` whose `errno` is the kernel's;
   * `timeout` when nothing came, `closed` after `close`.
   *
   * @param type - Message type, for example RTM_NEWROUTE.
   * @param payload - What follows the message header, fixed part and attributes, each aligned to four bytes.
   * @param what - What is being done, to begin the message of an error with: `add route 10.0.0.0/8`.
   */
  request(type: number, flags: number, payload: Uint8Array, what?: string): Promise<Uint8Array[]>;
  /**
   * For netfilter's subsystems (protocol 12) that take changes in batches, as nf_tables does: the kernel makes all of
   * the messages or none. Resolves with those it refused; with none when all are made. Rejects when there is no answer.
   *
   * What it answers to the transaction as a whole is reported as a refusal of the last message.
   *
   * @param subsystem - NFNL_SUBSYS_*, for example 10 for nf_tables.
   */
  transaction(subsystem: number, messages: readonly TransactionMessage[]): Promise<readonly Refusal[]>;
  /** Closes the socket and rejects what is pending. May be called twice. */
  close(): void;
}

/** Opens a netlink socket. Throws `IpvsError`, `unsupported` where the kernel lacks the protocol. */
export function openNetlink(protocol: number, options: NetlinkOptions = {}): Netlink {
  const socket = new NetlinkSocket(options.transport ?? netlinkTransport(), protocol, options);
  return {
    async request(type, flags, payload, what = `netlink message ${type}`) {
      const { replies, errno, words } = await ask(socket, type, flags, payload, payloadOf);
      if (errno !== 0) throw kernelError(what, errno, words);
      return replies;
    },
    transaction: (subsystem, messages) => transact(socket, subsystem, messages),
    close: () => socket.close(),
  };
}
