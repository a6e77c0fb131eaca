/** Up to here bytes are kept in the pieces in which they came. Copying them together at the end takes as much again. */
const PIECES_BYTES = 16 * 2 ** 20;

/**
 * Puts the pieces of one body together without holding a large one twice: pieces and their copy took 650 MB for 250 MiB.
 * A large body is written to its place at once, into memory that is reserved for all that is accepted; what is not written
 * the system does not provide either.
 */
export class Gathered {
  readonly #limit: number;
  #pieces: Uint8Array[] = [];
  #reserved: Buffer | null = null;
  #size = 0;

  /** `limit`: so many bytes are accepted. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Takes the next piece; false, and none of it, where there would be more than is accepted. */
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

  /** All of them, in one. */
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
