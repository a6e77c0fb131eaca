/** Where a link of a page leads in the site. */

import { posix } from 'node:path';
import { INDEX, type Page } from './page.ts';

/** What the repository has under a path. */
export type Kind = 'file' | 'folder' | 'nothing';

export type Target =
  /** Another page with its title, another host, or a file that the site takes along, at that address in it. */
  | { readonly href: string; readonly title?: string; readonly copied?: string }
  /** A folder: it is in the repository and not in the site. */
  | 'only text'
  | { readonly problem: string };

export interface Places {
  readonly pages: ReadonlyMap<string, Page>;
  readonly kindOf: (path: string) => Kind;
}

export function targetOf(from: Page, link: string, { pages, kindOf }: Places): Target {
  if (/^(https?|mailto):/i.test(link)) return { href: link };
  if (/^[a-z][a-z0-9+.-]*:|^\//i.test(link)) return { problem: 'neither a path nor a web address' };

  const [file = '', anchor] = link.split('#');
  const path = file === '' ? from.path : below(from.path, decodeURIComponent(file));
  const page = pages.get(path) ?? pages.get(`${path}/README.md`);
  if (page !== undefined) {
    const known = [...page.headings.values()].some(({ id }) => id === anchor);
    if (anchor !== undefined && !known) return { problem: `${page.path} has no heading #${anchor}` };
    const href = `${page === from ? '' : `./${page.name}`}${anchor === undefined ? '' : `#${anchor}`}`;
    return { href, title: page.title };
  }
  return fileTarget(path, kindOf(path));
}

function fileTarget(path: string, kind: Kind): Target {
  if (kind === 'nothing' || path.startsWith('..')) return { problem: 'there is no such file' };
  if (kind === 'folder') return 'only text';
  if (path.endsWith('.md')) return { problem: `${INDEX} does not lead to ${path}` };
  const href = `/files/${path.split('/').map(encodeURIComponent).join('/')}`;
  return { href, copied: path };
}

function below(page: string, path: string): string {
  return posix.join(posix.dirname(page), path).replace(/\/$/, '');
}
