/** Markdown as HTML. What a page has of HTML itself is shown as text; only comments vanish. */

import { Marked, type Token, type Tokens } from 'marked';
import { coloured } from './code.ts';
import { escaped } from './escape.ts';
import type { Target } from './links.ts';
import { type Page, plain } from './page.ts';

/** Tells where a link of this page leads; called for each, images too. */
export type Resolve = (href: string) => Target;

export function render(page: Page, resolve: Resolve): string {
  const found = (href: string) => {
    const target = resolve(href);
    return typeof target === 'object' && 'href' in target ? target : null;
  };

  const marked = new Marked({
    renderer: {
      heading(token) {
        const heading = page.headings.get(token);
        const content = this.parser.parseInline(token.tokens);
        if (heading === undefined || heading.depth === 1) return `<h1>${content}</h1>\n`;
        const { depth, id, text } = heading;
        const label = escaped(`Link to: ${text}`);
        const anchor = `<a class="anchor" href="#${escaped(id)}" aria-label="${label}">#</a>`;
        return `<h${depth} id="${escaped(id)}">${content} ${anchor}</h${depth}>\n`;
      },
      code: ({ text, lang }) => `<pre><code>${coloured(text, lang ?? '')}</code></pre>\n`,
      codespan: ({ text }) => inlineCode(text),
      html: ({ raw }) => (/^<!--.*-->\s*$/s.test(raw) ? '' : escaped(raw)),
      link({ href, tokens }) {
        const content = this.parser.parseInline(tokens);
        const target = found(href);
        if (target === null) return content;
        // In a text editor a file's name says most; here the page's does.
        const named = /^[\w-]+\.md$/.test(plain(tokens)) && target.title !== undefined;
        return `<a href="${escaped(target.href)}">${named ? escaped(target.title) : content}</a>`;
      },
      image({ href, text }) {
        const target = found(href);
        return target === null ? escaped(text) : `<img src="${escaped(target.href)}" alt="${escaped(text)}">`;
      },
      table(token) {
        const row = (cells: readonly Tokens.TableCell[], tag: 'th' | 'td') =>
          `<tr>${cells.map((cell) => `<${tag}${aligned(cell)}>${this.parser.parseInline(cell.tokens)}</${tag}>`).join('')}</tr>\n`;
        // Markdown has no table without a head; one whose cells are all empty means that.
        const head = token.header.some(({ tokens }) => plain(tokens) !== '')
          ? `<thead>\n${row(token.header, 'th')}</thead>\n`
          : '';
        const body = token.rows.map((cells) => row(cells, 'td')).join('');
        return `<div class="table"><table>\n${head}<tbody>\n${body}</tbody>\n</table></div>\n`;
      },
    },
  });
  return marked.parser([...page.tokens] as Token[]);
}

function aligned({ align }: Tokens.TableCell): string {
  return align === null ? '' : ` class="${align}"`;
}

/** From this length on, code in a line may be broken. */
const BREAKS_FROM = 32;

function inlineCode(text: string): string {
  if (text.length < BREAKS_FROM) return `<code class="short">${escaped(text)}</code>`;
  // Where the parts of a long name or path end.
  const parts = text.split(/(?<=[_/,=}])/).map(escaped);
  return `<code>${parts.join('<wbr>')}</code>`;
}
