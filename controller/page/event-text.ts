/** Server-sent events out of the text that carries them. */

/**
 * Makes the function that takes the text as it comes, in pieces of whatever size, and tells each event when it is whole.
 * Lines end as our server ends them.
 */
export function createEventReader(heard: (event: string, data: string) => void): (text: string) => void {
  let rest = '';
  let event = '';
  let data: string[] = [];

  function take(line: string): void {
    if (line === '') {
      if (data.length > 0) heard(event === '' ? 'message' : event, data.join('\n'));
      event = '';
      data = [];
      return;
    }
    // A line without a name before its colon is a comment.
    const [, field, value = ''] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? [];
    if (field === 'event') event = value;
    else if (field === 'data') data.push(value);
  }

  return (text) => {
    rest += text;
    // Data may be megabytes in many pieces: it is looked through when a line of it has ended.
    if (!text.includes('\n')) return;
    const lines = rest.split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) take(line);
  };
}
