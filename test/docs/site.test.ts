import { readdirSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { ROOT, repository } from '../../docs/site/repository.ts';
import { readSite, type Site } from '../../docs/site/site.ts';

describe('the documentation', () => {
  const site = readSite(repository);

  test('no link leads nowhere, no anchor is missing', () => {
    expect(site.problems).toEqual([]);
  });

  test('the index leads to every page', () => {
    const index = repository.textOf('docs/README.md');
    const pages = readdirSync(new URL('docs/', ROOT), { recursive: true, encoding: 'utf8' }).filter(
      (name) => /\.(md|json|8)$/.test(name) && !name.startsWith('site/') && name !== 'README.md',
    );
    expect(pages).toContain('dns.md');
    expect(pages.filter((name) => !index.includes(`(${name})`))).toEqual([]);
  });

  test('every page has one title', () => {
    const titles = [...site.pages.values()].map(({ path, headings }) => ({
      path,
      titles: [...headings.values()].filter(({ depth }) => depth === 1).length,
    }));
    expect(titles.filter((page) => page.titles !== 1)).toEqual([]);
  });

  test('the README fits on a page, without the table of options', () => {
    const readme = repository.textOf('README.md');
    expect(readme.split('\n').length).toBeLessThanOrEqual(120);
    expect(readme).not.toContain('| `--');
  });
});

/** A site of a repository with these files; what ends with `/` is a folder. */
function siteOf(files: Readonly<Record<string, string>>): Site {
  return readSite({
    kindOf: (path) => (path in files ? 'file' : `${path}/` in files ? 'folder' : 'nothing'),
    textOf: (path) => files[path] ?? '',
  });
}

const INDEX = '# Docs\n\n## Use\n\n[one.md](one.md)\n\n## Look up\n\n[Every word](../two/README.md)\n';

/** Where a link leads that stands on that page. */
function targetOf(site: Site, name: string, href: string) {
  const page = site.pages.get(name);
  if (page === undefined) throw new Error(`there is no page ${name}`);
  return site.targetOf(page, href);
}

test('the index groups the navigation; a link that is only a file name shows the title of its page', () => {
  const site = siteOf({ 'docs/README.md': INDEX, 'docs/one.md': '# First', 'two/README.md': '# Second' });
  expect([...site.pages.keys()]).toEqual(['index.md', 'one.md', 'two.md']);
  expect(site.navigation).toEqual([
    { title: 'Use', links: [{ label: 'First', href: '/one' }] },
    { title: 'Look up', links: [{ label: 'Every word', href: '/two' }] },
  ]);
  expect(targetOf(site, 'index.md', 'one.md')).toEqual({ href: './one.md', title: 'First' });
});

test('two pages that would be one file of the site are a problem', () => {
  const files = { 'docs/one.md': '# First', 'one/README.md': '# Second' };
  const index = '# Docs\n\n## Use\n\n[one.md](one.md) [two](../one/README.md)\n';
  expect(siteOf({ 'docs/README.md': index, ...files }).problems).toEqual([
    'one/README.md: another page is one.md already',
  ]);
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
  const targets = [
    ['../two/', { href: './two.md', title: 'Second' }],
    ['../two/README.md#sub', { href: './two.md#sub', title: 'Second' }],
    ['#a------word-keyvalue-twice-1', { href: '#a------word-keyvalue-twice-1', title: 'First' }],
    ['../a%20file.txt', { href: '/files/a%20file.txt', copied: 'a file.txt' }],
    ['../folder', 'only text'],
    ['https://example.com/?a&b', { href: 'https://example.com/?a&b' }],
  ] as const;
  for (const [href, target] of targets) expect(targetOf(site, 'one.md', href)).toEqual(target);
});

test.each([
  ['(nowhere.md)', 'there is no such file'],
  ['(../../outside.md)', 'there is no such file'],
  ['(../two/README.md#none)', 'two/README.md has no heading #none'],
  ['(#none)', 'docs/one.md has no heading #none'],
  ['(other.md)', 'docs/README.md does not lead to docs/other.md'],
  ['(javascript:alert(1))', 'neither a path nor a web address'],
  ['(//example.com/)', 'neither a path nor a web address'],
])('a link %s is a problem', (link, problem) => {
  const site = siteOf({
    'docs/README.md': INDEX,
    'docs/one.md': `# First\n\n[text]${link}`,
    'docs/other.md': '',
    'two/README.md': '# Second',
  });
  expect(site.problems).toEqual([`docs/one.md: ${link}: ${problem}`]);
});

test('a page that the index names and that is missing is a problem', () => {
  expect(siteOf({ 'docs/README.md': INDEX, 'docs/one.md': '# First' }).problems).toEqual([
    'docs/README.md: (../two/README.md): there is no such file',
  ]);
});
