import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { pageFiles } from '#page-files';
import { PAGE_FILES, type PageFile } from './file-names.ts';

export interface Asset {
  readonly type: string;
  readonly plain: Buffer;
  readonly gzipped: Buffer;
}

export interface Assets {
  readonly files: ReadonlyMap<string, Asset>;
  /** Where they are served; it changes with their content, so they may be kept for ever. */
  readonly base: string;
}

const TYPES: Readonly<Record<PageFile, string>> = {
  'page.js': 'text/javascript; charset=utf-8',
  'page.css': 'text/css; charset=utf-8',
  'icon.svg': 'image/svg+xml; charset=utf-8',
};

const compress = promisify(gzip);

/** Reads and compresses them: those of the build, or in a checkout those of the source. Rejects where they cannot be had. */
export async function loadAssets(): Promise<Assets> {
  const texts = await pageFiles();
  const files = new Map(
    await Promise.all(PAGE_FILES.map(async (name) => [name, await asset(TYPES[name], texts[name])] as const)),
  );
  const hash = createHash('sha256');
  for (const name of PAGE_FILES) hash.update(`${name} ${texts[name].length}\n`).update(texts[name]);
  return { files, base: `/assets/${hash.digest('base64url').slice(0, 16)}/` };
}

async function asset(type: string, text: string): Promise<Asset> {
  const plain = Buffer.from(text);
  return { type, plain, gzipped: await compress(plain) };
}
