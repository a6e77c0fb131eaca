import type { Encoder } from './encoder.ts';
import { IpvsError, isIpvsError } from './errors.ts';
import { changeError, describe } from './explain.ts';
import type { Job, Outgoing } from './job.ts';
import type { NetlinkSocket } from './netlink-socket.ts';
import type { Change } from './types.ts';

/** A change of a batch that failed, or whose outcome is unknown. */
export interface ChangeFailure {
  /** Index in the batch. */
  readonly index: number;
  readonly change: Change;
  readonly error: IpvsError;
}

/**
 * Makes changes in order, many in each send, and resolves with those that failed, in the same order.
 *
 * Only the last message of a send requests an acknowledgement; the kernel reports errors in any case and continues with
 * the next message. If a reply is lost, the unanswered changes fail with the reason and the rest is not sent.
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
  /** For each message sent, from the first sequence number on, the index of its change. */
  readonly #sent: Uint32Array;
  #sentCount = 0;
  #firstSeq = 0;
  /** Index of the next change to encode. */
  #index = 0;
  /** All messages before this one are answered. */
  #answered = 0;

  constructor(encoder: Encoder, changes: readonly Change[]) {
    this.#encoder = encoder;
    this.#changes = changes;
    this.#sent = new Uint32Array(changes.length);
  }

  next(first: number, window: number): Outgoing | undefined {
    if (this.#sentCount === 0) this.#firstSeq = first;
    this.#answered = this.#sentCount;
    let seq = first;
    for (; this.#index < this.#changes.length && seq - first < window; this.#index++) {
      const change = this.#changes[this.#index];
      if (!change) continue;
      try {
        if (!this.#encoder.change(change, seq)) break;
        this.#sent[this.#sentCount++] = this.#index;
        seq++;
      } catch (cause) {
        this.#refuse(change, cause);
      }
    }
    return seq === first ? undefined : { bytes: this.#encoder.take(), first, last: seq - 1 };
  }

  data(): void {
    // The kernel never answers a change with data.
  }

  restart(): void {
    // A change is never a dump.
  }

  failed(seq: number, errno: number, kernelMessage: string | undefined): void {
    const index = this.#sent[seq - this.#firstSeq];
    if (index === undefined) return;
    this.#fail(index, (change) => changeError(change, errno, kernelMessage));
  }

  /** Fails all changes whose outcome is unknown and all that were not sent. */
  giveUp(cause: IpvsError): void {
    const because = (fate: string) => (change: Change) =>
      new IpvsError(cause.code, `${describe(change)}: ${fate}: ${cause.message}`, {
        ...details(cause),
        op: change.op,
      });
    const known = new Set(this.failures.map(({ index }) => index));
    for (const index of this.#sent.subarray(this.#answered, this.#sentCount)) {
      if (!known.has(index)) this.#fail(index, because('outcome unknown'));
    }
    for (let index = this.#index; index < this.#changes.length; index++)
      this.#fail(index, because('not sent'));
  }

  /** Fails the next change, which the encoder rejected. */
  #refuse({ op }: Change, cause: unknown): void {
    if (!isIpvsError(cause)) throw cause;
    const error = (change: Change) =>
      new IpvsError(cause.code, `${describe(change)}: ${cause.message}`, { op, cause });
    this.#fail(this.#index, error);
  }

  #fail(index: number, error: (change: Change) => IpvsError): void {
    const change = this.#changes[index];
    if (change) this.failures.push({ index, change, error: error(change) });
  }
}

function details(cause: IpvsError) {
  return { errno: cause.errno, cause };
}
