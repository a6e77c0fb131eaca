/** The built documentation in a real browser, opened from disk. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { repository } from '../../docs/site/repository.ts';
import { makeSite } from '../../docs/site/site.ts';
import { writeSite } from '../../docs/site/write.ts';
import { openBrowser, Tab } from './browser.ts';
import { look, WAYS } from './look.ts';

const site = makeSite(repository, '1.2.3');
let folder: string;
let url: string;
let browser: Browser;
let tab: Tab;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'marathon-ipvs-site-'));
  const out = pathToFileURL(`${join(folder, 'site')}/`);
  writeSite(site, out);
  url = out.href;
  browser = await openBrowser();
});
afterEach(async () => {
  await tab.close();
  expect(tab.complaints).toEqual([]);
});
afterAll(async () => {
  await browser?.close();
  rmSync(folder, { recursive: true });
});

test.each(WAYS)(
  '$way: each page fits its width, has its pictures, and no text too pale to read',
  async ({ way, dark, width }) => {
    tab = await Tab.open(browser, url, { dark, width });
    for (const name of site.pages.keys()) {
      await tab.page.goto(`${url}${name}`);
      await tab.shoot(`docs-${name.replace('.html', '')}-${way}`);
      const missing = await tab.page.evaluate(
        "[...document.images].filter((i) => i.naturalWidth === 0).map((i) => i.src).concat(document.styleSheets.length === 1 ? [] : ['style.css'])",
      );
      const seen = { name, missing, ...(await look(tab.page)) };
      expect(seen).toEqual({ name, missing: [], tooWide: 0, pale: [] });
    }
  },
);

test('on a phone all pages are one tap away, and each knows which it is', async () => {
  tab = await Tab.open(browser, url, { width: 390 });
  const { page } = tab;
  await page.goto(`${url}dns.html`);
  await page.getByRole('link', { name: 'All pages' }).click();
  const pages = page.getByRole('navigation', { name: 'Pages' });
  await pages.getByRole('link', { name: 'Every option' }).click();
  await page.getByRole('heading', { name: 'Options', level: 1 }).waitFor();
  expect(await pages.locator('[aria-current]').textContent()).toBe('Every option');
});

test('a section has an address of its own, which is beside its heading', async () => {
  tab = await Tab.open(browser, url);
  const { page } = tab;
  await page.goto(`${url}options.html`);
  await page.getByRole('link', { name: 'Link to: --dns-listen' }).click();
  expect(new URL(page.url()).hash).toMatch(/^#--dns-listen/);
});
