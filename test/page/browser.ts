/** A real browser: Debian's Chromium, with what it shows and what it complains of. */

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { HANG_MS } from '../support/waiting.ts';

/** Where screenshots are kept; without it none are made. */
const SHOTS = process.env['PAGE_SCREENSHOTS'];

export async function openBrowser(): Promise<Browser> {
  return await chromium.launch({
    executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
    timeout: HANG_MS,
    // Tests run as root of a container or of the lab, which has no sandbox of its own and little shared memory.
    args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'],
  });
}

/** A page in a browser profile of its own. */
export class Tab {
  readonly page: Page;
  /** What went wrong in it: errors, refused scripts, requests to other hosts. */
  readonly complaints: string[] = [];
  readonly #context: BrowserContext;

  private constructor(context: BrowserContext, page: Page, origin: string) {
    this.#context = context;
    this.page = page;
    page.on('pageerror', (error) => this.complaints.push(error.message));
    page.on('console', (message) => {
      // That a request was refused is what some tests are about.
      const refused = /^Failed to load resource: the server responded with/.test(message.text());
      if (message.type() === 'error' && !refused) this.complaints.push(message.text());
    });
    page.on('request', (request) => {
      if (!request.url().startsWith(origin)) this.complaints.push(`asked ${request.url()}`);
    });
  }

  static async open(
    browser: Browser,
    url: string,
    options: {
      readonly dark?: boolean;
      readonly width?: number;
      /** Shown to the page's server, which is believed whatever it shows. */
      readonly certificate?: { readonly certPath: string; readonly keyPath: string };
    } = {},
  ): Promise<Tab> {
    const context = await browser.newContext({
      baseURL: url,
      colorScheme: options.dark === true ? 'dark' : 'light',
      viewport: { width: options.width ?? 1_280, height: 900 },
      locale: 'en-GB',
      ignoreHTTPSErrors: true,
      ...(options.certificate && { clientCertificates: [{ origin: url, ...options.certificate }] }),
      permissions: ['clipboard-read', 'clipboard-write'],
    });
    context.setDefaultTimeout(HANG_MS);
    return new Tab(context, await context.newPage(), url);
  }

  async go(hash: string): Promise<void> {
    await this.page.goto(`/${hash}`);
  }

  async shoot(name: string): Promise<void> {
    if (SHOTS === undefined) return;
    await this.page.evaluate('scrollTo(0, 0)');
    await mkdir(SHOTS, { recursive: true });
    await this.page.screenshot({ path: join(SHOTS, `${name}.png`), fullPage: true });
  }

  async close(): Promise<void> {
    await this.#context.close();
  }
}
