import { tooManyValues } from '../input/bounds.ts';
import { hasMoreValues } from '../input/value-count.ts';
import { inTurns } from '../pace.ts';

/**
 * Parses a stream of newline-delimited JSON. Throws a `SyntaxError` for a malformed line, and a `RangeError` for a line longer
 * than `longest` bytes or of more values than one object may have. Drops a last line without a newline, since it is incomplete.
 */
export async function* jsonLines(
  chunks: AsyncIterable<Uint8Array>,
  longest: number,
): AsyncGenerator<unknown, void, undefined> {
  let begun: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of chunks) {
    let from = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, from)) {
      const bytes = Buffer.concat([...begun, chunk.subarray(from, end)]);
      if (await inTurns(hasMoreValues(bytes))) throw new RangeError(`a line ${tooManyValues()}`);
      const line = bytes.toString('utf8');
      begun = [];
      size = 0;
      from = end + 1;
      if (line.trim() !== '') yield JSON.parse(line);
    }
    if (from < chunk.length) begun.push(chunk.subarray(from));
    size += chunk.length - from;
    if (size > longest) throw new RangeError(`a line is longer than ${longest} bytes`);
  }
}

const NEWLINE = 0x0a;
