import { buffer } from 'node:stream/consumers';
import { usage } from '../config/given.ts';

/**
 * All of standard input. Rejects with a `ControllerError` 'usage' on a terminal, where the command would seem to hang, and where
 * there is nothing: Node takes a directory, and a closed descriptor, for an empty input.
 */
export async function readInput(): Promise<Uint8Array> {
  const expected = 'expected a JSON file, or JSON on standard input';
  if (process.stdin.isTTY === true) throw usage(`the definition is missing, ${expected}`);
  const input = await buffer(process.stdin);
  if (input.length === 0) throw usage(`standard input is empty, ${expected}`);
  return input;
}
