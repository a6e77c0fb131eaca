import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { hasCode } from '../errors.ts';
import type { Clock } from '../ports.ts';
import { replaceFile } from './atomic-file.ts';
import { openTrusted } from './trusted-file.ts';

/** The file is not a journal of this version. */
export class NotAJournal extends Error {}
/** The journal belongs to another owner than expected. */
export class ForeignJournal extends Error {}

/** A row to save; without a value, the row is removed. */
export type JournalRow = readonly [key: string, value?: unknown];

/** Called for each row of a save with the reason why it is left out; null if it is saved. */
export type RowSaved = (key: string, leftOut: string | null) => void;

export interface JournalState {
  readonly rows: ReadonlyMap<string, unknown>;
  /** Time of the last save, in milliseconds since the epoch; 0 if none was completed. */
  readonly savedAt: number;
  /** Number of lines that could not be used. */
  readonly damaged: number;
}

const VERSION = 2;
/** Maximum length of a line, far above the largest app that a source accepts. A longer line is damage when read, and is never written. */
const MAX_LINE_BYTES = 64 * 2 ** 20;
/** Larger changes rewrite the file, which is done in chunks: one string of them could exceed the maximum length of a string. */
const MAX_APPENDED_CHARS = MAX_LINE_BYTES;
/** How much a journal may always grow before it is rewritten, however small it was. */
const SMALL_BYTES = 65_536;
/** O_NONBLOCK: if a pipe has taken its place, opening it must not block. */
const APPEND = constants.O_WRONLY | constants.O_APPEND | constants.O_NOFOLLOW | constants.O_NONBLOCK;
/** The file is missing, or replaced by a link, a directory, a socket or a pipe without a reader. */
const REPLACED_ERRORS = ['ENOENT', 'ELOOP', 'EISDIR', 'ENXIO'] as const;

/**
 * Rows of JSON by key, in a file that is appended to, so that the cost of a save depends on what changed rather than on all rows.
 *
 * A line is the CRC-32 of its JSON in eight hexadecimal digits, a space, and the JSON: first a header, then `["put", KEY,
 * VALUE]`, `["remove", KEY]` and, at the end of each save, `["saved", TIME]`. The file is rewritten (atomically, by a rename)
 * once it would be more than about twice as long as after the last rewrite, and if it is not known to be intact.
 *
 * A crash loses at most the save in progress: a truncated last line is dropped. Any other line whose checksum or content is
 * wrong is counted as damaged, and the others are used. One save at a time.
 *
 * A row whose line would be too long is left out as if it were removed, so that the others can be saved.
 */
export class Journal {
  readonly #path: string;
  readonly #of: string;
  readonly #clock: Pick<Clock, 'epoch'>;
  readonly #saved: RowSaved;
  /** Size of the file in bytes; null if it must be rewritten. */
  #size: number | null = null;
  /** Size of the file when it was loaded or last rewritten. */
  #base = 0;

  /** `of`: owner of the rows, stored in the header; a load of another owner's journal rejects. `saved`: called for each row of a save. */
  constructor(path: string, of: string, clock: Pick<Clock, 'epoch'>, saved: RowSaved = () => undefined) {
    this.#path = path;
    this.#of = of;
    this.#clock = clock;
    this.#saved = saved;
  }

  /**
   * Resolves with the rows for which `isValid` is true (others count as damaged), or null if the file does not exist. Rejects
   * with a `NotAJournal`, a `ForeignJournal`, an `UntrustedFile` or `IrregularFile` as `openTrusted` does, or the system's error.
   */
  async load(isValid: (key: string, value: unknown) => boolean): Promise<JournalState | null> {
    this.#size = null;
    const file = await openTrusted(this.#path);
    if (file === null) return null;
    try {
      return await this.#read(file, isValid);
    } finally {
      await file.close();
    }
  }

  /**
   * Saves changes. `all` returns every row including the changes; it is called if the file must be rewritten, as it is if
   * `changes` is null. Rejects with the system's error; the file then has the rows that it had before.
   */
  async save(changes: Iterable<JournalRow> | null, all: () => Iterable<JournalRow>): Promise<void> {
    const text = changes === null || this.#size === null ? null : this.#formatChanges(changes);
    if (text === '') return;
    if (text === null || !(await this.#append(`${text}${this.#savedLine()}`))) await this.#rewrite(all());
  }

  /** Formats changes; null if they are too long to append. */
  #formatChanges(changes: Iterable<JournalRow>): string | null {
    const texts: string[] = [];
    let length = 0;
    for (const row of changes) {
      const text = this.#formatRow(row);
      length += text.length;
      if (length > MAX_APPENDED_CHARS) return null;
      texts.push(text);
    }
    return texts.join('');
  }

  /** Formats a row; a row that would be too long is formatted as removed. */
  #formatRow([key, value]: JournalRow): string {
    if (value === undefined) return formatLine(['remove', key]);
    const text = formatBounded(['put', key, value]);
    this.#saved(key, text === null ? `its line would be longer than ${MAX_LINE_BYTES} bytes` : null);
    return text ?? formatLine(['remove', key]);
  }

  async #rewrite(rows: Iterable<JournalRow>): Promise<void> {
    let bytes = 0;
    const counted = (text: string) => {
      bytes += Buffer.byteLength(text);
      return text;
    };
    const [header, saved] = [formatLine({ version: VERSION, of: this.#of }), this.#savedLine()];
    const formatRow = (row: JournalRow) => this.#formatRow(row);
    function* lines(): Generator<string> {
      yield counted(header);
      for (const row of rows) yield counted(formatRow(row));
      yield counted(saved);
    }
    await replaceFile(this.#path, lines());
    this.#base = this.#size = bytes;
  }

  /** Resolves with false if the file must be rewritten instead. */
  async #append(text: string): Promise<boolean> {
    const size = this.#size ?? 0;
    const bytes = Buffer.byteLength(text);
    if (size + bytes > 2 * this.#base + SMALL_BYTES) return false;
    const file = await this.#openUnchanged(size);
    if (file === null) return false;
    try {
      await file.writeFile(text);
      await file.datasync();
      this.#size = size + bytes;
    } catch (error) {
      // A partial line would make the next one unreadable.
      this.#size = await file.truncate(size).then(
        () => size,
        () => null,
      );
      throw error;
    } finally {
      await file.close();
    }
    return true;
  }

  /** Opens the file for appending; null if it was removed, replaced or changed by someone else. */
  async #openUnchanged(size: number): Promise<FileHandle | null> {
    let file: FileHandle;
    try {
      file = await open(this.#path, APPEND);
    } catch (error) {
      if (REPLACED_ERRORS.some((code) => hasCode(error, code))) return null;
      throw error;
    }
    const status = await file.stat();
    if (status.isFile() && status.size === size) return file;
    await file.close();
    return null;
  }

  #savedLine(): string {
    return formatLine(['saved', this.#clock.epoch()]);
  }

  async #read(file: FileHandle, isValid: (key: string, value: unknown) => boolean): Promise<JournalState> {
    const rows = new Map<string, unknown>();
    let [size, damaged, savedAt] = [0, 0, 0];
    let isWhole = true;
    for await (const { bytes, end } of linesOf(file)) {
      const value = end ? parseLine(bytes) : undefined;
      if (size === 0) this.#checkHeader(value);
      else if (!end) isWhole = false;
      else if (isRow(value, 'put') && isValid(value[1], value[2])) rows.set(value[1], value[2]);
      else if (isRow(value, 'remove')) rows.delete(value[1]);
      else if (isSaved(value)) savedAt = value[1];
      else damaged += 1;
      size += bytes.length + 1;
    }
    if (size === 0) this.#checkHeader(undefined);
    this.#base = size;
    this.#size = isWhole && damaged === 0 ? size : null;
    return { rows, savedAt, damaged };
  }

  #checkHeader(value: unknown): void {
    const { version, of } = (value ?? {}) as { version?: unknown; of?: unknown };
    if (version !== VERSION) throw new NotAJournal(`it is not a journal of version ${VERSION}`);
    if (of !== this.#of) throw new ForeignJournal(`it is the journal of ${String(of)}, not of ${this.#of}`);
  }
}

/** Formats a line; null if it is too long to be read again, or for a string. */
function formatBounded(value: unknown): string | null {
  try {
    const text = formatLine(value);
    return Buffer.byteLength(text) <= MAX_LINE_BYTES ? text : null;
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

function formatLine(value: unknown): string {
  const json = JSON.stringify(value);
  return `${crc32(json).toString(16).padStart(8, '0')} ${json}\n`;
}

/** Returns the value of a line; undefined if its checksum or JSON is wrong. */
function parseLine(bytes: Buffer): unknown {
  const json = bytes.subarray(9);
  if (Number.parseInt(bytes.toString('latin1', 0, 8), 16) !== crc32(json)) return undefined;
  try {
    return JSON.parse(json.toString('utf8'));
  } catch {
    return undefined;
  }
}

function isRow(value: unknown, op: 'put' | 'remove'): value is [string, string, unknown] {
  return Array.isArray(value) && value[0] === op && typeof value[1] === 'string';
}

function isSaved(value: unknown): value is ['saved', number] {
  return Array.isArray(value) && value[0] === 'saved' && typeof value[1] === 'number';
}

/** Splits a file into lines. `end`: whether the line ends with a newline rather than with the file. A line that is too long is truncated. */
async function* linesOf(file: FileHandle): AsyncGenerator<{ readonly bytes: Buffer; readonly end: boolean }> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const chunk of file.createReadStream({ autoClose: false, highWaterMark: 2 ** 18 })) {
    let rest: Buffer = chunk;
    for (let at = rest.indexOf(10); at >= 0; at = rest.indexOf(10)) {
      yield { bytes: Buffer.concat([...parts, rest.subarray(0, at)]), end: true };
      rest = rest.subarray(at + 1);
      parts.length = length = 0;
    }
    length += rest.length;
    // The checksum shows that a line is truncated.
    if (length <= MAX_LINE_BYTES && rest.length > 0) parts.push(rest);
  }
  if (length > 0) yield { bytes: Buffer.concat(parts), end: false };
}
