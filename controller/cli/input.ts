import { text } from 'node:stream/consumers';
import { usage } from '../config/given.ts';

/**
 * All of standard input. Rejects with a `ControllerError` 'usage' on a terminal, where the command would seem to hang, and where
 * there is nothing: Node takes a directory, and a closed descriptor, for an empty input.
 */
export async function readInput(): Promise<string> {
  const expected = 'expected a JSON file, or JSON on standard input';
  if (process.stdin.isTTY === true) throw usage(`the definition is missing, ${expected}`);
  const input = await text(process.stdin);
  if (input === '') throw usage(`standard input is empty, ${expected}`);
  return input;
}
