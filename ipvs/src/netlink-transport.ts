import { readSync, writeSync } from 'node:fs';
import { type MessageInfo, RawNetlinkSocket } from 'netlink/dist/raw.js';
import { codeOfErrno, errnoName, IpvsError } from './errors.ts';
import { findSocketFd } from './socket-fd.ts';
import type { Link, LinkEvents, Transport } from './transport.ts';
import { NETLINK } from './uapi.ts';

/**
 * Receive buffer size to request: the default of net.core.rmem_max. The kernel doubles the size and caps it at twice
 * net.core.rmem_max. Its default buffer would hold only 166 errors of the largest size.
 */
const RECEIVE_BUFFER = 212_992;

/** Maximum buffer space for one queued error: a 1,024-byte block for data and shared info, and the sk_buff itself. */
const FAILURE_COST = 1_280;

/** Upper bound whatever the buffer size: the default buffer was seen to overflow at 276 messages. */
const MAX_WINDOW = 200;

/**
 * Size of the buffer that the package allocates for each receive when this library cannot receive immediately. A fixed
 * size saves the system call that would peek at each datagram. Nothing is truncated: single replies and the first part of
 * a dump take at most 8 KiB (NLMSG_GOODSIZE), and later parts grow only to the largest buffer that the reader has used.
 */
const PACKAGE_BUFFER = 8_192;

/** Port of the kernel as a sender (netlink(7)): other processes may send to our port too. */
const KERNEL_PORT = 0;

/** Options of {@link netlinkTransport}. All are optional. */
export interface NetlinkTransportOptions {
  /**
   * Whether to read replies immediately, through the socket's file descriptor, if it can be found in /proc.
   * @defaultValue true
   */
  readonly immediate?: boolean | undefined;
}

/**
 * A transport to the real kernel, over the npm package `netlink`.
 *
 * The kernel handles a netlink request inside `sendmsg`, so its replies are available when that returns. Waiting for the
 * event loop would double the cost of a round trip. Reading immediately also leaves nothing for the package's own
 * receiver, which aborts the process when the receive buffer overflows.
 */
export function netlinkTransport(options: NetlinkTransportOptions = {}): Transport {
  return {
    open(protocol, events) {
      const socket = openSocket(protocol);
      // An idle client must not keep the process alive; the timeouts of pending requests do.
      socket.unref();
      const fd = options.immediate === false ? undefined : findSocketFd(protocol, socket.address().port);
      const window = Math.max(1, Math.min(MAX_WINDOW, Math.floor(socket.getRecvBufferSize() / FAILURE_COST)));
      const opened: Opened = { socket, window, usable: true };
      return fd === undefined ? packageLink(opened, events) : immediateLink(opened, fd, events);
    },
  };
}

function openSocket(protocol: number): RawNetlinkSocket {
  try {
    return new RawNetlinkSocket(protocol, {
      // A link dump of rtnetlink may start with more than a page, for a device with many virtual functions.
      messagePeeking: protocol !== NETLINK.GENERIC,
      msgBufferSize: PACKAGE_BUFFER,
      recvBufferSize: RECEIVE_BUFFER,
      sendBufferSize: RECEIVE_BUFFER,
    });
  } catch (cause) {
    throw asIpvsError('open a netlink socket', cause);
  }
}

/** A system error of the package or of `node:fs`. Not by `instanceof`: its `Error` may be from another realm. */
function systemError(cause: unknown): { readonly errno?: unknown; readonly code?: unknown } {
  return typeof cause === 'object' && cause !== null ? cause : {};
}

/** Errors of the package have a positive errno, those of `node:fs` a negative one. */
function asIpvsError(what: string, cause: unknown): IpvsError {
  const { errno: number } = systemError(cause);
  const errno = typeof number === 'number' ? Math.abs(number) : undefined;
  if (errno === undefined) return new IpvsError('rejected', `${what}: ${String(cause)}`, { cause });
  return new IpvsError(codeOfErrno(errno), `${what}: ${errnoName(errno)}`, { errno, cause });
}

/** An open socket, shared by both kinds of link. */
interface Opened {
  readonly socket: RawNetlinkSocket;
  readonly window: number;
  /** False once the socket has failed or was closed: its descriptor may then belong to another file. */
  usable: boolean;
}

/**
 * Forwards the socket's events with `setImmediate`, outside the package's native frames: an exception there, or closing the
 * socket while a write is pending, would end the process.
 */
function listen(opened: Opened, events: LinkEvents): void {
  const datagram = (truncated: boolean) => (bytes: Uint8Array, sender: MessageInfo) => {
    if (sender.port !== KERNEL_PORT) return;
    setImmediate(() => {
      if (opened.usable) events.datagram(bytes, truncated);
    });
  };
  opened.socket.on('message', datagram(false));
  opened.socket.on('truncatedMessage', datagram(true));
  opened.socket.on('error', (cause) => {
    if (!opened.usable) return;
    opened.usable = false;
    setImmediate(() => events.failed(asIpvsError('netlink socket', cause)));
  });
}

function closer(opened: Opened): () => void {
  let closed = false;
  return () => {
    if (closed) return;
    closed = true;
    opened.usable = false;
    setImmediate(() => opened.socket.close());
  };
}

function packageLink(opened: Opened, events: LinkEvents): Link {
  const { socket, window } = opened;
  listen(opened, events);
  return {
    window,
    close: closer(opened),
    send(bytes) {
      if (!opened.usable) throw new IpvsError('closed', 'netlink socket: closed');
      // A copy: the package may keep the bytes until the socket is writable, but the caller may reuse them immediately.
      socket.send(Buffer.from(bytes), undefined, (cause) => {
        if (cause) socket.emit('error', cause);
      });
    },
  };
}

function immediateLink(opened: Opened, fd: number, events: LinkEvents): Link {
  listen(opened, events);
  return {
    window: opened.window,
    close: closer(opened),
    send(bytes) {
      if (!opened.usable) throw new IpvsError('closed', 'netlink socket: closed');
      try {
        writeSync(fd, bytes);
      } catch (cause) {
        throw asIpvsError('netlink send', cause);
      }
    },
    receiveNow(into) {
      if (!opened.usable) return 0;
      try {
        return readSync(fd, into);
      } catch (cause) {
        if (systemError(cause).code === 'EAGAIN') return 0;
        throw asIpvsError('netlink receive', cause);
      }
    },
  };
}
