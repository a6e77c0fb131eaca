import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { loadAssets } from '../../../controller/api/page/assets.ts';
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
  test('loads nothing from other hosts, and every file that it names exists', async () => {
    expect(paths()).toHaveLength(3);
    for (const path of paths()) {
      expect(path).toMatch(/^\/assets\//);
      const { status, headers } = await serving.get(path);
      expect([path, status, headers['x-content-type-options']]).toEqual([path, 200, 'nosniff']);
      expect(headers['cache-control']).toBe('public, max-age=31536000, immutable');
    }
  });

  test('allows its own files only, and nothing inline or from elsewhere', () => {
    const policy = String(shell.headers['content-security-policy']);
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self';");
    expect(policy).toContain("style-src 'self';");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toMatch(/unsafe|https?:|sha256|\*/);
    expect(
      shell.body.match(/<script(?! type="module" src="[^"]+"><\/script>)|<style|style=|\bon\w+=/),
    ).toBeNull();
  });

  test('escapes its facts within the attribute', () => {
    expect(shell.body).toContain('&quot;zone&quot;:&quot;a\\&quot;&lt;b&quot;');
  });

  test('its shell is never cached, and its files change their path with their content', async () => {
    expect(shell.headers['cache-control']).toBe('no-store');
    expect((await serving.get('/assets/other/page.js')).status).toBe(404);
  });

  test.each([
    ['gzip, deflate, br', 'gzip'],
    ['br;q=1.0, GZIP; q=0.5', 'gzip'],
    ['gzip;q=0, identity', undefined],
    ['br, gzip; q=0.000', undefined],
    ['gzip-not', undefined],
  ])('its files are sent to a client that accepts %j in the encoding %j', async (accepted, encoding) => {
    const { headers } = await serving.get(paths()[0] ?? '', { 'accept-encoding': accepted });
    expect(headers['content-encoding']).toBe(encoding);
  });

  test.each(['POST', 'PUT', 'DELETE'])('%s is not allowed', async (method) => {
    expect((await serving.get('/', {}, method)).status).toBe(405);
    expect((await serving.get(paths()[0] ?? '', {}, method)).status).toBe(405);
  });

  test('is not served under a foreign name', async () => {
    expect((await serving.get('/', { host: 'evil.example' })).status).toBe(421);
  });

  test.each(['/assets/', '/assets/../package.json', '/assets/x/%2e%2e/page.js'])(
    '%s is no file',
    async (path) => {
      expect((await serving.get(path)).status).toBe(404);
    },
  );
});

describe('its files', () => {
  test('are one script, one style sheet and an icon, compressed, less than 42 kB in all', async () => {
    const { files } = await loadAssets();
    expect([...files].map(([name, { type }]) => [name, type])).toEqual([
      ['page.js', 'text/javascript; charset=utf-8'],
      ['page.css', 'text/css; charset=utf-8'],
      ['icon.svg', 'image/svg+xml; charset=utf-8'],
    ]);
    const sizes = [...files.values()].map(({ gzipped }) => gzipped.length);
    expect(sizes.reduce((sum, size) => sum + size)).toBeLessThan(42_000);
    for (const { plain, gzipped } of files.values()) expect(gunzipSync(gzipped).equals(plain)).toBe(true);
  });

  test('create no code from text, which the policy forbids, and load no other file', async () => {
    const script = String((await loadAssets()).files.get('page.js')?.plain);
    expect(script.match(/\beval\(|\bFunction\(|\bimport\s*[("'{*]|sourceMappingURL/)).toBeNull();
  });

  test('are the same each time, so that browsers can cache them', async () => {
    expect((await loadAssets()).base).toBe((await loadAssets()).base);
  });
});
