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
  /** The path below which they are served; it contains a hash of their contents, so browsers may cache them for ever. */
  readonly base: string;
}

const TYPES: Readonly<Record<PageFile, string>> = {
  'page.js': 'text/javascript; charset=utf-8',
  'page.css': 'text/css; charset=utf-8',
  'icon.svg': 'image/svg+xml; charset=utf-8',
};

const compress = promisify(gzip);

/** Loads and compresses the page's files: the built ones, or those made from source in a checkout. */
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
