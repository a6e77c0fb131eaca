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
  readonly kernelMessage: string | undefined;
}

/** A single request, repeated until no other writer disturbs the answer. */
class RequestJob<T> implements Job {
  replies: T[] = [];
  errno = 0;
  kernelMessage: string | undefined;
  readonly #type: number;
  readonly #flags: number;
  readonly #payload: Uint8Array;
  readonly #read: (message: Message) => T;
  #isSent = false;

  constructor(type: number, flags: number, payload: Uint8Array, read: (message: Message) => T) {
    this.#read = read;
    this.#type = type;
    // A dump ends with NLMSG_DONE, any other answer with the acknowledgement.
    this.#flags = flags | NLM_F.REQUEST | ((flags & NLM_F.DUMP) === NLM_F.DUMP ? 0 : NLM_F.ACK);
    this.#payload = payload;
  }

  next(seq: number): Outgoing | undefined {
    if (this.#isSent) return undefined;
    this.#isSent = true;
    return { bytes: message(this.#type, this.#flags, seq, this.#payload), first: seq, last: seq };
  }

  data(message: Message): void {
    this.replies.push(this.#read(message));
  }

  failed(_seq: number, errno: number, kernelMessage: string | undefined): void {
    this.errno = errno;
    this.kernelMessage = kernelMessage;
  }

  restart(): void {
    this.#isSent = false;
    this.replies = [];
  }
}

/**
 * Sends a request and resolves with the kernel's answer, which may be an error. Rejects only if there is no answer.
 *
 * @param read - Converts each reply immediately: its memory is reused afterwards.
 */
export async function sendRequest<T>(
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
export function kernelError(what: string, errno: number, kernelMessage: string | undefined): IpvsError {
  const name = errnoName(errno);
  return new IpvsError(
    codeOfErrno(errno),
    kernelMessage ? `${what}: ${kernelMessage} (${name})` : `${what}: ${name}`,
    {
      errno,
    },
  );
}
