import { randomInt } from 'node:crypto';
import { viewOf } from './codec.ts';
import { IpvsError } from './errors.ts';
import type { Job, Outgoing } from './job.ts';
import { eachMessage, errnoOf, extendedAck, firstSeqOf, type Message } from './message.ts';
import type { Link, LinkEvents, Transport } from './transport.ts';
import { NLM_F, NLMSG } from './uapi.ts';

/** Options of a netlink socket. All are optional. */
export interface NetlinkSocketOptions {
  /**
   * How long to wait for each reply, in milliseconds.
   * @defaultValue 5000
   */
  readonly timeoutMs?: number | undefined;
  /**
   * How long a long operation pauses after every few milliseconds of work, in milliseconds. With 0 it only yields to the
   * event loop; a longer pause makes it slower but leaves CPU time to other work.
   * @defaultValue 0
   */
  readonly restMs?: number | undefined;
}

const DEFAULT_TIMEOUT_MS = 5_000;

/**
 * Size of the receive buffer. The kernel packs dumps for the reader's buffer, up to 32 KiB (netlink_recvmsg caps
 * max_recvmsg_len), and a single reply takes a page. No IPVS reply fills this buffer, so one that does was truncated.
 */
const RECEIVE_BYTES = 65_536;

/** A dump is given up after other writers have disturbed it this many times. */
const MAX_DUMPS = 8;

/** The socket yields to the event loop after this long. */
const SLICE_MS = 3;

/** How many bytes to transfer between readings of the clock, which cost as much as a send where system calls are slow. */
const BYTES_PER_CLOCK_READ = 65_536;
/** How many bytes a round trip counts for, besides those sent and received. */
const ROUND_TRIP_BYTES = 2_048;

/** First sequence numbers are below this, so that no job's numbers overflow 32 bits. */
const MAX_FIRST_SEQ = 0x7000_0000;

interface Running {
  readonly job: Job;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
  /** The job's first sequence number: a failure that is reported late still belongs to it. */
  readonly firstSeq: number;
  outgoing: Outgoing | undefined;
  dumps: number;
  interrupted: boolean;
}

type Queued = Pick<Running, 'job' | 'resolve' | 'reject'>;

/**
 * Sends requests and matches replies over one socket. Jobs run one at a time, since the kernel refuses a second dump on a
 * socket while one is running.
 *
 * Other privileged processes can send datagrams to this socket too, and reading through the descriptor does not show the
 * sender. So each job starts at a random sequence number, and datagrams with numbers of no such request are dropped.
 *
 * After a timeout or a malformed reply the socket is replaced, so that late replies are lost with the old one.
 */
export class NetlinkSocket {
  readonly #transport: Transport;
  readonly #protocol: number;
  readonly #timeoutMs: number;
  readonly #restMs: number;
  readonly #queue: Queued[] = [];
  #link: Link | undefined;
  #running: Running | undefined;
  #seq = 0;
  #timer: NodeJS.Timeout | undefined;
  readonly #into = new Uint8Array(RECEIVE_BYTES);
  readonly #received = viewOf(this.#into);
  #closed = false;
  #pumping = false;
  /** Bytes sent and received since the clock was last read. */
  #transferred = 0;
  #immediate = false;

  /** Opens the socket. Throws an `IpvsError`. */
  constructor(transport: Transport, protocol: number, options: NetlinkSocketOptions = {}) {
    this.#transport = transport;
    this.#protocol = protocol;
    this.#timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    this.#restMs = options.restMs ?? 0;
    this.#link = this.#open();
  }

  /** Whether replies are read without waiting for the event loop, in which case a second socket gains nothing. */
  get immediate(): boolean {
    return this.#immediate;
  }

  /** Runs a job after those already queued. Rejects if it cannot be completed. */
  run(job: Job): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#closed) return reject(closedError());
      this.#queue.push({ job, resolve, reject });
      this.#pump();
    });
  }

  /** Closes the socket; pending jobs reject with `closed`. May be called twice. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#dropLink();
    const pending = [...(this.#running ? [this.#running] : []), ...this.#queue.splice(0)];
    this.#running = undefined;
    for (const { reject } of pending) reject(closedError());
  }

  #open(): Link {
    // Events of a replaced link must not affect a request on the new one.
    const current = (): boolean => link === this.#link;
    const events: LinkEvents = {
      datagram: (bytes, truncated) => {
        if (current()) this.#arrived(bytes, truncated);
      },
      failed: (error) => {
        if (current()) this.#fail(error);
      },
    };
    const link = this.#transport.open(this.#protocol, events);
    this.#immediate = link.receiveNow !== undefined;
    return link;
  }

  #dropLink(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#link?.close();
    this.#link = undefined;
  }

  /** Sends and receives until nothing is left to do, or until it would have to wait. */
  #pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    try {
      const sliceEnd = performance.now() + SLICE_MS;
      while (this.#advance()) {
        if (this.#transferred < BYTES_PER_CLOCK_READ) continue;
        this.#transferred = 0;
        if (performance.now() <= sliceEnd) continue;
        this.#later(() => this.#pump());
        return;
      }
    } catch (cause) {
      this.#fail(cause);
    } finally {
      this.#pumping = false;
    }
  }

  #later(go: () => void): void {
    if (this.#restMs === 0) setImmediate(go);
    else setTimeout(go, this.#restMs);
  }

  /** Sends once and reads the replies that have arrived. Returns false if nothing more can be done now. */
  #advance(): boolean {
    const running = this.#running ?? this.#dequeue();
    if (!running || running.outgoing) return false;
    this.#link ??= this.#open();
    const link = this.#link;

    running.outgoing = running.job.next(this.#seq, link.window);
    running.interrupted = false;
    if (!running.outgoing) {
      this.#running = undefined;
      running.resolve();
      return true;
    }
    this.#seq = running.outgoing.last + 1;
    link.send(running.outgoing.bytes);
    this.#transferred += ROUND_TRIP_BYTES + running.outgoing.bytes.length;
    // Without yielding: the package's own receiver would otherwise read too, with smaller buffers, possibly out of order.
    while (running.outgoing) {
      const length = link.receiveNow?.(this.#into) ?? 0;
      if (length === 0) {
        this.#wait();
        return false;
      }
      this.#transferred += length;
      if (!this.#answers(running, length)) continue;
      if (length === RECEIVE_BYTES) throw cutOff();
      eachMessage(this.#received, length, this.#accept);
    }
    return true;
  }

  #dequeue(): Running | undefined {
    const queued = this.#queue.shift();
    if (!queued) return undefined;
    this.#seq = randomInt(1, MAX_FIRST_SEQ);
    this.#running = { ...queued, firstSeq: this.#seq, outgoing: undefined, dumps: 0, interrupted: false };
    return this.#running;
  }

  #arrived(bytes: Uint8Array, truncated: boolean): void {
    const running = this.#running;
    if (!running?.outgoing) return; // The request is settled already.
    try {
      this.#into.set(bytes.subarray(0, RECEIVE_BYTES));
      if (!this.#answers(running, bytes.length)) return;
      if (truncated || bytes.length >= RECEIVE_BYTES) throw cutOff();
      eachMessage(this.#received, bytes.length, this.#accept);
    } catch (cause) {
      this.#fail(cause);
    }
    if (running.outgoing) {
      this.#timer?.refresh();
      return;
    }
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#pump();
  }

  /** Whether the datagram just received answers a message of the running job, going by its sequence number. */
  #answers({ firstSeq, outgoing }: Running, length: number): boolean {
    const seq = firstSeqOf(this.#received, length);
    return seq !== undefined && outgoing !== undefined && seq >= firstSeq && seq <= outgoing.last;
  }

  /** Passes a message to the running job, and settles the send if the message answers the last one sent. */
  readonly #accept = (message: Message): void => {
    const running = this.#running;
    if (!running?.outgoing || message.seq < running.firstSeq || message.seq > running.outgoing.last) return;
    this.#take(running, running.outgoing, message);
  };

  #take(running: Running, outgoing: Outgoing, message: Message): void {
    const { type, seq } = message;
    if (seq >= outgoing.first && (message.flags & NLM_F.DUMP_INTR) !== 0 && type !== NLMSG.ERROR) {
      running.interrupted = true;
    }
    if (type === NLMSG.ERROR || type === NLMSG.DONE) {
      const errno = errnoOf(message);
      if (errno !== 0) running.job.failed(seq, errno, extendedAck(message));
      if (seq === outgoing.last) this.#settle(running);
    } else if (type === NLMSG.OVERRUN) {
      throw new IpvsError('rejected', 'netlink socket: replies were lost');
    } else if (type >= NLMSG.MIN_TYPE && seq >= outgoing.first) {
      running.job.data(message);
    }
  }

  /** Called when everything sent is answered. A disturbed dump is requested again, with a new sequence number. */
  #settle(running: Running): void {
    running.outgoing = undefined;
    if (!running.interrupted) {
      running.dumps = 0;
      return;
    }
    running.interrupted = false;
    running.dumps += 1;
    running.job.restart();
    if (running.dumps >= MAX_DUMPS) {
      throw new IpvsError('interrupted', `dump was interrupted ${MAX_DUMPS} times by other writers`);
    }
  }

  #wait(): void {
    const timer = setTimeout(() => {
      // The event loop may have been blocked past the timeout: process replies that have already arrived first.
      setImmediate(() => {
        if (this.#timer === timer)
          this.#fail(new IpvsError('timeout', `no reply within ${this.#timeoutMs} ms`));
      });
    }, this.#timeoutMs);
    this.#timer = timer;
  }

  /** Fails the running job, replaces the socket and continues with the next job. */
  #fail(cause: unknown): void {
    const running = this.#running;
    this.#running = undefined;
    this.#dropLink();
    running?.reject(cause);
    if (this.#queue.length > 0) setImmediate(() => this.#pump());
  }
}

function cutOff(): IpvsError {
  return new IpvsError('malformed-reply', 'reply was cut off');
}

function closedError(): IpvsError {
  return new IpvsError('closed', 'netlink socket: closed');
}
