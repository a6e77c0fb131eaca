/** A page of the documentation: one Markdown file, read. */

import { marked, type Token, type Tokens } from 'marked';

export interface Heading {
  readonly depth: number;
  /** As GitHub makes it, so a link that works there works here. */
  readonly id: string;
  readonly text: string;
}

export interface Page {
  /** From the root of the repository: `docs/dns.md`. */
  readonly path: string;
  /** Its file among the pages that VitePress reads: `dns.md`. */
  readonly name: string;
  /** Its first heading. */
  readonly title: string;
  readonly tokens: readonly Token[];
  readonly headings: ReadonlyMap<Token, Heading>;
}

/** The page whose list of pages is also the navigation. */
export const INDEX = 'docs/README.md';

export function readPage(path: string, text: string): Page {
  const tokens = marked.lexer(text);
  const headings = headingsOf(tokens);
  const title = headings.values().find(({ depth }) => depth === 1)?.text ?? path;
  return { path, name: nameOf(path), title, tokens, headings };
}

/**
 * `docs/dns.md` is `dns.md`, `ipvs/README.md` is `ipvs.md`, `SECURITY.md` is `project-security.md`: all pages of the site lie in one
 * folder.
 */
function nameOf(path: string): string {
  if (path === INDEX) return 'index.md';
  const name = (path.includes('/') ? path : `project-${path}`)
    .replace(/^docs\//, '')
    .replace(/\/README\.md$/, '')
    .replace(/\.md$/, '');
  return `${name.replaceAll('/', '-').toLowerCase()}.md`;
}

function headingsOf(tokens: readonly Token[]): Map<Token, Heading> {
  const headings = new Map<Token, Heading>();
  const taken = new Map<string, number>();
  marked.walkTokens([...tokens], (token) => {
    if (token.type !== 'heading') return;
    const heading = token as Tokens.Heading;
    const text = plain(heading.tokens);
    const slug = slugOf(text);
    const before = taken.get(slug) ?? 0;
    taken.set(slug, before + 1);
    headings.set(token, { depth: heading.depth, id: before === 0 ? slug : `${slug}-${before}`, text });
  });
  return headings;
}

/** The anchor of a heading with this text, as GitHub makes it. */
export function slugOf(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\p{M}_ -]/gu, '')
    .replaceAll(' ', '-');
}

/** The words without their marks. */
export function plain(tokens: readonly Token[]): string {
  return tokens
    .map((token) =>
      'tokens' in token && token.tokens ? plain(token.tokens) : 'text' in token ? token.text : '',
    )
    .join('');
}
