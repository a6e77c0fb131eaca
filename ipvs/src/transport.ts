/**
 * The port between this library and a netlink socket: whole datagrams out, whole datagrams in.
 *
 * Sequence numbers, acknowledgements, dumps and time-outs are above it (`netlink-socket.ts`), so a fake needs none.
 */
export interface Transport {
  /** Opens a socket for a netlink protocol, for example 16 (generic). Throws `IpvsError`. */
  open(protocol: number, events: LinkEvents): Link;
}

/** What a link reports by itself. It reports nothing during `send` and nothing after `close`. */
export interface LinkEvents {
  /** A datagram of the kernel's arrived; the bytes are the receiver's. `truncated` when its end was cut off. */
  datagram(bytes: Uint8Array, truncated: boolean): void;
  /** The link is unusable: replies were lost or the socket failed. */
  failed(error: Error): void;
}

/** One open socket. */
export interface Link {
  /** The most messages that may be unanswered at once, so that a failure of each fits the receive buffer. */
  readonly window: number;
  /** Sends one or more messages; the bytes may be reused once it returns. Throws when the socket refuses them. */
  send(bytes: Uint8Array): void;
  /**
   * Puts a datagram that is already there at the beginning of `into` and returns its length, or 0 where none is there;
   * absent where a link cannot look without waiting. Such a datagram may be any process's, not only the kernel's. It throws where {@link LinkEvents.failed} would be called.
   */
  receiveNow?(into: Uint8Array): number;
  /** Closes the socket. May be called twice, and from inside an event. */
  close(): void;
}
