import { text } from 'node:stream/consumers';
import { usage } from '../../config/given.ts';

/**
 * Shows one line that replaces the one before; null clears it. Where nobody watches (`isTTY` is not set) each is a line
 * of its own, and one that says the same again is left out.
 */
export function progressLine(
  out: Pick<NodeJS.WriteStream, 'isTTY' | 'columns'> & { write(text: string): unknown },
): (line: string | null) => void {
  let shown = '';
  return (line) => {
    if ((line ?? '') === shown) return;
    if (out.isTTY === true) {
      const whole = line ?? '';
      out.write(`\r${whole.slice(0, (out.columns || UNKNOWN) - 1)}\u001b[K`);
    } else if (line !== null) {
      out.write(`${line}\n`);
    }
    shown = line ?? '';
  };
}

/** Of a terminal that does not tell its width. */
const UNKNOWN = 80;

/** All of standard input. Rejects with a `ControllerError` 'usage' where nobody would know that it is waited for. */
export async function readInput(): Promise<string> {
  if (process.stdin.isTTY === true) {
    throw usage('the definition is missing, expected a JSON file, or JSON on standard input');
  }
  return await text(process.stdin);
}
