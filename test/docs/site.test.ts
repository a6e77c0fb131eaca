import { readdirSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { ROOT, repository } from '../../docs/site/repository.ts';
import { makeSite, type Site } from '../../docs/site/site.ts';

describe('the documentation', () => {
  const site = makeSite(repository, '1.2.3');

  test('no link leads nowhere, no anchor is missing', () => {
    expect(site.problems).toEqual([]);
  });

  test('the index leads to every page', () => {
    const index = repository.textOf('docs/README.md');
    const missing = readdirSync(new URL('docs/', ROOT)).filter(
      (name) => /\.(md|json|8)$/.test(name) && name !== 'README.md' && !index.includes(`(${name})`),
    );
    expect(missing).toEqual([]);
  });

  test.each([...site.pages])('%s asks no other host for anything and runs nothing', (_name, html) => {
    expect(html).not.toMatch(/<(script|iframe|object|style)\b|\s(on\w+|style)=/);
    const asked = [...html.matchAll(/\bsrc="([^"]*)"|<link [^>]*href="([^"]*)"/g)].map(
      ([, src, href]) => src ?? href,
    );
    expect(asked).toEqual(expect.arrayContaining(['style.css', 'icon.svg']));
    expect(asked.filter((path) => /^[a-z]+:|^\//.test(path ?? ''))).toEqual([]);
  });

  test.each([...site.pages])('%s has only links to what the site has', (name, html) => {
    const broken = [...html.matchAll(/\bhref="([^"]*)"/g)]
      .map(([, href = '']) => href)
      .filter((href) => !/^(https?|mailto):/.test(href) && !leads(site, name, href));
    expect(broken).toEqual([]);
  });

  test.each([...site.pages])('%s has each id once, and one title', (_name, html) => {
    const ids = [...html.matchAll(/\bid="([^"]*)"/g)].map(([, id]) => id);
    expect(ids.filter((id, at) => ids.indexOf(id) !== at)).toEqual([]);
    expect(html.match(/<h1>/g)).toHaveLength(1);
  });
});

/** By what was written, not by what the links were made of. */
function leads(site: Site, from: string, href: string): boolean {
  const [file = '', anchor] = href.split('#');
  if (file.startsWith('files/')) return site.copied.has(decodeURIComponent(file.slice('files/'.length)));
  if (['style.css', 'icon.svg'].includes(file)) return true;
  const html = site.pages.get(file === '' ? from : file);
  return html !== undefined && (anchor === undefined || html.includes(` id="${anchor}"`));
}

/** A site of a repository with these files; what ends with `/` is a folder. */
function siteOf(files: Readonly<Record<string, string>>): Site {
  return makeSite(
    {
      kindOf: (path) => (path in files ? 'file' : `${path}/` in files ? 'folder' : 'nothing'),
      textOf: (path) => files[path] ?? '',
    },
    '1.2.3',
  );
}

const INDEX = '# Docs\n\n## Use\n\n[one.md](one.md)\n\n## Look up\n\n[Every word](../two/README.md)\n';
const page = (site: Site, name: string) => /<main.*<\/main>/s.exec(site.pages.get(name) ?? '')?.[0];

test('the index groups the navigation; a link that is only a file name shows the title of its page', () => {
  const { pages } = siteOf({
    'docs/README.md': INDEX,
    'docs/one.md': '# First',
    'two/README.md': '# Second',
  });
  expect([...pages.keys()]).toEqual(['index.html', 'one.html', 'two.html']);
  expect(pages.get('two.html')).toContain(`<h2>Use</h2>
<ul>
<li><a href="one.html">First</a></li>
</ul>
<h2>Look up</h2>
<ul>
<li><a href="two.html" aria-current="page">Every word</a></li>
</ul>`);
  expect(pages.get('index.html')).toContain('<p><a href="one.html">First</a></p>');
});

test('links go to pages, their anchors, files that go along, and not to folders', () => {
  const one = `# First

## A -- \`--word KEY=VALUE\`, twice

## A -- \`--word KEY=VALUE\`, twice

[a](../two/), [b](../two/README.md#sub), [c](#a------word-keyvalue-twice-1), [d](../a%20file.txt), [e](../folder), [f](https://example.com/?a&b)
`;
  const site = siteOf({
    'docs/README.md': INDEX,
    'docs/one.md': one,
    'two/README.md': '# Second\n\n## Sub\n',
    'a file.txt': '',
    'folder/': '',
  });
  expect(site.problems).toEqual([]);
  expect(site.copied).toEqual(new Set(['a file.txt']));
  expect(page(site, 'one.html')).toContain(
    '<a href="two.html">a</a>, <a href="two.html#sub">b</a>, <a href="#a------word-keyvalue-twice-1">c</a>, ' +
      '<a href="files/a%20file.txt">d</a>, e, <a href="https://example.com/?a&amp;b">f</a>',
  );
});

test.each([
  ['(nowhere.md)', 'there is no such file'],
  ['(../../outside.md)', 'there is no such file'],
  ['(../two/README.md#none)', 'two/README.md has no heading #none'],
  ['(#none)', 'docs/one.md has no heading #none'],
  ['(other.md)', 'docs/README.md does not lead to docs/other.md'],
  ['(javascript:alert(1))', 'neither a path nor a web address'],
  ['(//example.com/)', 'neither a path nor a web address'],
])('a link %s is a problem, and no link', (link, problem) => {
  const site = siteOf({
    'docs/README.md': INDEX,
    'docs/one.md': `# First\n\n[text]${link}`,
    'docs/other.md': '',
    'two/README.md': '# Second',
  });
  expect(site.problems).toEqual([`docs/one.md: ${link}: ${problem}`]);
  expect(page(site, 'one.html')).toContain('<p>text</p>');
});

test('a page that the index names and that is missing is a problem', () => {
  expect(siteOf({ 'docs/README.md': INDEX, 'docs/one.md': '# First' }).problems).toEqual([
    'docs/README.md: (../two/README.md): there is no such file',
  ]);
});

test('HTML in a page is shown as text, in code, headings, tables and pictures too; comments vanish', () => {
  const bad = '<img src=x onerror=alert(1)>';
  const site = siteOf({
    'docs/README.md': INDEX,
    'docs/one.md': `# First ${bad}

## \`"><b>\`

<!-- note -->

${bad}

text ${bad} \`${bad}\`

| ${bad} |
|---|
| ${bad} |

![" onerror="](pic.png)

\`\`\`diff
+ ${bad}
\`\`\`
`,
    'docs/pic.png': '',
    'two/README.md': '# Second',
  });
  const html = site.pages.get('one.html') ?? '';
  expect(html).not.toMatch(/<img src=x|<b>|note/);
  expect(html).toContain('<title>First &lt;img src=x onerror=alert(1)&gt; · marathon-ipvs</title>');
  expect(html).toContain('<img src="files/docs/pic.png" alt="&quot; onerror=&quot;">');
  expect(html).toContain('<span class="added">+ &lt;img src=x onerror=alert(1)&gt;</span>');
  // Title, page title, its own block, in a line and its code, head and cell of the table, code block, navigation of each page.
  expect(html.match(/&lt;img src=x onerror=alert\(1\)&gt;/g)?.length).toBeGreaterThanOrEqual(9);
});
