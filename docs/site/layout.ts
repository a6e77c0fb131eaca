/** The frame of every page. It runs no script and asks for nothing but its own stylesheet and pictures. */

import { escaped } from './escape.ts';
import type { Page } from './page.ts';

export interface NavigationLink {
  readonly label: string;
  readonly href: string;
}

export interface NavigationGroup {
  readonly title: string;
  readonly links: readonly NavigationLink[];
}

export interface Frame {
  readonly navigation: readonly NavigationGroup[];
  readonly version: string;
}

/** From how many sections on a page begins with a list of them. */
const CONTENTS_FROM = 4;

export function layout(page: Page, content: string, { navigation, version }: Frame): string {
  const index = page.output === 'index.html';
  // What the navigation shows already needs no list.
  const contents = index ? '' : contentsOf(page);
  // After the title, which is the first heading.
  const [, title = '', rest = content] = /^(<h1>.*?<\/h1>\n)(.*)$/s.exec(content) ?? [];
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escaped(index ? 'marathon-ipvs' : `${page.title} · marathon-ipvs`)}</title>
<link rel="stylesheet" href="style.css">
<link rel="icon" href="icon.svg">
</head>
<body>
<a class="skip" href="#content">Skip to content</a>
<header><a href="index.html">marathon-ipvs</a> <a class="all" href="#pages">All pages</a></header>
<nav id="pages" aria-label="Pages">
${navigation.map((group) => groupOf(page, group)).join('\n')}
</nav>
<main id="content">
${title}${contents}${rest}</main>
<footer>marathon-ipvs ${escaped(version)}, from <code>${escaped(page.path)}</code></footer>
</body>
</html>
`;
}

function groupOf(page: Page, { title, links }: NavigationGroup): string {
  const items = links.map(({ label, href }) => {
    const current = href === page.output ? ' aria-current="page"' : '';
    return `<li><a href="${escaped(href)}"${current}>${escaped(label)}</a></li>`;
  });
  return `<h2>${escaped(title)}</h2>\n<ul>\n${items.join('\n')}\n</ul>`;
}

function contentsOf({ headings }: Page): string {
  const sections = [...headings.values()].filter(({ depth }) => depth === 2);
  if (sections.length < CONTENTS_FROM) return '';
  const items = sections.map(({ id, text }) => `<li><a href="#${escaped(id)}">${escaped(text)}</a></li>`);
  return `<nav class="contents" aria-label="On this page">\n<ul>\n${items.join('\n')}\n</ul>\n</nav>\n`;
}
