import { randomInt } from 'node:crypto';
import { viewOf } from './codec.ts';
import { IpvsError } from './errors.ts';
import type { Job, Outgoing } from './job.ts';
import { eachMessage, errnoOf, extendedAck, firstSeqOf, type Message } from './message.ts';
import type { Link, LinkEvents, Transport } from './transport.ts';
import { NLM_F, NLMSG } from './uapi.ts';

export interface NetlinkSocketOptions {
  /**
   * How long to wait for each reply, in milliseconds.
   * @defaultValue 5000
   */
  readonly timeoutMs?: number | undefined;
  /**
   * How long a long job rests after each of its turns of a few milliseconds, in milliseconds. With 0 it goes on as soon as
   * the event loop has had its turn; with more it takes longer, and leaves the processor to others meanwhile.
   * @defaultValue 0
   */
  readonly restMs?: number | undefined;
}

const DEFAULT_TIMEOUT_MS = 5_000;

/**
 * Room for what is received at once. Dumps are packed for the reader's buffer, up to 32 KiB (netlink_recvmsg caps
 * max_recvmsg_len), and single replies take a page, so nothing that IPVS sends fills it. What does was cut off.
 */
const RECEIVE_BYTES = 65_536;

/** A dump that other writers disturb this often is given up. */
const MAX_DUMPS = 8;

/** The longest time without letting the event loop run. */
const SLICE_MS = 3;

/**
 * Bytes sent and received between looks at the clock, and what a send with its replies counts besides. That is less than a
 * millisecond of work, large sends or small ones; where system calls are slow, a look costs as much as one of them.
 */
const BYTES_PER_LOOK = 65_536;
const BYTES_OF_ROUND_TRIP = 2_048;

/** Jobs begin below this number, and none is so long that it would pass the 32 bits. */
const MAX_FIRST_SEQ = 0x7000_0000;

interface Running {
  readonly job: Job;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
  /** First sequence number that this job used: failures reported late are still its own. */
  readonly firstSeq: number;
  outgoing: Outgoing | undefined;
  dumps: number;
  interrupted: boolean;
}

type Queued = Pick<Running, 'job' | 'resolve' | 'reject'>;

/**
 * Requests and replies over one socket, one job at a time: the kernel refuses a second dump beside a first one.
 *
 * Every process that may change the tables may also send datagrams to this socket, and reading through the descriptor
 * does not show who sent one. So each job begins at a random number, and a datagram whose first message has another
 * number is dropped unread: what was sent before the request cannot answer it.
 *
 * After a time-out or a malformed reply the socket is replaced, so what still comes for the abandoned request comes to
 * nobody.
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
  /** Bytes moved since the last look at the clock. */
  #moved = 0;
  #immediate = false;

  /** Opens the socket. Throws `IpvsError`. */
  constructor(transport: Transport, protocol: number, options: NetlinkSocketOptions = {}) {
    this.#transport = transport;
    this.#protocol = protocol;
    this.#timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    this.#restMs = options.restMs ?? 0;
    this.#link = this.#open();
  }

  /** Whether replies are read as soon as they are there, so that a second socket would gain nothing. */
  get immediate(): boolean {
    return this.#immediate;
  }

  /** Does a job after those already queued. Rejects when it cannot be finished. */
  run(job: Job): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#closed) return reject(closedError());
      this.#queue.push({ job, resolve, reject });
      this.#pump();
    });
  }

  /** Closes the socket and rejects what is pending with code `closed`. May be called twice. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#dropLink();
    const pending = [...(this.#running ? [this.#running] : []), ...this.#queue.splice(0)];
    this.#running = undefined;
    for (const { reject } of pending) reject(closedError());
  }

  #open(): Link {
    // An event of a link that was since replaced must not touch the request of its successor.
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

  /** Sends and receives until there is nothing to do, or nothing without waiting. */
  #pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    try {
      const sliceEnd = performance.now() + SLICE_MS;
      while (this.#advance()) {
        if (this.#moved < BYTES_PER_LOOK) continue;
        this.#moved = 0;
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

  /** One send with its replies, as far as they are there. False when there is nothing more to do now. */
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
    this.#moved += BYTES_OF_ROUND_TRIP + running.outgoing.bytes.length;
    while (running.outgoing) {
      const length = link.receiveNow?.(this.#into) ?? 0;
      if (length === 0) {
        this.#wait();
        return false;
      }
      this.#moved += length;
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
    if (!running?.outgoing) return; // Of a request that is settled already.
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

  /** Whether the datagram that was just received is the kernel's answer to something that the running job asked. */
  #answers({ firstSeq, outgoing }: Running, length: number): boolean {
    const seq = firstSeqOf(this.#received, length);
    return seq !== undefined && outgoing !== undefined && seq >= firstSeq && seq <= outgoing.last;
  }

  /** Hands a message to the running job and settles what was sent, where it answers the last of it. */
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

  /** All that was sent is answered. A disturbed dump is asked for again, under a new number. */
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
      // The loop may have been blocked past the time: let replies that are already there be seen first.
      setImmediate(() => {
        if (this.#timer === timer)
          this.#fail(new IpvsError('timeout', `no reply within ${this.#timeoutMs} ms`));
      });
    }, this.#timeoutMs);
    this.#timer = timer;
  }

  /** Gives the running job up, and the socket with it, and goes on with the next job. */
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
