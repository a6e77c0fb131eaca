import { addAbortSignal } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { usage } from '../config/option-text.ts';

/**
 * Reads all of standard input. Rejects with a `ControllerError` 'usage' on a terminal, where the command would seem to hang,
 * and for empty input: Node reads a directory or a closed descriptor as empty. Rejects when `stop` aborts.
 */
export async function readInput(stop: AbortSignal): Promise<Uint8Array> {
  const expected = 'expected a JSON file, or JSON on standard input';
  if (process.stdin.isTTY === true) throw usage(`the definition is missing, ${expected}`);
  const input = await buffer(addAbortSignal(stop, process.stdin));
  if (input.length === 0) throw usage(`standard input is empty, ${expected}`);
  return input;
}
