import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { ControllerError, messageOf } from '../errors.ts';
import type { Clock, IpvsTable, Reachability, StepFailure } from '../ports.ts';
import { type Answer, type CallName, type Calls, fromWire } from './calls.ts';

/** A helper that does not answer within this time is stopped. */
const TIMEOUT_MS = 60_000;

interface Waiting {
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** The pipes of a helper process. */
export interface HelperPipe {
  readonly input: Writable;
  readonly output: Readable;
  /** Must not throw. */
  kill(): void;
}

/**
 * The IPVS table and the reachability of another network namespace, through a helper in it.
 *
 * Once the helper has ended or failed to answer, every call rejects with a `ControllerError` that says why. Calls in progress may
 * or may not have taken effect, so the state must be read again through another helper.
 */
export class RemoteNamespace {
  readonly #pipe: HelperPipe;
  readonly #clock: Pick<Clock, 'sleep'>;
  readonly #waiting = new Map<number, Waiting>();
  #next = 0;
  #failure: ControllerError | null = null;
  readonly #ended = Promise.withResolvers<string>();
  /** Resolves with the reason once the helper has ended or is being stopped. */
  readonly ended: Promise<string> = this.#ended.promise;

  constructor(pipe: HelperPipe, clock: Pick<Clock, 'sleep'>) {
    this.#pipe = pipe;
    this.#clock = clock;
    const lines = createInterface({ input: pipe.output, crlfDelay: Number.POSITIVE_INFINITY });
    lines.on('line', (line) => this.#take(line));
    // A write to a helper that has ended fails; `end` reports why it ended.
    pipe.input.on('error', () => undefined);
    pipe.output.on('error', () => undefined);
  }

  /** Stops the helper and rejects all calls in progress. Only the first reason counts. */
  end(reason: string): void {
    if (this.#failure !== null) return;
    this.#failure = new ControllerError('kernel', reason);
    this.#pipe.kill();
    this.#ended.resolve(reason);
    for (const { reject } of this.#waiting.values()) reject(this.#failure);
    this.#waiting.clear();
  }

  readonly table: IpvsTable = {
    observe: async (only) => fromWire(await this.#call('observe', only === undefined ? null : [...only])),
    observeInBackground: async (keep) => fromWire(await this.#call('observeInBackground', null), keep),
    apply: async (steps) => {
      if (steps.length === 0) return [];
      const failures = await this.#call('apply', steps);
      return failures.flatMap(({ step: at, error, why }): StepFailure[] => {
        const step = steps[at];
        if (step === undefined) return [];
        return [{ step, error: new ControllerError('kernel', error), ...(why !== undefined && { why }) }];
      });
    },
    close: () => this.end('closed'),
  };

  readonly reachability: Reachability = {
    ensure: (addresses) => this.#call('ensure', addresses),
    repair: () => this.#call('repair', null),
    exists: () => this.#call('exists', null),
    remove: () => this.#call('remove', null),
    close: () => this.end('closed'),
  };

  async #call<Name extends CallName>(call: Name, args: Calls[Name]['args']): Promise<Calls[Name]['answer']> {
    if (this.#failure !== null) throw this.#failure;
    const id = this.#next++;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    this.#waiting.set(id, { resolve, reject });
    const answered = new AbortController();
    void this.#clock.sleep(TIMEOUT_MS, answered.signal).then(() => {
      if (!answered.signal.aborted) this.end(`its helper has not answered for ${TIMEOUT_MS / 1_000} s`);
    });
    this.#pipe.input.write(`${JSON.stringify({ id, call, args })}\n`);
    try {
      return (await promise) as Calls[Name]['answer'];
    } finally {
      answered.abort(null);
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
      this.end(`its helper sent an invalid answer: ${messageOf(error)}`);
    }
  }
}
