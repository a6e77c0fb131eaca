import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { ControllerError, messageOf } from '../errors.ts';
import type { Clock, IpvsTable, Reachability, StepFailure } from '../ports.ts';
import { type Answer, type CallName, type Calls, fromSent } from './calls.ts';

/** A helper that has not answered for so long never will. */
const ANSWER_MS = 60_000;

interface Waiting {
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** The two ends of a helper's pipe, and how it is ended. */
export interface HelperPipe {
  readonly input: Writable;
  readonly output: Readable;
  /** Must not throw. */
  kill(): void;
}

/**
 * The IPVS table and the reachability of another network namespace, through the helper that is in it.
 *
 * Once the helper has ended, or failed to answer, every call rejects with a `ControllerError` that says why; what it was
 * doing then may be done or not, and is to be read anew through another helper.
 */
export class RemoteNamespace {
  readonly #pipe: HelperPipe;
  readonly #clock: Pick<Clock, 'sleep'>;
  readonly #waiting = new Map<number, Waiting>();
  #next = 0;
  #failure: ControllerError | null = null;
  readonly #ended = Promise.withResolvers<string>();
  /** Resolves with why, once the helper has ended or is to end. */
  readonly ended: Promise<string> = this.#ended.promise;

  constructor(pipe: HelperPipe, clock: Pick<Clock, 'sleep'>) {
    this.#pipe = pipe;
    this.#clock = clock;
    const lines = createInterface({ input: pipe.output, crlfDelay: Number.POSITIVE_INFINITY });
    lines.on('line', (line) => this.#take(line));
    // A helper that ends while it is written to: why it ended is told by `end`.
    pipe.input.on('error', () => undefined);
    pipe.output.on('error', () => undefined);
  }

  /** The helper has ended, or is to end. What waits for it rejects. The first reason counts. */
  end(reason: string): void {
    if (this.#failure !== null) return;
    this.#failure = new ControllerError('kernel', reason);
    this.#pipe.kill();
    this.#ended.resolve(reason);
    for (const { reject } of this.#waiting.values()) reject(this.#failure);
    this.#waiting.clear();
  }

  readonly table: IpvsTable = {
    observe: async (only) => fromSent(await this.#ask('observe', only === undefined ? null : [...only])),
    observeInBackground: async (keep) => fromSent(await this.#ask('observeInBackground', null), keep),
    apply: async (steps) => {
      if (steps.length === 0) return [];
      const failures = await this.#ask('apply', steps);
      return failures.flatMap(({ step: at, error, why }): StepFailure[] => {
        const step = steps[at];
        if (step === undefined) return [];
        return [{ step, error: new ControllerError('kernel', error), ...(why !== undefined && { why }) }];
      });
    },
    close: () => this.end('closed'),
  };

  readonly reachability: Reachability = {
    ensure: (addresses) => this.#ask('ensure', addresses),
    repair: () => this.#ask('repair', null),
    exists: () => this.#ask('exists', null),
    remove: () => this.#ask('remove', null),
    close: () => this.end('closed'),
  };

  async #ask<Name extends CallName>(call: Name, given: Calls[Name]['given']): Promise<Calls[Name]['answer']> {
    if (this.#failure !== null) throw this.#failure;
    const id = this.#next++;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    this.#waiting.set(id, { resolve, reject });
    const enough = new AbortController();
    void this.#clock.sleep(ANSWER_MS, enough.signal).then(() => {
      if (!enough.signal.aborted) this.end(`its helper has not answered for ${ANSWER_MS / 1_000} s`);
    });
    this.#pipe.input.write(`${JSON.stringify({ id, call, given })}\n`);
    try {
      return (await promise) as Calls[Name]['answer'];
    } finally {
      enough.abort(null);
    }
  }

  #take(line: string): void {
    try {
      const answer = JSON.parse(line) as Answer;
      const waiting = this.#waiting.get(answer.id);
      this.#waiting.delete(answer.id);
      if ('error' in answer)
        waiting?.reject(new ControllerError('kernel', answer.error, { retry: answer.retry }));
      else waiting?.resolve(answer.answer);
    } catch (error) {
      this.end(`its helper does not speak as expected: ${messageOf(error)}`);
    }
  }
}
