import { close, constants, fstat, open, read, type Stats } from 'node:fs';
import { Socket } from 'node:net';
import { addAbortSignal } from 'node:stream';
import { promisify } from 'node:util';
import { hasCode } from '../errors.ts';
import { fileKind } from './file-kind.ts';

/** The path leads to something that cannot be read as a file. The message says what it is. */
export class IrregularFile extends Error {
  override readonly name = 'IrregularFile';
}

/** What may be read, and how much of it. */
export interface ReadOptions {
  readonly maxBytes: number;
  /** Whether it may be a pipe or a device, which a user named on purpose: `file=<(…)`, `file=/dev/stdin`. */
  readonly mayBePipe: boolean;
}

/** O_NONBLOCK: opening a pipe without a writer would block a thread for good, which would also keep the process from ending. */
const READ = constants.O_RDONLY | constants.O_NONBLOCK;
/** Size of the first read for a file that does not report its length, as files below /proc do not. */
const FIRST_BYTES = 65_536;

/**
 * Reads a file. Resolves with null if it has more than `maxBytes` bytes; it never reads more than one byte beyond that, whatever
 * size the file reports.
 *
 * Rejects with an `IrregularFile` if it is not a file, with the system's error if it cannot be read, and with the reason of
 * `signal` when that aborts. A pipe without a writer is waited for until then.
 */
export async function readWithin(
  path: string,
  { maxBytes, mayBePipe }: ReadOptions,
  signal: AbortSignal,
): Promise<Buffer | null> {
  const fd = await openNonBlocking(path);
  let isClosedByPipe = false;
  try {
    const status = await promisify(fstat)(fd);
    const isUsable = status.isFile() || (mayBePipe && !status.isDirectory());
    if (!isUsable) throw new IrregularFile(`expected a regular file, got ${fileKind(status)}`);
    if (!status.isFIFO()) return await readAll(fd, status, maxBytes, signal);
    isClosedByPipe = true;
    return await readPipe(fd, maxBytes, signal);
  } finally {
    if (!isClosedByPipe) await promisify(close)(fd);
  }
}

async function openNonBlocking(path: string): Promise<number> {
  try {
    return await promisify(open)(path, READ);
  } catch (error) {
    if (hasCode(error, 'ENXIO')) throw new IrregularFile('expected a regular file, got a socket or a device');
    throw error;
  }
}

async function readAll(
  fd: number,
  { size }: Stats,
  maxBytes: number,
  signal: AbortSignal,
): Promise<Buffer | null> {
  let buffer = Buffer.allocUnsafeSlow(Math.min(Math.max(size + 1, FIRST_BYTES), maxBytes + 1));
  for (let used = 0; ; ) {
    signal.throwIfAborted();
    const { bytesRead } = await promisify(read)(fd, buffer, used, buffer.length - used, null);
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
 * Reads a pipe in the event loop, so that waiting for the writer occupies no thread, and closes it. `fd` must be the first
 * descriptor opened on the pipe: the kernel reports the end only to a reader that was there before the last writer closed it
 * (`fifo_open` in fs/pipe.c).
 */
async function readPipe(fd: number, maxBytes: number, signal: AbortSignal): Promise<Buffer | null> {
  const pipe = new Socket({ fd, readable: true, writable: false });
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
