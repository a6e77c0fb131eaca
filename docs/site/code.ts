/** What is told apart in blocks of code: lines of a diff, what is typed and what is answered, comments. */

import { escaped } from './escape.ts';

const DIFF: Readonly<Record<string, string>> = { '+': 'added', '-': 'removed', '~': 'changed' };

/** The text as HTML. */
export function coloured(text: string, language: string): string {
  const line = LINES[language];
  return line === undefined ? escaped(text) : text.split('\n').map(line).join('\n');
}

const LINES: Readonly<Record<string, (line: string) => string>> = {
  diff: (line) => marked(DIFF[line.trimStart().charAt(0)], line),
  console: (line) => (line.startsWith('$ ') ? marked('typed', line) : escaped(line)),
  sh: commented,
  yaml: commented,
};

function commented(line: string): string {
  const [, code = line, comment = ''] = /^(.*?(?:^|\s))(#\s.*)$/.exec(line) ?? [];
  return `${escaped(code)}${comment === '' ? '' : marked('comment', comment)}`;
}

function marked(name: string | undefined, text: string): string {
  return name === undefined ? escaped(text) : `<span class="${name}">${escaped(text)}</span>`;
}
