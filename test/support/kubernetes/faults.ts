/** What goes wrong on purpose. */

export interface RequestInfo {
  readonly method: string;
  readonly path: string;
  readonly watch: boolean;
}

export interface Answer {
  readonly status: number;
  readonly body: string | object;
  readonly headers?: Readonly<Record<string, string>>;
}

interface Fault {
  readonly concerns: (request: RequestInfo) => boolean;
  readonly answer: Answer | 'hang up';
  left: number;
}

export class Faults {
  readonly #queue: Fault[] = [];
  /** Bytes a chunk of a watch; 0: one event is one chunk. */
  chunkBytes = 0;
  /** Watches say nothing any more, and do not end. */
  silent = false;

  /** The next `times` requests that this concerns are answered so. */
  next(concerns: Fault['concerns'], answer: Fault['answer'], times = 1): void {
    this.#queue.push({ concerns, answer, left: times });
  }

  /** What to answer this request instead; null: the truth. */
  take(request: RequestInfo): Fault['answer'] | null {
    const fault = this.#queue.find(({ concerns, left }) => left > 0 && concerns(request));
    if (fault === undefined) return null;
    fault.left -= 1;
    return fault.answer;
  }

  clear(): void {
    this.#queue.length = 0;
    this.silent = false;
    this.chunkBytes = 0;
  }
}
