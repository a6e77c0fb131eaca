import type { Encoder } from './encoder.ts';
import { IpvsError, isIpvsError } from './errors.ts';
import { changeError, describe } from './explain.ts';
import type { Job, Outgoing } from './job.ts';
import type { NetlinkSocket } from './netlink-socket.ts';
import type { Change } from './types.ts';

/** A change of a batch that was not made, or of which that is not known. */
export interface ChangeFailure {
  /** Its place in the batch. */
  readonly index: number;
  readonly change: Change;
  readonly error: IpvsError;
}

/**
 * Makes changes in their order, many in each send, and resolves with those that failed, in the same order.
 *
 * Only the last message of a send asks for an acknowledgement; the kernel reports failures unasked and goes on with the
 * next message. When a reply is lost, the changes without an answer fail with the reason and the rest is not sent.
 */
export async function applyBatch(
  socket: NetlinkSocket,
  encoder: Encoder,
  changes: readonly Change[],
): Promise<readonly ChangeFailure[]> {
  const job = new BatchJob(encoder, changes);
  try {
    await socket.run(job);
  } catch (cause) {
    if (!isIpvsError(cause) || cause.code === 'closed') throw cause;
    job.giveUp(cause);
  }
  return job.failures.sort((a, b) => a.index - b.index);
}

class BatchJob implements Job {
  readonly failures: ChangeFailure[] = [];
  readonly #encoder: Encoder;
  readonly #changes: readonly Change[];
  /** Index in `changes` for each message sent, counted from the first sequence number. */
  readonly #sent: number[] = [];
  #firstSeq = 0;
  /** The next change to encode. */
  #index = 0;
  /** Messages before this one are answered. */
  #answered = 0;

  constructor(encoder: Encoder, changes: readonly Change[]) {
    this.#encoder = encoder;
    this.#changes = changes;
  }

  next(first: number, window: number): Outgoing | undefined {
    if (this.#sent.length === 0) this.#firstSeq = first;
    this.#answered = this.#sent.length;
    let seq = first;
    for (; this.#index < this.#changes.length && seq - first < window; this.#index++) {
      const change = this.#changes[this.#index];
      if (!change) continue;
      try {
        if (!this.#encoder.change(change, seq)) break;
        this.#sent.push(this.#index);
        seq++;
      } catch (cause) {
        // Refused before it gets to the kernel.
        if (!isIpvsError(cause)) throw cause;
        const message = `${describe(change)}: ${cause.message}`;
        this.#fail(this.#index, () => new IpvsError(cause.code, message, { op: change.op, cause }));
      }
    }
    return seq === first ? undefined : { bytes: this.#encoder.take(), first, last: seq - 1 };
  }

  data(): void {
    // No change is answered with data.
  }

  restart(): void {
    // No change is a dump.
  }

  failed(seq: number, errno: number, words: string | undefined): void {
    const index = this.#sent[seq - this.#firstSeq];
    if (index === undefined) return;
    this.#fail(index, (change) => changeError(change, errno, words));
  }

  /** Fails every change whose outcome is not known, and those that were not sent. */
  giveUp(cause: IpvsError): void {
    const because = (fate: string) => (change: Change) =>
      new IpvsError(cause.code, `${describe(change)}: ${fate}: ${cause.message}`, {
        ...details(cause),
        op: change.op,
      });
    const known = new Set(this.failures.map(({ index }) => index));
    for (const index of this.#sent.slice(this.#answered)) {
      if (!known.has(index)) this.#fail(index, because('outcome unknown'));
    }
    for (let index = this.#index; index < this.#changes.length; index++)
      this.#fail(index, because('not sent'));
  }

  #fail(index: number, error: (change: Change) => IpvsError): void {
    const change = this.#changes[index];
    if (change) this.failures.push({ index, change, error: error(change) });
  }
}

function details(cause: IpvsError) {
  return { errno: cause.errno, cause };
}
