import { ProtocolError } from '../stream.ts';

const NEWLINE = 0x0a;
/** Digits of a length; the largest is far above every limit. */
const MAX_HEADER_DIGITS = 20;

/**
 * Splits a RecordIO stream into records, however it is divided into chunks: `<bytes in decimal>\n<that many bytes>`, over
 * and over (Mesos 3rdparty/stout/include/stout/recordio.hpp).
 */
export class RecordDecoder {
  readonly #maxBytes: number;
  /** Digits of the length so far; null while a record's bytes are gathered. */
  #header: string | null = '';
  #left = 0;
  /** The record so far where it spans chunks. */
  #begun: Buffer | null = null;

  /** `maxBytes`: limit for one record, which is kept in memory until it is complete. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Whether the bytes so far end within a record. */
  get midRecord(): boolean {
    return this.#header !== '';
  }

  /**
   * Yields the records that this chunk completes. A record within one chunk is a view of it. Throws a `ProtocolError`
   * for a length that is not a number, or above the limit.
   */
  *feed(chunk: Uint8Array): Generator<Buffer> {
    for (let at = 0; at < chunk.length; ) {
      if (this.#header !== null) at = this.#readHeader(this.#header, chunk, at);
      if (this.#header !== null || at === chunk.length) continue;

      const end = Math.min(at + this.#left, chunk.length);
      const record = this.#gather(chunk.subarray(at, end));
      at = end;
      if (record !== null) yield record;
    }
  }

  #readHeader(before: string, chunk: Uint8Array, from: number): number {
    const newline = chunk.indexOf(NEWLINE, from);
    const end = newline < 0 ? chunk.length : newline;
    // Cut before it becomes text: another protocol may send megabytes without a newline.
    const digits = chunk.subarray(from, Math.min(end, from + MAX_HEADER_DIGITS + 1));
    const header = before + Buffer.from(digits).toString('latin1');
    if (!/^\d{0,20}$/.test(header) || (newline >= 0 && header === '')) {
      throw new ProtocolError(`expected the length of a record in bytes, got ${JSON.stringify(header)}`);
    }
    this.#header = header;
    if (newline < 0) return end;

    const length = Number(header);
    if (length > this.#maxBytes) {
      throw new ProtocolError(`a record has ${length} bytes, and the limit is ${this.#maxBytes}`);
    }
    // An empty record has no event; Mesos sends none.
    this.#header = length === 0 ? '' : null;
    this.#left = length;
    return newline + 1;
  }

  /** The record when this part completes it, else null. */
  #gather(part: Uint8Array): Buffer | null {
    let record: Buffer;
    if (this.#begun === null && part.length === this.#left) {
      record = Buffer.from(part.buffer, part.byteOffset, part.byteLength);
    } else {
      // Allocated at once, which costs memory only as it fills: joining the parts of a large record at its end would
      // block for long, and take twice the memory.
      this.#begun ??= Buffer.allocUnsafeSlow(this.#left);
      record = this.#begun;
      record.set(part, record.length - this.#left);
    }
    this.#left -= part.length;
    if (this.#left > 0) return null;
    this.#begun = null;
    this.#header = '';
    return record;
  }
}
