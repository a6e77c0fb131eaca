import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { json, routeOf } from '../../../controller/api/route.ts';
import { type HttpServer, startServer } from '../../../controller/api/server.ts';
import { World } from '../../support/world.ts';
import { accessOf, tokenOf } from './serving.ts';

describe('a refusal comes before the body has', () => {
  const GIB = 2 ** 30;
  let server: HttpServer;
  let sold: string[];
  let world: World;
  beforeEach(async () => {
    sold = [];
    world = new World();
    const { clock, log } = world;
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
    ['too large in chunks', 413, 'POST', '/till', { 'transfer-encoding': 'chunked' }],
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

  /** The headers of a request to sell, as a client of `version` sends them. */
  const selling = (headers: Record<string, string | number>, version = '1.1') =>
    [
      `POST /till HTTP/${version}`,
      'Host: localhost',
      ...Object.entries({
        'Content-Type': 'application/json',
        Authorization: 'Bearer a-token-of-some-length',
        ...headers,
      }).map(([name, value]) => `${name}: ${value}`),
      '\r\n',
    ].join('\r\n');
  const opened = (options: object = {}) =>
    connect({ port: Number(new URL(server.url).port), host: '127.0.0.1', ...options });

  test('a body in chunks is taken', async () => {
    const socket = opened();
    const chunks = '3\r\n["t\r\n4\r\nea"]\r\n0\r\n\r\n';
    socket.end(selling({ 'Transfer-Encoding': 'chunked', Connection: 'close' }) + chunks);
    expect(await text(socket)).toMatch(/^HTTP\/1\.1 200 /);
    expect(sold).toEqual(['["tea"]']);
  });

  test('a client of HTTP/1.0 is not told to continue, which it would take for the answer', async () => {
    const socket = opened();
    socket.write(`${selling({ 'Content-Length': 7, Expect: '100-continue' }, '1.0')}["tea"]`);
    expect(await text(socket)).toMatch(/^HTTP\/1\.1 200 (?![\s\S]*HTTP\/)/);
    expect(sold).toEqual(['["tea"]']);
  });

  test.each([
    ['of a length', { 'Content-Length': GIB }, ' '.repeat(1_000)],
    ['in chunks', { 'Transfer-Encoding': 'chunked' }, `3e8\r\n${' '.repeat(1_000)}\r\n`],
  ])('who goes on sending a refused body %s can read the answer for a second', async (_, headers, piece) => {
    const socket = opened({ allowHalfOpen: true });
    socket.on('error', () => {});
    socket.write(selling(headers));
    const sending = setInterval(() => socket.write(piece), 10);
    try {
      await once(socket, 'readable');
      // Later than a reset would have come, which would lose what has not been read.
      await new Promise((resolve) => setTimeout(resolve, 300));
      expect(await text(socket)).toMatch(/^HTTP\/1\.1 413 [\s\S]*of at most 100 bytes/);
      expect(socket.errored).toBeNull();
      await new Promise((resolve) => socket.once('close', resolve));
    } finally {
      clearInterval(sending);
    }
  });

  test('who goes away in a body leaves the server running', async () => {
    for (const headers of [{ 'Content-Length': 50 }, { 'Transfer-Encoding': 'chunked' }]) {
      const socket = opened();
      await new Promise<void>((sent) => socket.write(`${selling(headers)}1\r\n `, () => sent()));
      socket.resetAndDestroy();
    }
    const socket = opened();
    socket.end(`${selling({ 'Content-Length': 7, Connection: 'close' })}["tea"]`);
    expect(await text(socket)).toMatch(/^HTTP\/1\.1 200 /);
    expect(world.logged.map(({ level }) => level)).toEqual(['debug', 'debug']);
  });

  test.each([
    ['short', { 'Content-Length': 1_000 }],
    ['long', { 'Content-Length': GIB }],
    ['chunked', { 'Transfer-Encoding': 'chunked' }],
  ])('who ends a refused body early, a %s one, gets no second answer', async (_, headers) => {
    const socket = opened();
    socket.write(selling({ ...headers, 'Content-Type': 'text/plain' }));
    let reply = '';
    socket.on('data', (bytes) => {
      reply += bytes;
      socket.end('1');
    });
    await once(socket, 'close');
    expect(reply.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 415']);
  });
});
