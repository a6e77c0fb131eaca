/** Refusals that Node would make by itself, and those that come before the body. */

import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { json, routeOf } from '../../../controller/api/route.ts';
import { type HttpServer, startServer } from '../../../controller/api/server.ts';
import { World } from '../../support/world.ts';
import { accessOf, Serving, tokenOf } from './serving.ts';

describe('what Node refuses by itself is refused in JSON', () => {
  let serving: Serving;
  beforeEach(async () => {
    serving = await Serving.start();
  });
  afterEach(() => serving.close());

  test.each([
    ['no HTTP', 'nonsense\r\n\r\n', 400, /^the request is not valid HTTP: /],
    [
      'a broken header',
      'GET / HTTP/1.1\r\nHost: localhost\r\nA B\r\n\r\n',
      400,
      /^the request is not valid HTTP: /,
    ],
    ['no Host', 'GET /livez HTTP/1.1\r\n\r\n', 400, /^expected a Host header$/],
    [
      'long headers',
      `GET / HTTP/1.1\r\nHost: localhost\r\nA: ${'x'.repeat(9_000)}\r\n\r\n`,
      431,
      /too long$/,
    ],
    [
      'long chunk extensions',
      `POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n1;${'x'.repeat(20_000)}\r\nx\r\n0\r\n\r\n`,
      413,
      /^the chunk extensions/,
    ],
    ['another Expect', 'GET /livez HTTP/1.1\r\nHost: localhost\r\nExpect: coffee\r\n\r\n', 417, /Expect/],
    ['CONNECT', 'CONNECT a:1 HTTP/1.1\r\nHost: localhost\r\n\r\n', 405, /^CONNECT is not allowed here$/],
  ])('%s', async (_, bytes, status, error) => {
    const reply = await serving.raw(bytes);
    const [head = '', body = ''] = reply.split('\r\n\r\n');
    expect(head).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(head).toMatch(/^connection: close$/im);
    expect(head).toMatch(/^content-type: application\/json; charset=utf-8$/m);
    expect(head).toMatch(/^x-content-type-options: nosniff$/m);
    expect(JSON.parse(body)).toMatchObject({ error: expect.stringMatching(error) });
  });

  test('a request that does not come in time', async () => {
    const socket = serving.opened();
    socket.write('GET /livez HTTP/1.1\r\nHost: local');
    const reply = await text(socket);
    expect(reply).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\n/);
    expect(JSON.parse(reply.split('\r\n\r\n')[1] ?? '')).toEqual({
      error: 'the request did not arrive in time',
    });
  });
});

describe('a refusal comes before the body has', () => {
  const GIB = 2 ** 30;
  let server: HttpServer;
  let sold: string[];
  beforeEach(async () => {
    sold = [];
    const { clock, log } = new World();
    const route = routeOf<string[]>();
    const body = { what: 'a list', maxBytes: 100, description: '', schemas: { List: z.array(z.string()) } };
    const routes = [
      route('POST', '/till', 'write', {
        body,
        answer: (all, got) => {
          all.push(got.body);
          return json(all);
        },
      }),
    ];
    const access = accessOf({ writeToken: tokenOf('a-token-of-some-length') });
    const listen = { address: '127.0.0.1', port: 0 };
    server = await startServer({ listen, routes, services: sold, access, writesOff: null, clock, log });
  });
  afterEach(() => server.close());

  /** Sends the headers and as much of the body as the server takes until it closes. */
  async function flood(method: string, path: string, headers: Record<string, string> = {}) {
    const asking = request(server.url + path, {
      method,
      agent: false,
      headers: {
        ...(!('transfer-encoding' in headers) && { 'content-length': GIB }),
        // Without it Node's client asks for the end of the connection by itself.
        connection: 'keep-alive',
        'content-type': 'application/json',
        authorization: 'Bearer a-token-of-some-length',
        ...headers,
      },
    });
    asking.on('error', () => {});
    let isAskedFor = false;
    asking.on('continue', () => {
      isAskedFor = true;
    });
    const closed = new Promise<void>((resolve) => asking.once('close', resolve));
    let sent = 0;
    const piece = Buffer.alloc(65_536, ' ');
    const send = () => {
      if (asking.destroyed || sent >= GIB) return;
      sent += piece.length;
      asking.write(piece, () => setImmediate(send));
    };
    asking.flushHeaders();
    if (headers['expect'] === undefined) send();
    const [response]: IncomingMessage[] = await once(asking, 'response');
    const reply = { status: response?.statusCode, connection: response?.headers.connection, body: '' };
    if (response !== undefined) reply.body = await text(response);
    await closed;
    expect(sent).toBeLessThan(GIB);
    expect(isAskedFor).toBe(false);
    expect(JSON.parse(reply.body)).toHaveProperty('error');
    return [reply.status, reply.connection];
  }

  test.each([
    ['too large', 413, 'POST', '/till', {}],
    ['without a right', 401, 'POST', '/till', { authorization: '' }],
    ['to no endpoint', 404, 'GET', '/nothing', {}],
    ['with a wrong method', 405, 'PUT', '/till', {}],
    ['of another type', 415, 'POST', '/till', { 'content-type': 'text/plain' }],
    ['for another host', 421, 'POST', '/till', { host: 'evil.example' }],
    ['in chunks', 401, 'POST', '/till', { authorization: '', 'transfer-encoding': 'chunked' }],
    ['that waits to be asked', 413, 'POST', '/till', { expect: '100-continue' }],
  ])('%s: %i, and the connection is closed', async (_, status, method, path, headers) => {
    expect(await flood(method, path, headers)).toEqual([status, 'close']);
    expect(sold).toEqual([]);
  });

  test('a body that is accepted is asked for, and taken', async () => {
    const asking = request(`${server.url}/till`, {
      method: 'POST',
      agent: false,
      headers: {
        'content-type': 'application/json',
        'content-length': 7,
        authorization: 'Bearer a-token-of-some-length',
        expect: '100-continue',
      },
    });
    asking.flushHeaders();
    await once(asking, 'continue');
    asking.end('["tea"]');
    const [response]: IncomingMessage[] = await once(asking, 'response');
    expect(response?.statusCode).toBe(200);
    response?.resume();
    expect(sold).toEqual(['["tea"]']);
  });
});
