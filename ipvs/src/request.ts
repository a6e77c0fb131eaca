import { codeOfErrno, errnoName, IpvsError } from './errors.ts';
import type { Job, Outgoing } from './job.ts';
import { type Message, message } from './message.ts';
import type { NetlinkSocket } from './netlink-socket.ts';
import { NLM_F } from './uapi.ts';

/** How the kernel answered a request: its replies, and the error if there was one. */
export interface Answer<T> {
  readonly replies: T[];
  readonly errno: number;
  /** The kernel's own words, where it gave any. */
  readonly words: string | undefined;
}

/** One request, asked until it is answered undisturbed. */
class RequestJob<T> implements Job {
  replies: T[] = [];
  errno = 0;
  words: string | undefined;
  readonly #type: number;
  readonly #flags: number;
  readonly #payload: Uint8Array;
  readonly #read: (message: Message) => T;
  #asked = false;

  constructor(type: number, flags: number, payload: Uint8Array, read: (message: Message) => T) {
    this.#read = read;
    this.#type = type;
    // A dump is closed by its DONE, anything else by the acknowledgement.
    this.#flags = flags | NLM_F.REQUEST | ((flags & NLM_F.DUMP) === NLM_F.DUMP ? 0 : NLM_F.ACK);
    this.#payload = payload;
  }

  next(seq: number): Outgoing | undefined {
    if (this.#asked) return undefined;
    this.#asked = true;
    return { bytes: message(this.#type, this.#flags, seq, this.#payload), first: seq, last: seq };
  }

  data(message: Message): void {
    this.replies.push(this.#read(message));
  }

  failed(_seq: number, errno: number, words: string | undefined): void {
    this.errno = errno;
    this.words = words;
  }

  restart(): void {
    this.#asked = false;
    this.replies = [];
  }
}

/**
 * Asks and gives the answer as it is, errors of the kernel included. Rejects only when there is no answer.
 *
 * `read` makes of each reply what is to be kept, at once: the message's memory is used again.
 */
export async function ask<T>(
  socket: NetlinkSocket,
  type: number,
  flags: number,
  payload: Uint8Array,
  read: (message: Message) => T,
): Promise<Answer<T>> {
  const job = new RequestJob(type, flags, payload, read);
  await socket.run(job);
  return job;
}

/** An error of the kernel as a sentence: what was tried, why it failed in the kernel's words, and the number's name. */
export function kernelError(what: string, errno: number, words: string | undefined): IpvsError {
  const name = errnoName(errno);
  return new IpvsError(codeOfErrno(errno), words ? `${what}: ${words} (${name})` : `${what}: ${name}`, {
    errno,
  });
}
