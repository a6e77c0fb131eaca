/** What pages tell people to type, by the heading above it. */

import { marked } from 'marked';
import { readPage } from '../../docs/site/page.ts';
import { repository } from '../../docs/site/repository.ts';

export interface Typed {
  /** One line for a shell. */
  readonly line: string;
  /** What the page shows as its answer; null where it shows none. */
  readonly answer: string | null;
}

/** The commands of the blocks (`sh`, `console`) below that heading, in their order; null: those before the first section. */
export function typedUnder(path: string, heading: string | null): Typed[] {
  const { tokens, headings } = readPage(path, repository.textOf(path));
  let here: string | null = null;
  const typed: Typed[] = [];
  marked.walkTokens([...tokens], (token) => {
    const found = headings.get(token);
    if (found !== undefined && found.depth > 1) here = found.text;
    if (token.type !== 'code' || here !== heading) return;
    if (token.lang === 'sh')
      typed.push(...token.text.split('\n').map((line: string) => ({ line, answer: null })));
    if (token.lang === 'console') typed.push(...answered(token.text));
  });
  if (typed.length === 0) throw new Error(`${path} has no command below "${heading ?? 'its title'}"`);
  return typed;
}

/** The first file that a page shows below that heading: a block of code in no language. */
export function fileUnder(path: string, heading: string): string {
  const { tokens, headings } = readPage(path, repository.textOf(path));
  let here: string | null = null;
  const files: string[] = [];
  marked.walkTokens([...tokens], (token) => {
    const found = headings.get(token);
    if (found !== undefined && found.depth > 1) here = found.text;
    if (token.type === 'code' && here === heading && !token.lang) files.push(token.text);
  });
  const [first] = files;
  if (first === undefined) throw new Error(`${path} shows no file below "${heading}"`);
  return `${first}\n`;
}

function answered(block: string): Typed[] {
  return block
    .split(/^\$ /m)
    .filter(Boolean)
    .map((part) => {
      const end = part.indexOf('\n');
      return end < 0 ? { line: part, answer: '' } : { line: part.slice(0, end), answer: part.slice(end + 1) };
    });
}
