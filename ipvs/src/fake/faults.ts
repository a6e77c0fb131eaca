/** A request that the fake kernel received. */
export interface FakeRequest {
  /** Name of the IPVS_CMD_*: `NEW_SERVICE`, `GET_DEST`; `GETFAMILY` for the look-up of the family. */
  readonly command: string;
  readonly dump: boolean;
  readonly seq: number;
  /** The whole message. */
  readonly bytes: Uint8Array;
}

/** Faults to inject. Each stays in effect until it is removed from `FakeKernel.faults`. */
export interface FakeFaults {
  /** Returns the error number to refuse a request with; 0 or undefined lets the kernel carry it out. */
  refuse?: ((request: FakeRequest) => number | undefined) | undefined;
  /** Number of dumps, from now on, to mark as disturbed by other writers (NLM_F_DUMP_INTR). */
  interruptDumps?: number | undefined;
  /** Error number in the NLMSG_DONE of every dump: how a dump fails halfway. */
  failDumps?: number | undefined;
  /** Replaces the datagrams that answer a send, for example by fewer, shorter, reordered or damaged ones. */
  replies?: ((datagrams: readonly Uint8Array[]) => readonly Uint8Array[]) | undefined;
  /** Called before each request, for example to change the tables while they are read. */
  before?: ((request: FakeRequest) => void) | undefined;
  /** Error that every send throws. */
  send?: Error | undefined;
}
