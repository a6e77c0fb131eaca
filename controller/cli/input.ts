import { addAbortSignal } from 'node:stream';
import { usage } from '../config/option-text.ts';
import { systemReason } from '../errors.ts';
import { readWithin } from '../input/bounded-read.ts';

/** Far more than any definition that Marathon (8 MiB by default) or Kubernetes (3 MiB) accepts. */
const MAX_MIB = 64;
const MAX_BYTES = MAX_MIB * 2 ** 20;

/**
 * Reads all of standard input. Rejects with a `ControllerError` 'usage' on a terminal, where the command would seem to hang,
 * for more than 64 MiB, and for empty input: Node reads a directory or a closed descriptor as empty. Rejects when `stop`
 * aborts.
 */
export async function readInput(stop: AbortSignal): Promise<Uint8Array> {
  const expected = 'expected a JSON file, or JSON on standard input';
  if (process.stdin.isTTY === true) throw usage(`the definition is missing, ${expected}`);
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of addAbortSignal(stop, process.stdin) as AsyncIterable<Buffer>) {
    parts.push(part);
    length += part.length;
    if (length > MAX_BYTES) throw tooLarge('standard input');
  }
  if (length === 0) throw usage(`standard input is empty, ${expected}`);
  return Buffer.concat(parts, length);
}

/**
 * Reads a file, or a pipe to its end. Rejects with a `ControllerError` 'usage' if it cannot be read or has more than 64 MiB.
 * Rejects when `stop` aborts.
 */
export async function readInputFile(path: string, stop: AbortSignal): Promise<Uint8Array> {
  const bytes = await readWithin(path, { maxBytes: MAX_BYTES, mayBePipe: true }, stop).catch((cause) => {
    stop.throwIfAborted();
    throw usage(`${path} cannot be read: ${systemReason(cause)}`);
  });
  if (bytes === null) throw tooLarge(path);
  return bytes;
}

function tooLarge(where: string): Error {
  return usage(`${where} has more than ${MAX_MIB} MiB, expected the JSON of one app`);
}
