/** The index of the documentation, which is also the navigation of the site. */

import { posix } from 'node:path';
import { marked, type Tokens } from 'marked';
import { type Page, plain } from './page.ts';

export interface Entry {
  /** From the root of the repository. */
  readonly path: string;
  /** What the index calls it, where that is more than the name of its file. */
  readonly label: string | null;
}

export interface Group {
  readonly title: string;
  readonly entries: readonly Entry[];
}

/** Its second-level headings, each with the files of this repository that stand below it. */
export function navigationOf(index: Page): readonly Group[] {
  const groups: { title: string; entries: Entry[] }[] = [];
  marked.walkTokens([...index.tokens], (token) => {
    const heading = index.headings.get(token);
    if (heading?.depth === 2) groups.push({ title: heading.text, entries: [] });
    if (token.type !== 'link') return;
    const { href, tokens } = token as Tokens.Link;
    if (/^[a-z]+:|^#/i.test(href)) return;
    const label = plain(tokens);
    const path = posix.join(posix.dirname(index.path), href);
    groups.at(-1)?.entries.push({ path, label: label.endsWith('.md') ? null : label });
  });
  return groups;
}
