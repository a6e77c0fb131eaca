/** The whole site as data: which files it has, and what is wrong with its links. */

import { type Frame, layout } from './layout.ts';
import { type Kind, type Places, targetOf } from './links.ts';
import { navigationOf } from './navigation.ts';
import { INDEX, type Page, readPage } from './page.ts';
import { render } from './render.ts';

/** The repository, read. Paths are from its root. */
export interface Repository {
  readonly kindOf: (path: string) => Kind;
  readonly textOf: (path: string) => string;
}

export interface Site {
  /** HTML by file name. */
  readonly pages: ReadonlyMap<string, string>;
  /** Files of the repository that go along, by their path there, as `files/PATH`. */
  readonly copied: ReadonlySet<string>;
  /** Links that lead nowhere. */
  readonly problems: readonly string[];
}

/** Makes a page of every Markdown file that the index names. */
export function makeSite(repository: Repository, version: string): Site {
  const problems: string[] = [];
  const copied = new Set<string>();

  const index = readPage(INDEX, repository.textOf(INDEX));
  const navigation = navigationOf(index);
  const pages = pagesOf(
    index,
    navigation.flatMap(({ entries }) => entries.map(({ path }) => path)),
    repository,
  );
  const places: Places = { pages, kindOf: repository.kindOf };

  const frame: Frame = {
    version,
    navigation: navigation.map(({ title, entries }) => ({
      title,
      links: entries.map(({ path, label }) => {
        const page = pages.get(path);
        return { label: label ?? page?.title ?? path, href: page?.output ?? `files/${path}` };
      }),
    })),
  };

  const made = new Map<string, string>();
  for (const page of pages.values()) {
    if (made.has(page.output)) problems.push(`${page.path}: another page is ${page.output} already`);
    const content = render(page, (href) => {
      const target = targetOf(page, href, places);
      if (typeof target === 'object' && 'problem' in target) {
        problems.push(`${page.path}: (${href}): ${target.problem}`);
      } else if (typeof target === 'object' && target.copied !== undefined) copied.add(target.copied);
      return target;
    });
    made.set(page.output, layout(page, content, frame));
  }
  return { pages: made, copied, problems };
}

function pagesOf(index: Page, paths: readonly string[], { kindOf, textOf }: Repository): Map<string, Page> {
  const pages = new Map([[index.path, index]]);
  for (const path of paths) {
    // One that is missing shows as a link that leads nowhere.
    if (!path.endsWith('.md') || kindOf(path) !== 'file') continue;
    pages.set(path, readPage(path, textOf(path)));
  }
  return pages;
}
