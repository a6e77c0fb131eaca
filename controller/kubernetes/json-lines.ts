/**
 * Parses a stream of JSON values, one a line, however the bytes are cut. Throws a `SyntaxError` at a line that is no
 * JSON, and a `RangeError` at one longer than `longest` bytes. A last line without an end is dropped: it is half of
 * a value whose rest never came.
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
      const line = Buffer.concat([...begun, chunk.subarray(from, end)]).toString('utf8');
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
