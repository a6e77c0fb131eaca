/** Links are written for the repository, where any viewer follows them; in the site they lead to where its pages and files are. */

import type { Target } from './links.ts';
import type { Page } from './page.ts';
import type { Site } from './site.ts';

/** Of markdown-it, what is used here. */
interface Token {
  readonly type: string;
  readonly children: readonly Token[] | null;
  content: string;
  attrGet(name: string): string | null;
  attrSet(name: string, value: string): void;
}

interface MarkdownIt {
  readonly core: {
    readonly ruler: { push(name: string, rule: (state: CoreState) => void): void };
  };
}

interface CoreState {
  readonly tokens: readonly Token[];
  readonly env: { readonly relativePath?: string };
}

/** A plugin that changes the links and pictures of each page that VitePress reads. */
export function linksIn(site: Pick<Site, 'pages' | 'targetOf'>): (markdown: MarkdownIt) => void {
  return (markdown) =>
    markdown.core.ruler.push('links-of-the-repository', ({ tokens, env }) => {
      const page = site.pages.get(env.relativePath ?? '');
      if (page === undefined) return;
      for (const { children } of tokens)
        for (const [i, token] of (children ?? []).entries()) changeLink(token, children?.[i + 1], page, site);
    });
}

const ATTRIBUTES: Readonly<Record<string, 'href' | 'src'>> = { link_open: 'href', image: 'src' };

function changeLink(
  token: Token,
  text: Token | undefined,
  page: Page,
  { targetOf }: Pick<Site, 'targetOf'>,
): void {
  const attribute = ATTRIBUTES[token.type];
  const link = attribute === undefined ? null : token.attrGet(attribute);
  // VitePress has put a link to itself into each heading.
  if (attribute === undefined || link === null || token.attrGet('class') === 'header-anchor') return;
  const target = targetOf(page, link);
  if (!isPlace(target)) {
    // A folder: it is in the repository and not in the site.
    token.attrSet(attribute, '#');
    return;
  }
  token.attrSet(attribute, target.href);
  // VitePress would take a file that goes along for a page.
  if (target.copied !== undefined && attribute === 'href') token.attrSet('target', '_self');
  // In a text editor a file's name says most; here the title of its page does.
  if (target.title !== undefined && text !== undefined && /^[\w-]+\.md$/.test(text.content))
    text.content = target.title;
}

function isPlace(target: Target): target is Extract<Target, { href: string }> {
  return typeof target === 'object' && 'href' in target;
}
