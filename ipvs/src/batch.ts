import type { Encoder } from './encoder.ts';
import { type IpvsError, isIpvsError } from './errors.ts';
import { changeOperation, inContext, kernelError } from './explain.ts';
import type { Exchange, Turn } from './job.ts';
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
  const batch = new Batch(encoder, changes);
  try {
    await socket.run((turn) => batch.exchanges(turn));
  } catch (cause) {
    if (!isIpvsError(cause) || cause.code === 'closed') throw cause;
    batch.giveUp(cause);
  }
  return batch.failures();
}

class Batch {
  /** By index in the batch. */
  readonly #failures = new Map<number, ChangeFailure>();
  readonly #encoder: Encoder;
  readonly #changes: readonly Change[];
  /** For each message sent, in order, the index of its change. */
  readonly #sent: Uint32Array;
  #sentCount = 0;
  /** All messages before this one are answered. */
  #answered = 0;
  /** Index of the next change to encode. */
  #index = 0;

  constructor(encoder: Encoder, changes: readonly Change[]) {
    this.#encoder = encoder;
    this.#changes = changes;
    this.#sent = new Uint32Array(changes.length);
  }

  *exchanges(turn: Turn): Generator<Exchange, void, void> {
    const firstSeq = turn.seq;
    const failed = (seq: number, errno: number): void => {
      const index = this.#sent[seq - firstSeq];
      if (index !== undefined) this.#fail(index, (change) => kernelError(changeOperation(change), errno));
    };
    while (this.#encode(turn)) {
      yield { bytes: this.#encoder.take(), last: firstSeq + this.#sentCount - 1, failed };
      this.#answered = this.#sentCount;
    }
  }

  /** Encodes the changes of the next exchange. Returns false if none is left. */
  #encode({ seq: first, window }: Turn): boolean {
    let seq = first;
    for (; this.#index < this.#changes.length && seq - first < window; this.#index++) {
      const change = this.#changes[this.#index];
      if (!change) continue;
      try {
        if (!this.#encoder.change(change, seq)) break;
        this.#sent[this.#sentCount++] = this.#index;
        seq++;
      } catch (cause) {
        if (!isIpvsError(cause)) throw cause;
        this.#fail(this.#index, (refused) => inContext(changeOperation(refused), cause));
      }
    }
    return seq > first;
  }

  /** Fails all changes whose outcome is unknown and all that were not sent. */
  giveUp(cause: IpvsError): void {
    const because = (fate: string) => (change: Change) => {
      const { op, what } = changeOperation(change);
      return inContext({ op, what: `${what}: ${fate}` }, cause);
    };
    for (const index of this.#sent.subarray(this.#answered, this.#sentCount))
      this.#fail(index, because('outcome unknown'));
    for (let index = this.#index; index < this.#changes.length; index++)
      this.#fail(index, because('not sent'));
  }

  /** All failures, in the order of the changes. */
  failures(): readonly ChangeFailure[] {
    return [...this.#failures.values()].sort((a, b) => a.index - b.index);
  }

  /** Fails a change, unless it has failed already. */
  #fail(index: number, error: (change: Change) => IpvsError): void {
    const change = this.#changes[index];
    if (change && !this.#failures.has(index))
      this.#failures.set(index, { index, change, error: error(change) });
  }
}
