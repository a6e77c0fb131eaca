import { close, constants, fstat, open, read, type Stats } from 'node:fs';
import { Socket } from 'node:net';
import { addAbortSignal } from 'node:stream';
import { promisify } from 'node:util';
import { hasCode } from '../../errors.ts';
import { fileKind } from '../../file-kind.ts';

/** What is at the path is no file that can be read; the message says what it is. */
export class IrregularFile extends Error {
  override readonly name = 'IrregularFile';
}

export interface ReadOptions {
  readonly maxBytes: number;
  /** Whether it may be a pipe or a device, which somebody named on purpose: `file=<(…)`, `file=/dev/stdin`. */
  readonly mayBePipe: boolean;
}

/** A pipe without a writer would be waited for by `open`, in a thread that nothing ends: not even the end of the process. */
const READ = constants.O_RDONLY | constants.O_NONBLOCK;
/** What is read first where a file does not say how long it is, as those below /proc do not. */
const FIRST_BYTES = 65_536;

/**
 * Reads what is at a path; null where that is more than `maxBytes`, of which no more than one byte is read, whatever the file
 * says of its size.
 *
 * Rejects with an `IrregularFile` where it is no file, with the system's error where it cannot be read, and with the reason of
 * `signal` when that aborts: a pipe that nobody writes to is waited for until then.
 */
export async function readWithin(
  path: string,
  { maxBytes, mayBePipe }: ReadOptions,
  signal: AbortSignal,
): Promise<Buffer | null> {
  const file = await openWithoutWaiting(path);
  let isOurs = true;
  try {
    const status = await promisify(fstat)(file);
    const isUsable = status.isFile() || (mayBePipe && !status.isDirectory());
    if (!isUsable) throw new IrregularFile(`expected a regular file, and this is ${fileKind(status)}`);
    if (!status.isFIFO()) return await readAll(file, status, maxBytes, signal);
    isOurs = false;
    return await readPipe(file, maxBytes, signal);
  } finally {
    if (isOurs) await promisify(close)(file);
  }
}

async function openWithoutWaiting(path: string): Promise<number> {
  try {
    return await promisify(open)(path, READ);
  } catch (error) {
    if (hasCode(error, 'ENXIO'))
      throw new IrregularFile('expected a regular file, and this is a socket or a device');
    throw error;
  }
}

async function readAll(
  file: number,
  { size }: Stats,
  maxBytes: number,
  signal: AbortSignal,
): Promise<Buffer | null> {
  let buffer = Buffer.allocUnsafeSlow(Math.min(Math.max(size + 1, FIRST_BYTES), maxBytes + 1));
  for (let used = 0; ; ) {
    signal.throwIfAborted();
    const { bytesRead } = await promisify(read)(file, buffer, used, buffer.length - used, null);
    if (bytesRead === 0) return buffer.subarray(0, used);
    used += bytesRead;
    if (used > maxBytes) return null;
    if (used === buffer.length) {
      const larger = Buffer.allocUnsafeSlow(Math.min(2 * used, maxBytes + 1));
      buffer.copy(larger, 0, 0, used);
      buffer = larger;
    }
  }
}

/**
 * Reads it by the event loop, and not in a thread, and closes it. It must not be opened a second time for this: if its
 * writer ends before that, the second reader never sees the end.
 */
async function readPipe(file: number, maxBytes: number, signal: AbortSignal): Promise<Buffer | null> {
  const pipe = new Socket({ fd: file, readable: true, writable: false });
  addAbortSignal(signal, pipe);
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of pipe as AsyncIterable<Buffer>) {
    parts.push(part);
    length += part.length;
    if (length > maxBytes) return null;
  }
  return Buffer.concat(parts, length);
}
