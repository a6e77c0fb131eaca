/** What a test can make go wrong with the answers of the API. */

export type BadBody =
  /** Half of the JSON, as a complete HTTP answer. */
  | 'truncated'
  /** Half of the announced bytes, then the connection ends. */
  | 'cut'
  | 'empty'
  | 'not-json'
  /** `{}`: valid, and without anything that was asked for. */
  | 'empty-object';

/** What is to happen to one request. */
export interface Fault {
  readonly status?: number;
  readonly body?: BadBody;
}

interface Queued extends Fault {
  left: number;
  readonly path: string;
}

export class HttpFaults {
  /** How long every answer is held back. */
  delayMs = 0;
  #queue: Queued[] = [];

  /** The next `count` requests below `path` get this status, with a message as Marathon gives it. */
  fail(count: number, status = 503, path = '/'): void {
    this.#queue.push({ left: count, status, path });
  }

  /** The next `count` requests below `path` get a damaged body. */
  damage(count: number, body: BadBody, path = '/'): void {
    this.#queue.push({ left: count, body, path });
  }

  clear(): void {
    this.#queue = [];
    this.delayMs = 0;
  }

  take(path: string): Fault {
    const fault = this.#queue.find((queued) => path.startsWith(queued.path));
    if (!fault) return {};
    fault.left--;
    this.#queue = this.#queue.filter(({ left }) => left > 0);
    return fault;
  }
}

/** The bytes to send in place of `body`. */
export function damaged(body: Buffer, how: BadBody): Buffer {
  switch (how) {
    case 'truncated':
    case 'cut':
      return body.subarray(0, Math.floor(body.length / 2));
    case 'empty':
      return Buffer.alloc(0);
    case 'not-json':
      return Buffer.from('<html><body>502 Bad Gateway</body></html>');
    case 'empty-object':
      return Buffer.from('{}');
  }
}
