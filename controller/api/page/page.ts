import type { IncomingHttpHeaders } from 'node:http';
import { z } from 'zod';
import { type Answer, line } from '../route.ts';
import { endpoint, type Page } from '../services.ts';
import { type Assets, loadAssets } from './assets.ts';
import type { PageFacts, ShellFacts } from './facts.ts';

/** Serves the page, with `facts` in its HTML shell. */
export function createPage(facts: PageFacts): Page {
  let loading: Promise<Assets> | undefined;
  const load = () => {
    loading ??= loadAssets();
    return loading;
  };
  const shells = new Map<boolean, Answer>();
  return {
    async shell(right) {
      // A browser sends no token when it loads a page, so this right comes from a client certificate.
      const certified = right === 'write';
      const shell = shells.get(certified) ?? shellOf({ ...facts, certified }, await load());
      shells.set(certified, shell);
      return shell;
    },
    file: async (path, headers) => fileOf(await load(), path, headers),
  };
}

/** Open to everyone: the shell prompts for a token, and neither it nor the files reveal anything about this host. */
export const PAGE = {
  shell: endpoint({
    answer: ({ page }, { right }) => page.shell(right),
  }),
  file: endpoint({
    input: z.object({ file: z.string() }),
    answer: ({ page }, { input: { file }, headers }) => page.file(`/assets/${file}`, headers),
  }),
};

/** A file never changes under its path, which contains a hash of the contents. */
const IMMUTABLE = 'public, max-age=31536000, immutable';

function fileOf({ files, base }: Assets, path: string, headers: IncomingHttpHeaders): Answer {
  const file = path.startsWith(base) ? files.get(path.slice(base.length)) : undefined;
  if (file === undefined) return line(404, 'no such file');
  const common = { 'content-type': file.type, 'cache-control': IMMUTABLE, vary: 'accept-encoding' };
  return acceptsGzip(headers['accept-encoding'] ?? '')
    ? { status: 200, headers: { ...common, 'content-encoding': 'gzip' }, body: file.gzipped }
    : { status: 200, headers: common, body: file.plain };
}

/** `gzip;q=0` refuses it. */
function acceptsGzip(accepted: string): boolean {
  return accepted.split(',').some((one) => /^\s*gzip\s*(?:;\s*q=(?:1|0\.\d*[1-9])[\d.]*\s*)?$/i.test(one));
}

function shellOf(facts: ShellFacts, { base }: Assets): Answer {
  const body = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>marathon-ipvs</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="facts" content="${escaped(JSON.stringify(facts))}">
<link rel="icon" href="${base}icon.svg">
<link rel="stylesheet" href="${base}page.css">
<script type="module" src="${base}page.js"></script>
</head>
<body>
<div id="app"><noscript>This page needs JavaScript; <code>marathon-ipvs status</code> shows the same.</noscript></div>
</body>
</html>
`;
  return {
    status: 200,
    headers: { 'content-type': 'text/html; charset=utf-8', 'content-security-policy': POLICY },
    body,
  };
}

/** Allows only our own files and our own API, and nothing inline. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
].join('; ');

function escaped(text: string): string {
  const entities: Readonly<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
  };
  return text.replace(/[&<>"]/g, (one) => entities[one] ?? one);
}
