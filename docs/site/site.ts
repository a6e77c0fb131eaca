/** The whole site as data: which pages it has, where their links lead, and what is wrong with them. */

import { marked, type Tokens } from 'marked';
import { type Kind, type Places, type Target, targetOf } from './links.ts';
import { navigationOf } from './navigation.ts';
import { INDEX, type Page, readPage } from './page.ts';

/** The repository, read. Paths are from its root. */
export interface Repository {
  readonly kindOf: (path: string) => Kind;
  readonly textOf: (path: string) => string;
}

export interface Site {
  /** By name: `dns.md`. */
  readonly pages: ReadonlyMap<string, Page>;
  readonly navigation: readonly NavigationGroup[];
  /** Files of the repository that go along, by their path there, as `files/PATH`. */
  readonly copied: ReadonlySet<string>;
  /** Links that lead nowhere. */
  readonly problems: readonly string[];
  /** Where a link or picture of a page leads. */
  readonly targetOf: (page: Page, href: string) => Target;
}

export interface NavigationGroup {
  readonly title: string;
  readonly links: readonly { readonly label: string; readonly href: string }[];
}

/** Reads every Markdown file that the index names, and follows each link in them. */
export function readSite({ kindOf, textOf }: Repository): Site {
  const index = readPage(INDEX, textOf(INDEX));
  const groups = navigationOf(index);
  const paths = [INDEX, ...groups.flatMap(({ entries }) => entries.map(({ path }) => path))];
  // One that is missing shows as a link that leads nowhere.
  const found = [...new Set(paths)].filter((path) => path.endsWith('.md') && kindOf(path) === 'file');
  const byPath = new Map(found.map((path) => [path, readPage(path, textOf(path))]));

  const places: Places = { pages: byPath, kindOf };
  const problems: string[] = [];
  const copied = new Set<string>();
  const pages = new Map<string, Page>();
  for (const page of byPath.values()) {
    if (pages.has(page.name)) problems.push(`${page.path}: another page is ${page.name} already`);
    pages.set(page.name, page);
    for (const href of linksOf(page)) {
      const target = targetOf(page, href, places);
      if (typeof target === 'string') continue;
      if ('problem' in target) problems.push(`${page.path}: (${href}): ${target.problem}`);
      else if (target.copied !== undefined) copied.add(target.copied);
    }
  }

  const navigation = groups.map(({ title, entries }) => ({
    title,
    links: entries.map(({ path, label }) => {
      const page = byPath.get(path);
      const href = page === undefined ? `/files/${path}` : `/${page.name.replace(/(^index)?\.md$/, '')}`;
      return { label: label ?? page?.title ?? path, href };
    }),
  }));
  return { pages, navigation, copied, problems, targetOf: (page, href) => targetOf(page, href, places) };
}

function linksOf({ tokens }: Page): readonly string[] {
  const found: string[] = [];
  marked.walkTokens([...tokens], (token) => {
    if (token.type === 'link' || token.type === 'image') found.push((token as Tokens.Link).href);
  });
  return found;
}
