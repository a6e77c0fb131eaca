/** A body up to this size is kept in pieces. Concatenating them at the end needs the same memory again. */
const PIECES_BYTES = 16 * 2 ** 20;

/**
 * Collects the pieces of a body without holding a large one twice: pieces and their copy took 650 MB for 250 MiB. A large
 * body is written into memory reserved for the whole limit; the system only provides the pages that are written.
 */
export class BodyBuffer {
  readonly #limit: number;
  #pieces: Uint8Array[] = [];
  #reserved: Buffer | null = null;
  #size = 0;

  /** `limit`: the largest size accepted, in bytes. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Appends a piece; returns false and appends nothing if the limit would be exceeded. */
  append(piece: Uint8Array): boolean {
    const from = this.#size;
    if (from + piece.length > this.#limit) return false;
    this.#size += piece.length;
    if (this.#reserved === null && this.#size <= PIECES_BYTES) {
      this.#pieces.push(piece);
      return true;
    }
    this.#reserved ??= this.#moved();
    this.#reserved.set(piece, from);
    return true;
  }

  /** All pieces in one buffer. */
  bytes(): Buffer {
    return this.#reserved?.subarray(0, this.#size) ?? Buffer.concat(this.#pieces, this.#size);
  }

  #moved(): Buffer {
    const reserved = Buffer.allocUnsafeSlow(this.#limit);
    let at = 0;
    for (const piece of this.#pieces) {
      reserved.set(piece, at);
      at += piece.length;
    }
    this.#pieces = [];
    return reserved;
  }
}
