import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { hasCode } from '../errors.ts';
import type { Clock } from '../ports.ts';
import { replaceFile } from './atomic-file.ts';
import { openTrusted } from './trusted-file.ts';

/** The file does not begin as a journal does. */
export class NoJournal extends Error {}
/** The journal is of another one than it was asked for. */
export class ForeignJournal extends Error {}

/** One row of a journal; without a value it is removed. */
export type JournalRow = readonly [key: string, value?: unknown];

/** Told of each row that is saved, with the reason where it is left out; null where it is not. */
export type RowSaved = (key: string, leftOut: string | null) => void;

export interface JournalState {
  readonly rows: ReadonlyMap<string, unknown>;
  /** When it was saved last, in milliseconds since the epoch. */
  readonly savedAt: number;
  /** Lines that could not be used. */
  readonly damaged: number;
}

const VERSION = 2;
/** A longer line is damage, and is not written: no app that a source takes comes near it. */
const LINE_BYTES = 64 * 2 ** 20;
/** What is more at once is written with the rest, in pieces, and not as one text: that could be too long for a text. */
const APPENDED_BYTES = LINE_BYTES;
/** Below this a journal is not worth rewriting. */
const SMALL_BYTES = 65_536;
/** A pipe in its place is not waited for. */
const APPEND = constants.O_WRONLY | constants.O_APPEND | constants.O_NOFOLLOW | constants.O_NONBLOCK;
/** It is gone, a link, a directory, or a pipe or a socket that nobody reads. */
const OTHERS = ['ENOENT', 'ELOOP', 'EISDIR', 'ENXIO'] as const;

/**
 * Rows of JSON by key, in a file that is appended to: to save costs what changed, and not what there is.
 *
 * A line is the CRC-32 of its JSON in eight hexadecimal digits, a space, and the JSON: first a header, then `["put", KEY,
 * VALUE]`, `["remove", KEY]` and, at the end of each save, `["saved", TIME]`. The file is written anew, beside the old one
 * and renamed over it, when it is more than twice as long as it was when that was last done, and wherever it is not known to be whole.
 *
 * A crash loses the save under way at most: a last line that is cut is dropped. Any other line that is not as it was
 * written is counted as damaged, and the rest used. One save at a time.
 *
 * A row whose line would be too long is left out, as if it were removed: it does not keep the others from being saved.
 */
export class Journal {
  readonly #path: string;
  readonly #of: string;
  readonly #clock: Pick<Clock, 'epoch'>;
  readonly #saved: RowSaved;
  /** Bytes in the file; null where it must be written anew. */
  #size: number | null = null;
  /** Bytes in it when it was loaded or written anew. */
  #base = 0;

  /** `of`: whose rows they are; a journal of another's counts as missing. `saved`: called for each row of a save. */
  constructor(path: string, of: string, clock: Pick<Clock, 'epoch'>, saved: RowSaved = () => undefined) {
    this.#path = path;
    this.#of = of;
    this.#clock = clock;
    this.#saved = saved;
  }

  /**
   * The rows for which `isValid` is true; null where there is no file. Rejects where it is no journal (`NoJournal`) or another
   * one's (`ForeignJournal`), where another user could have written it (`UntrustedFile`), where it is a pipe or a device
   * (`IrregularFile`), or with the system's error.
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
   * Saves what changed; `all` gives every row as it is with it, and is asked where the file is to be written anew. Without
   * `changes` it is. Rejects with the system's error; the file has then what it had.
   */
  async save(changes: Iterable<JournalRow> | null, all: () => Iterable<JournalRow>): Promise<void> {
    const text = changes === null || this.#size === null ? null : this.#textOf(changes);
    if (text === '') return;
    if (text === null || !(await this.#append(`${text}${this.#savedLine()}`))) await this.#rewrite(all());
  }

  /** null: it is too long to append. */
  #textOf(changes: Iterable<JournalRow>): string | null {
    const texts: string[] = [];
    let length = 0;
    for (const row of changes) {
      const text = this.#lineOf(row);
      length += text.length;
      if (length > APPENDED_BYTES) return null;
      texts.push(text);
    }
    return texts.join('');
  }

  /** The line of a row; of one that would be too long, that it is removed. */
  #lineOf([key, value]: JournalRow): string {
    if (value === undefined) return line(['remove', key]);
    const text = shortLine(['put', key, value]);
    this.#saved(key, text === null ? `its line would have more than ${LINE_BYTES} bytes` : null);
    return text ?? line(['remove', key]);
  }

  async #rewrite(rows: Iterable<JournalRow>): Promise<void> {
    let bytes = 0;
    const counted = (text: string) => {
      bytes += Buffer.byteLength(text);
      return text;
    };
    const [header, saved] = [line({ version: VERSION, of: this.#of }), this.#savedLine()];
    const lineOf = (row: JournalRow) => this.#lineOf(row);
    function* lines(): Generator<string> {
      yield counted(header);
      for (const row of rows) yield counted(lineOf(row));
      yield counted(saved);
    }
    await replaceFile(this.#path, lines());
    this.#base = this.#size = bytes;
  }

  /** False where the file is to be written anew instead. */
  async #append(text: string): Promise<boolean> {
    const size = this.#size ?? 0;
    const bytes = Buffer.byteLength(text);
    if (size + bytes > 2 * this.#base + SMALL_BYTES) return false;
    const file = await this.#openAsItWas(size);
    if (file === null) return false;
    try {
      await file.writeFile(text);
      await file.datasync();
      this.#size = size + bytes;
    } catch (error) {
      // Half a line would make the next one unreadable.
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

  /** null where someone removed or changed it. */
  async #openAsItWas(size: number): Promise<FileHandle | null> {
    let file: FileHandle;
    try {
      file = await open(this.#path, APPEND);
    } catch (error) {
      if (OTHERS.some((code) => hasCode(error, code))) return null;
      throw error;
    }
    const status = await file.stat();
    if (status.isFile() && status.size === size) return file;
    await file.close();
    return null;
  }

  #savedLine(): string {
    return line(['saved', this.#clock.epoch()]);
  }

  async #read(file: FileHandle, isValid: (key: string, value: unknown) => boolean): Promise<JournalState> {
    const rows = new Map<string, unknown>();
    let [size, damaged, savedAt] = [0, 0, 0];
    let isWhole = true;
    for await (const { bytes, end } of linesOf(file)) {
      const value = end ? checked(bytes) : undefined;
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
    if (version !== VERSION) throw new NoJournal(`it does not begin as a journal of version ${VERSION}`);
    if (of !== this.#of) throw new ForeignJournal(`it is the journal of ${String(of)}, not of ${this.#of}`);
  }
}

/** null where it is too long to be read again, or for a text. */
function shortLine(value: unknown): string | null {
  try {
    const text = line(value);
    return Buffer.byteLength(text) <= LINE_BYTES ? text : null;
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

function line(value: unknown): string {
  const json = JSON.stringify(value);
  return `${crc32(json).toString(16).padStart(8, '0')} ${json}\n`;
}

/** What a line says; undefined where it is not as it was written. */
function checked(bytes: Buffer): unknown {
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

/** `end`: whether the line ends with a newline, rather than with the file. Of one that is too long only the begin is given. */
async function* linesOf(file: FileHandle): AsyncGenerator<{ readonly bytes: Buffer; readonly end: boolean }> {
  const parts: Buffer[] = [];
  let held = 0;
  for await (const chunk of file.createReadStream({ autoClose: false, highWaterMark: 2 ** 18 })) {
    let rest: Buffer = chunk;
    for (let at = rest.indexOf(10); at >= 0; at = rest.indexOf(10)) {
      yield { bytes: Buffer.concat([...parts, rest.subarray(0, at)]), end: true };
      rest = rest.subarray(at + 1);
      parts.length = held = 0;
    }
    held += rest.length;
    // The checksum tells of what is not kept.
    if (held <= LINE_BYTES && rest.length > 0) parts.push(rest);
  }
  if (held > 0) yield { bytes: Buffer.concat(parts), end: false };
}
