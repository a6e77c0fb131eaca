import { text } from 'node:stream/consumers';
import { usage } from '../config/given.ts';

/** All of standard input. Rejects with a `ControllerError` 'usage' on a terminal, where the command would seem to hang. */
export async function readInput(): Promise<string> {
  if (process.stdin.isTTY === true) {
    throw usage('the definition is missing, expected a JSON file, or JSON on standard input');
  }
  return await text(process.stdin);
}
