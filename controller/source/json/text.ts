/**
 * Parses JSON. Throws a `SyntaxError` whose message says line and column whatever the mistake is: V8 has
 * them for some mistakes only.
 */
export function parseJson(text: string): unknown {
  const json = text.startsWith('\uFEFF') ? text.slice(1) : text;
  try {
    return JSON.parse(json);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    const before = json.slice(0, mistakeAt(json));
    const line = before.split('\n').length;
    const column = before.length - before.lastIndexOf('\n');
    // What V8 adds to the sentence is its own position, or a piece of the text.
    const reason = error.message
      .replace(/ in JSON at position .*$/s, '')
      .replace(/, (\.\.\.)?".*is not valid JSON$/s, '');
    // Without the cause: its text is in the message already, and would appear twice.
    throw new SyntaxError(`line ${line}, column ${column}: ${reason}`);
  }
}

/**
 * The offset of the first mistake, found by halving: what stands before it, cut anywhere, only ends too
 * early; what contains it is wrong in another way.
 */
function mistakeAt(json: string): number {
  let whole = 0;
  let wrong = json.length;
  while (whole < wrong) {
    const middle = (whole + wrong + 1) >> 1;
    if (endsTooEarly(json.slice(0, middle))) whole = middle;
    else wrong = middle - 1;
  }
  return whole;
}

function endsTooEarly(prefix: string): boolean {
  try {
    JSON.parse(prefix);
    return true;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    const position = /at position (\d+)/.exec(error.message)?.[1];
    return position === undefined
      ? error.message.startsWith('Unexpected end')
      : Number(position) >= prefix.length;
  }
}
