import { codeOfErrno, errnoName, IpvsError } from './errors.ts';
import type { Job, Outgoing } from './job.ts';
import { type Message, message } from './message.ts';
import type { NetlinkSocket } from './netlink-socket.ts';
import { NLM_F } from './uapi.ts';

/** The kernel's answer to a request: its replies, and the error number, which is 0 for success. */
export interface Answer<T> {
  readonly replies: T[];
  readonly errno: number;
  /** The kernel's error message, if it sent one. */
  readonly words: string | undefined;
}

/** A single request, repeated until no other writer disturbs the answer. */
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
    // A dump ends with NLMSG_DONE, any other answer with the acknowledgement.
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
 * Sends a request and resolves with the kernel's answer, which may be an error. Rejects only if there is no answer.
 *
 * @param read - Converts each reply immediately: its memory is reused afterwards.
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

/** Returns the error for a kernel error number: what was tried, the kernel's message if there is one, and the errno's name. */
export function kernelError(what: string, errno: number, words: string | undefined): IpvsError {
  const name = errnoName(errno);
  return new IpvsError(codeOfErrno(errno), words ? `${what}: ${words} (${name})` : `${what}: ${name}`, {
    errno,
  });
}
