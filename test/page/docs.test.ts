/** The site of the documentation, built as `npm run site` does, in a real browser. */

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { ROOT, repository } from '../../docs/site/repository.ts';
import { readSite } from '../../docs/site/site.ts';
import { command } from '../support/shell.ts';
import { openBrowser, Tab } from './browser.ts';
import { look, WAYS } from './look.ts';

const BUILT = new URL('site/', ROOT);
const { pages } = readSite(repository);
const names = [...pages.keys()].map((name) => name.replace(/\.md$/, '.html'));

let server: Server;
let url: string;
let browser: Browser;
let tab: Tab | null = null;

beforeAll(async () => {
  const { status, stdout, stderr } = await command([
    process.execPath,
    new URL('docs/site/build.ts', ROOT).pathname,
  ]);
  expect({ status, stdout, stderr }).toMatchObject({ status: 0 });
  server = createServer(serve).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  browser = await openBrowser();
});
afterEach(async () => {
  await tab?.close();
  expect(tab?.complaints ?? []).toEqual([]);
  tab = null;
});
afterAll(async () => {
  await browser?.close();
  server?.close();
});

test('every page of the index is built, and nothing else', () => {
  const built = readdirSync(BUILT).filter((name) => name.endsWith('.html'));
  expect(built.sort()).toEqual([...names, '404.html'].sort());
});

describe.each(names)('%s', (name) => {
  const html = () => readFileSync(new URL(name, BUILT), 'utf8');

  test('has only links to what the site has', () => {
    const broken = [...html().matchAll(/\bhref="([^"]*)"/g)]
      .map(([, href = '']) => href)
      .filter((href) => !/^(https?|mailto):/.test(href) && !leads(name, href));
    expect(broken).toEqual([]);
  });

  test('asks no other host for anything', () => {
    const asked = [...html().matchAll(/\bsrc="([^"]*)"|<link [^>]*href="([^"]*)"/g)].map(
      ([, src, href]) => src ?? href ?? '',
    );
    expect(asked.filter((path) => !path.startsWith('/') || path.startsWith('//'))).toEqual([]);
  });
});

/** Wide tables, long words, a picture, a long list. */
const LOOKED_AT = ['index', 'project-readme', 'page', 'data-path', 'options', 'ipvs-spec'];

test.each(WAYS)('$way: pages fit their width and have their pictures', async ({ way, dark, width }) => {
  tab = await Tab.open(browser, url, { dark, width });
  for (const name of LOOKED_AT) {
    await tab.page.goto(`${url}${name}.html`, { waitUntil: 'domcontentloaded' });
    await tab.shoot(`docs-${name}-${way}`);
    const missing = await tab.page.evaluate(
      '[...document.images].filter((i) => i.complete && i.naturalWidth === 0).map((i) => i.src)',
    );
    const { tooWide } = await look(tab.page);
    expect({ name, missing, tooWide }).toEqual({ name, missing: [], tooWide: 0 });
  }
});

test('search finds the page of a word, without asking another host', async () => {
  tab = await Tab.open(browser, url);
  const { page } = tab;
  await page.goto(url);
  await page.getByRole('button', { name: 'Search' }).click();
  await page.getByRole('searchbox').fill('ledger');
  await page.locator('#localsearch-list a', { hasText: 'Ledger' }).first().click();
  await page.getByRole('heading', { level: 1 }).waitFor();
  expect(await page.locator('main').textContent()).toMatch(/ledger/i);
});

test('a section has an address of its own, as on GitHub', async () => {
  tab = await Tab.open(browser, url);
  const { page } = tab;
  await page.goto(`${url}options.html`);
  const hrefs = await page.evaluate(
    "[...document.querySelectorAll('a.header-anchor')].map((a) => decodeURIComponent(a.hash))",
  );
  const ids = [...(pages.get('options.md')?.headings.values() ?? [])].map(({ id }) => `#${id}`);
  expect(hrefs).toEqual(ids);
});

function leads(from: string, href: string): boolean {
  const [path = '', anchor] = href.split('#');
  const file =
    path === '' ? from : path === '/' ? 'index.html' : decodeURIComponent(path.replace(/^\.?\//, ''));
  if (!existsSync(new URL(file, BUILT))) return false;
  return (
    anchor === undefined ||
    readFileSync(new URL(file, BUILT), 'utf8').includes(` id="${decodeURIComponent(anchor)}"`)
  );
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
};

const serve: Parameters<typeof createServer>[1] = ({ url: asked = '/' }, response) => {
  const path = decodeURIComponent(new URL(asked, 'http://localhost').pathname.slice(1)) || 'index.html';
  const file = new URL(path, BUILT);
  if (!existsSync(file)) return response.writeHead(404).end();
  return response.setHeader('content-type', TYPES[extname(path)] ?? 'text/plain').end(readFileSync(file));
};
