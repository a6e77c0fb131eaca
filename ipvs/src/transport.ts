/**
 * The boundary between this library and a netlink socket: it sends and receives whole datagrams.
 *
 * Sequence numbers, acknowledgements, dumps and timeouts are handled above it (`netlink-socket.ts`), so a fake need not
 * implement them.
 */
export interface Transport {
  /** Opens a socket for a netlink protocol, for example 16 (generic). Throws `IpvsError`. */
  open(protocol: number, events: LinkEvents): Link;
}

/** Callbacks of a link. None is called during `send` or after `close`. */
export interface LinkEvents {
  /** A datagram from the kernel arrived. The receiver owns the bytes. `truncated`: its end was cut off. */
  datagram(bytes: Uint8Array, truncated: boolean): void;
  /** Replies were lost or the socket failed; the link is no longer usable. */
  failed(error: Error): void;
}

/** One open socket. */
export interface Link {
  /** Maximum number of unanswered messages: even if all fail, their errors fit in the receive buffer. */
  readonly window: number;
  /** Sends one or more messages. The caller may reuse the bytes afterwards. Throws if the socket refuses them. */
  send(bytes: Uint8Array): void;
  /**
   * Copies a pending datagram to the start of `into` without waiting, and returns its length; 0 if none is pending. The
   * sender may be any process, not only the kernel. Throws where {@link LinkEvents.failed} would be called. Absent if the
   * link cannot receive without waiting.
   */
  receiveNow?(into: Uint8Array): number;
  /** Closes the socket. May be called twice, and from within a callback. */
  close(): void;
}
