import { readSync, writeSync } from 'node:fs';
import { type MessageInfo, RawNetlinkSocket } from 'netlink/dist/raw.js';
import { codeOfErrno, errnoName, IpvsError } from './errors.ts';
import { findSocketFd } from './socket-fd.ts';
import type { Link, LinkEvents, Transport } from './transport.ts';
import { NETLINK } from './uapi.ts';

/**
 * Receive buffer to ask for. The kernel doubles it and caps it at twice net.core.rmem_max, which is this by default.
 * The one it would give unasked holds 166 failures of the largest kind.
 */
const RECEIVE_BUFFER = 212_992;

/** What one queued failure costs at most: a 1,024-byte block for data and its shared info, and the sk_buff itself. */
const FAILURE_COST = 1_280;

/** Kept under 276, where the default buffer was seen to overflow, whatever the arithmetic says. */
const MAX_WINDOW = 200;

/**
 * Size of the buffer that the package allocates for each receive where we cannot receive immediately. Not peeking saves
 * a system call for each datagram. Never cut off: single replies and the first part of a dump take one page, at most
 * 8 KiB (NLMSG_GOODSIZE), and later parts of a dump grow only to the largest buffer the reader has shown.
 */
const PACKAGE_BUFFER = 8_192;

/** Other processes may send to our port; netlink tells the kernel from them by its own (netlink(7)). */
const KERNEL_PORT = 0;

/** Options of {@link netlinkTransport}; each may be left out. */
export interface NetlinkTransportOptions {
  /**
   * Whether to read replies at once through the socket's descriptor, where it can be found in /proc.
   * @defaultValue true
   */
  readonly immediate?: boolean | undefined;
}

/**
 * The real kernel, over the npm package `netlink`.
 *
 * A netlink request is carried out inside `sendmsg`, so its replies are there when that returns. Waiting for the event
 * loop to say so would double the cost of a round trip; reading them at once also keeps the package's own receiver,
 * which aborts the process on an overflow of the receive buffer, from ever having something to read.
 */
export function netlinkTransport(options: NetlinkTransportOptions = {}): Transport {
  return {
    open(protocol, events) {
      const socket = openSocket(protocol);
      // An idle client does not hold up the end of the process; time-outs of requests do.
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
      // Link dumps of rtnetlink may start with more than a page, where a device has many virtual functions.
      messagePeeking: protocol !== NETLINK.GENERIC,
      msgBufferSize: PACKAGE_BUFFER,
      recvBufferSize: RECEIVE_BUFFER,
      sendBufferSize: RECEIVE_BUFFER,
    });
  } catch (cause) {
    throw asIpvsError('open a netlink socket', cause);
  }
}

/** A system error of the package or of `node:fs`. No `instanceof`: theirs may be the `Error` of another realm. */
function systemError(cause: unknown): { readonly errno?: unknown; readonly code?: unknown } {
  return typeof cause === 'object' && cause !== null ? cause : {};
}

/** Errors of the package carry a positive errno, those of `node:fs` a negative one. */
function asIpvsError(what: string, cause: unknown): IpvsError {
  const { errno: number } = systemError(cause);
  const errno = typeof number === 'number' ? Math.abs(number) : undefined;
  if (errno === undefined) return new IpvsError('rejected', `${what}: ${String(cause)}`, { cause });
  return new IpvsError(codeOfErrno(errno), `${what}: ${errnoName(errno)}`, { errno, cause });
}

/** What the two ways of sending and receiving have in common. */
interface Opened {
  readonly socket: RawNetlinkSocket;
  readonly window: number;
  /** False once the socket failed or was closed: its descriptor may by then be another file's. */
  usable: boolean;
}

/**
 * Listeners do nothing but hand on, from outside the package's native frames: an exception there, or closing the socket
 * while a write is pending, would end the process.
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
      // The package may keep the bytes until the socket is writable; they are the caller's again at once.
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
