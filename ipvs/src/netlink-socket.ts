import { randomInt } from 'node:crypto';
import { viewOf } from './codec.ts';
import { IpvsError } from './errors.ts';
import type { Exchange, Job, Turn } from './job.ts';
import { eachMessage, errnoOf, firstSeqOf, type Message } from './message.ts';
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

interface Queued {
  readonly job: Job;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** The job whose messages are sent and answered now. */
interface Running extends Pick<Queued, 'resolve' | 'reject'> {
  readonly exchanges: ReturnType<Job>;
  readonly turn: { -readonly [K in keyof Turn]: Turn[K] };
  /** The job's first sequence number: a failure that is reported late still belongs to it. */
  readonly firstSeq: number;
  /** The exchange that is not answered yet, and its first sequence number. */
  exchange: Exchange | undefined;
  first: number;
  /** Dumps in a row that other writers disturbed. */
  interruptions: number;
}

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
    if (!running || running.exchange) return false;
    this.#link ??= this.#open();
    const { turn } = running;

    turn.window = this.#link.window;
    const { value: exchange } = running.exchanges.next();
    if (!exchange) {
      this.#running = undefined;
      running.resolve();
      return true;
    }
    running.exchange = exchange;
    running.first = turn.seq;
    turn.seq = exchange.last + 1;
    turn.interrupted = false;
    this.#link.send(exchange.bytes);
    this.#transferred += ROUND_TRIP_BYTES + exchange.bytes.length;
    // Without yielding: the package's own receiver would otherwise read too, with smaller buffers, possibly out of order.
    while (running.exchange) {
      const length = this.#link.receiveNow?.(this.#into) ?? 0;
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
    const { job, resolve, reject } = queued;
    const firstSeq = randomInt(1, MAX_FIRST_SEQ);
    const turn = { seq: firstSeq, window: 1, interrupted: false };
    const unsent = { exchange: undefined, first: firstSeq, interruptions: 0 };
    this.#running = { exchanges: job(turn), turn, firstSeq, resolve, reject, ...unsent };
    return this.#running;
  }

  #arrived(bytes: Uint8Array, truncated: boolean): void {
    const running = this.#running;
    if (!running?.exchange) return; // The request is settled already.
    try {
      this.#into.set(bytes.subarray(0, RECEIVE_BYTES));
      if (!this.#answers(running, bytes.length)) return;
      if (truncated || bytes.length >= RECEIVE_BYTES) throw cutOff();
      eachMessage(this.#received, bytes.length, this.#accept);
    } catch (cause) {
      this.#fail(cause);
    }
    if (running.exchange) {
      this.#timer?.refresh();
      return;
    }
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#pump();
  }

  /** Whether the datagram just received answers a message of the running job, going by its sequence number. */
  #answers({ firstSeq, exchange }: Running, length: number): boolean {
    const seq = firstSeqOf(this.#received, length);
    return seq !== undefined && exchange !== undefined && seq >= firstSeq && seq <= exchange.last;
  }

  /** Passes a message to the running job, and settles the exchange if the message answers the last one sent. */
  readonly #accept = (message: Message): void => {
    const running = this.#running;
    const { type, flags, seq } = message;
    if (!running?.exchange || seq < running.firstSeq || seq > running.exchange.last) return;
    const { exchange, turn } = running;
    const isCurrent = seq >= running.first;
    if (isCurrent && (flags & NLM_F.DUMP_INTR) !== 0 && type !== NLMSG.ERROR) turn.interrupted = true;
    if (type === NLMSG.ERROR || type === NLMSG.DONE) {
      const errno = errnoOf(message);
      if (errno !== 0) exchange.failed(seq, errno);
      if (seq === exchange.last) settle(running);
    } else if (type === NLMSG.OVERRUN) {
      throw new IpvsError('rejected', 'netlink socket: replies were lost');
    } else if (type >= NLMSG.MIN_TYPE && isCurrent) {
      exchange.data?.(message);
    }
  };

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

/** Called when all messages of the exchange are answered. Throws `interrupted` if its job cannot get an undisturbed dump. */
function settle(running: Running): void {
  running.exchange = undefined;
  running.interruptions = running.turn.interrupted ? running.interruptions + 1 : 0;
  if (running.interruptions === MAX_DUMPS)
    throw new IpvsError('interrupted', `dump was interrupted ${MAX_DUMPS} times by other writers`);
}

function cutOff(): IpvsError {
  return new IpvsError('malformed-reply', 'reply was cut off');
}

function closedError(): IpvsError {
  return new IpvsError('closed', 'netlink socket: closed');
}
