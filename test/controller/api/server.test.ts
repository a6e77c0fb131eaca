/** The server with a list of routes of its own. */

import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { z } from 'zod';
import { json, line, routeOf } from '../../../controller/api/route.ts';
import { type HttpServer, startServer } from '../../../controller/api/server.ts';
import { World } from '../../support/world.ts';
import { accessOf, tokenOf } from './serving.ts';

interface Shop {
  readonly sold: string[];
}
const route = routeOf<Shop>();
const BODY = { what: 'a list', maxBytes: 100, description: '', schemas: { List: z.array(z.string()) } };
const ROUTES = [
  route('GET', '/shelf/{name}', 'read', {
    input: z.object({ name: z.string().regex(/^\w/, 'no such shelf'), colour: z.array(z.string()) }),
    answer: (_, { input }) => json(input),
  }),
  route('GET', '/shelf', 'read', {
    input: z.object({ size: z.string('expected a size') }),
    answer: (_, { input: { size } }) => line(200, size),
  }),
  route('GET', '/till', 'write', { answer: ({ sold }) => json(sold) }),
  route('POST', '/till', 'write', {
    body: BODY,
    answer({ sold }, { body }) {
      sold.push(body);
      return json(sold);
    },
  }),
];
const SEND = { method: 'POST', body: '["tea"]', headers: { 'content-type': 'application/json' } };

let server: HttpServer;
let shop: Shop;

async function start(writesOff: string | null): Promise<void> {
  const { clock, log } = new World();
  shop = { sold: [] };
  const access = accessOf({ writeToken: tokenOf('a-token-of-some-length') });
  const listen = { address: '127.0.0.1', port: 0 };
  server = await startServer({ listen, routes: ROUTES, services: shop, access, writesOff, clock, log });
}
beforeEach(() => start(null));
afterEach(() => server.close());

async function ask(path: string, init: RequestInit = {}) {
  const headers = { authorization: 'Bearer a-token-of-some-length', ...init.headers };
  const response = await fetch(server.url + path, { ...init, headers });
  return { status: response.status, allow: response.headers.get('allow'), text: await response.text() };
}

test('a path accepts its listed methods, and HEAD if it can be read', async () => {
  expect((await ask('/shelf/a', { method: 'HEAD' })).status).toBe(200);
  expect(await ask('/till', { method: 'HEAD' })).toMatchObject({ status: 405, allow: 'GET, POST' });
  expect(await ask('/shelf', { method: 'POST' })).toMatchObject({ status: 405, allow: 'GET, HEAD' });
  expect((await ask('/shel')).status).toBe(404);
});

test('the scheme of a token may be written in any case, and the token may not', async () => {
  const status = async (authorization: string) => (await ask('/till', { headers: { authorization } })).status;
  expect(await status('bearer a-token-of-some-length')).toBe(200);
  expect(await status('BEARER  a-token-of-some-length')).toBe(200);
  expect(await status('Bearer A-token-of-some-length')).toBe(401);
  expect(await status('a-token-of-some-length')).toBe(401);
});

test('a path parameter is decoded once, and an array parameter gets all its values', async () => {
  const { text } = await ask('/shelf/a%2Fb%252Fc/d?colour=red&colour=blue&name=other');
  expect(JSON.parse(text)).toEqual({ name: 'a/b%2Fc/d', colour: ['red', 'blue'] });
});

test('input that does not match the schema never reaches the handler: 404 for a path, 400 for a query', async () => {
  expect(await ask('/shelf/-')).toMatchObject({ status: 404, text: '{"error":"name: no such shelf"}\n' });
  expect(await ask('/shelf')).toMatchObject({ status: 400, text: '{"error":"size: expected a size"}\n' });
  expect(await ask('/till', { ...SEND, body: '["tea", 1]' })).toMatchObject({
    status: 400,
    text: expect.stringContaining('not a list'),
  });
  expect((await ask('/till', { ...SEND, body: `["${'x'.repeat(100)}"]` })).status).toBe(413);
  expect(shop.sold).toEqual([]);
});

test('if writing is disabled, readers get the reason before the body is read', async () => {
  await server.close();
  await start('closed today');
  for (const init of [SEND, { ...SEND, body: 'x' }, { method: 'GET' }]) {
    expect(await ask('/till', init)).toMatchObject({ status: 403, text: '{"error":"closed today"}\n' });
  }
  expect(shop.sold).toEqual([]);
});
