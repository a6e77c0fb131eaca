/** Parses JSON. Throws a `SyntaxError` with line and column for every mistake; V8 gives a position only for some. */
export function parseJson(text: string): unknown {
  const json = text.startsWith('\uFEFF') ? text.slice(1) : text;
  try {
    return JSON.parse(json);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    const before = json.slice(0, mistakeAt(json));
    const line = before.split('\n').length;
    const column = before.length - before.lastIndexOf('\n');
    // V8 appends its own position, or an excerpt of the text.
    const reason = error.message
      .replace(/(?: in JSON)? at position .*$/s, '')
      .replace(/, (\.\.\.)?".*is not valid JSON$/s, '');
    // No cause: its text is already in the message and would appear twice.
    throw new SyntaxError(`line ${line}, column ${column}: ${reason}`);
  }
}

/**
 * Finds the offset of the first mistake by binary search: a prefix that ends before the mistake fails only because it
 * is incomplete; a longer one fails for another reason.
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
