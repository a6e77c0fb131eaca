/** A line of xxd, tcpdump -x (both with a colon) or hexdump -C (with two blanks): the offset, and the rest. */
const OFFSET_DUMP = /^\s*(?:0x)?([0-9a-f]{4,8})(?:: | {2})\s*(.*)$/i;
/** The last line of hexdump: how many bytes there were. */
const LAST_OFFSET = /^[0-9a-f]{7,8}\s*$/i;
/** An arrow for the direction, which may precede the hex digits. */
const ARROW = /^\s*[<>] /;

/** Limit, over all dumps of an input, for the bytes of omitted lines (`*`) that are filled in. */
const MAX_SQUEEZED = 8 * 1024 * 1024;

/** A line of a hex dump. */
export interface DumpLine {
  /** Hex digits with their separators; empty for a last line with only an offset. */
  readonly hex: string;
  /** Offset of the first byte, if the dump shows it. */
  readonly offset?: number;
}

/** Parses a line of a hex dump; undefined if it is not one. `dump`: the lines before it. */
export function dumpLine(row: string, dump: HexDump | undefined): DumpLine | undefined {
  if (dump?.hasOffsets && LAST_OFFSET.test(row)) return { hex: '', offset: Number.parseInt(row, 16) };
  const [, offset, rest] = OFFSET_DUMP.exec(row) ?? [];
  if (offset !== undefined && rest !== undefined) {
    // The bytes as text follow after a bar or two blanks.
    const [hex = ''] = rest.includes('|') ? rest.split('|', 1) : rest.split('  ', 1);
    return isHex(hex, BLANKS) ? { hex, offset: Number.parseInt(offset, 16) } : undefined;
  }
  const hex = row.replace(ARROW, '').replaceAll(/0x/gi, ' ');
  return isHex(hex, `${BLANKS}:,`) ? { hex } : undefined;
}

/** How many bytes of omitted lines may still be filled in. */
export interface Room {
  bytes: number;
}

/** Room for one input: shared by its dumps, so that many small ones cannot expand to gigabytes. */
export function roomForSqueezed(): Room {
  return { bytes: MAX_SQUEEZED };
}

/** A hex dump that is read line by line. */
export class HexDump {
  readonly #room: Room;
  readonly #lines: string[] = [];
  #size = 0;
  #isSqueezed = false;
  hasOffsets = false;

  constructor(room: Room) {
    this.#room = room;
  }

  get bytes(): Uint8Array {
    return Buffer.from(this.#lines.join(''), 'hex');
  }

  /** Records a `*`, which stands for lines with the same bytes as the line before. */
  squeeze(): void {
    this.#isSqueezed = true;
  }

  add({ hex, offset }: DumpLine): void {
    if (offset !== undefined) this.hasOffsets = true;
    if (this.#isSqueezed && offset !== undefined) this.#fill(offset - this.#size);
    this.#isSqueezed = false;
    const digits = hex.replaceAll(/[^0-9a-f]/gi, '');
    if (digits === '') return;
    this.#lines.push(digits);
    this.#size += digits.length / 2;
  }

  #fill(bytes: number): void {
    const last = this.#lines.at(-1);
    if (last === undefined || bytes <= 0 || bytes > this.#room.bytes) return;
    this.#room.bytes -= bytes;
    this.#lines.push(last.repeat(Math.ceil((bytes * 2) / last.length)).slice(0, bytes * 2));
    this.#size += bytes;
  }
}

const BLANKS = ' \t\r';
const HEX_DIGITS = '0123456789abcdefABCDEF';

/**
 * Whether a text consists of whole bytes in hex, in groups of any size. Not a regular expression: one with a repeated group
 * overflows the stack on a line of several megabytes.
 */
function isHex(text: string, separators: string): boolean {
  let bytes = 0;
  for (let at = 0; at < text.length; ) {
    if (separators.includes(text.charAt(at))) at++;
    else if (!HEX_DIGITS.includes(text[at] ?? ' ') || !HEX_DIGITS.includes(text[at + 1] ?? ' ')) return false;
    else {
      bytes++;
      at += 2;
    }
  }
  return bytes > 0;
}
