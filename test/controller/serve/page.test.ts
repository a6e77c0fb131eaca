import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { loadAssets } from '../../../controller/serve/page/assets.ts';
import { Serving } from './serving.ts';

let serving: Serving;
let shell: Awaited<ReturnType<Serving['get']>>;
beforeAll(async () => {
  serving = await Serving.start({
    page: { zone: 'a"<b', framework: 'marathon', dryRun: true, writes: false, readToken: false },
  });
  shell = await serving.get('/');
});
afterAll(() => serving.close());

const paths = () => [...shell.body.matchAll(/(?:href|src)="([^"]+)"/g)].map(([, path = '']) => path);

describe('the page', () => {
  test('asks no other host for anything, and every file that it names is there', async () => {
    expect(paths().length).toBeGreaterThan(30);
    for (const path of paths()) {
      expect(path).toMatch(/^\/assets\//);
      const { status, headers } = await serving.get(path);
      expect([path, status, headers['x-content-type-options']]).toEqual([path, 200, 'nosniff']);
      expect(headers['cache-control']).toBe('public, max-age=31536000, immutable');
    }
  });

  test('lets scripts of its own run and the import map, by its hash, and nothing else', () => {
    const [, map = ''] = /<script type="importmap">(.*?)<\/script>/s.exec(shell.body) ?? [];
    const hash = createHash('sha256').update(map).digest('base64');
    const policy = String(shell.headers['content-security-policy']);
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain(`script-src 'self' 'sha256-${hash}';`);
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toMatch(/unsafe|https?:|\*/);
    expect(shell.body.match(/<script(?! type="(?:importmap|module)")/)).toBeNull();
  });

  test('tells its facts without letting them out of the attribute', () => {
    expect(shell.body).toContain('&quot;zone&quot;:&quot;a\\&quot;&lt;b&quot;');
  });

  test('its frame is asked for anew every time, its files have other paths when their content changes', async () => {
    expect(shell.headers['cache-control']).toBe('no-store');
    expect((await serving.get(`/assets/other/page/main.ts`)).status).toBe(404);
  });

  test.each(['POST', 'PUT', 'DELETE'])('%s is not possible', async (method) => {
    expect((await serving.get('/', {}, method)).status).toBe(405);
    expect((await serving.get(paths()[0] ?? '', {}, method)).status).toBe(405);
  });

  test('is not shown under a foreign name', async () => {
    expect((await serving.get('/', { host: 'evil.example' })).status).toBe(421);
  });

  test.each(['/assets/', '/assets/../package.json', '/assets/x/%2e%2e/wire.ts'])(
    '%s is no file',
    async (path) => {
      expect((await serving.get(path)).status).toBe(404);
    },
  );
});

describe('its files', () => {
  test('are compressed, and less than 150 kB in all', async () => {
    const { files } = await loadAssets();
    const sizes = [...files.values()].map(({ gzipped }) => gzipped.length);
    expect(sizes.reduce((sum, size) => sum + size)).toBeLessThan(150_000);
    for (const { plain, gzipped } of files.values()) expect(gunzipSync(gzipped).equals(plain)).toBe(true);
  });

  test('are modules without types that import only what is served', async () => {
    const { files } = await loadAssets();
    const bare = new Set(['preact', 'preact/hooks', 'htm', 'ipaddr.js']);
    for (const [path, { type, plain }] of files) {
      if (!path.endsWith('.ts')) continue;
      expect([path, type]).toEqual([path, 'text/javascript; charset=utf-8']);
      for (const [, name = ''] of plain
        .toString()
        .matchAll(/^\s*(?:import|export)\b[^'"]*?from\s*'([^']+)'/gm)) {
        const target = name.startsWith('.') ? new URL(name, `http://x/${path}`).pathname.slice(1) : name;
        expect([path, target, bare.has(target) || files.has(target)]).toEqual([path, target, true]);
      }
    }
  });
});
