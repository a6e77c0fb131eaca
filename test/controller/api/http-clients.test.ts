import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { HttpOptions } from '../../../controller/api/http.ts';
import { ControllerError } from '../../../controller/errors.ts';
import { DocumentTooLong } from '../../../controller/text/visible.ts';
import { service } from '../../support/builders.ts';
import { desiredOf } from '../../support/observed.ts';
import { passOf } from '../status/passes.ts';
import { Serving } from './serving.ts';

// Hundreds of requests, one after the other.
let serving: Serving;

beforeEach(async () => {
  serving = await Serving.start();
});
afterEach(async () => {
  await serving.close();
});

describe('no client can end or block the process', () => {
  test('an error in a handler is answered with 500 without its reason, which is logged', async () => {
    await serving.close();
    serving = await Serving.start({
      metrics: { contentType: 'text/plain', text: () => Promise.reject(new Error('the secret reason')) },
    });
    const { status, body } = await serving.get('/metrics');
    expect(status).toBe(500);
    expect(body).not.toContain('secret');
    expect(serving.world.logged).toMatchObject([
      { level: 'error', message: 'request failed', fields: { url: '/metrics' } },
    ]);
    expect((await serving.get('/livez')).status).toBe(200);
  });

  test('an answer that is too long to be written is told as such', async () => {
    const tooLong = () => Promise.reject(new DocumentTooLong('it is too long to be written as JSON'));
    await serving.close();
    serving = await Serving.start({ metrics: { contentType: 'text/plain', text: tooLong } });
    expect(await serving.get('/metrics')).toMatchObject({
      status: 500,
      body: expect.stringContaining('it is too long to be written as JSON'),
    });
  });

  test.each([
    [
      'two Host headers',
      '/livez',
      'Host: localhost\r\nHost: evil.example',
      /^HTTP\/1\.1 400 .*one Host header/s,
    ],
    ['the whole URL', 'http://localhost/livez', 'Host: localhost', /^HTTP\/1\.1 200 /],
    ['the whole URL of another host', 'http://evil.example/livez', 'Host: localhost', /^HTTP\/1\.1 421 /],
    [
      'the whole URL, and a header of another host',
      'http://127.0.0.1/livez',
      'Host: evil',
      /^HTTP\/1\.1 200 /,
    ],
  ])('a request with %s', async (_name, target, host, answer) => {
    expect(await serving.raw(`GET ${target} HTTP/1.1\r\n${host}\r\nConnection: close\r\n\r\n`)).toMatch(
      answer,
    );
  });

  test('headers beyond 8 KiB are refused', async () => {
    expect(
      await serving.raw(`GET /livez HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(9_000)}\r\n\r\n`),
    ).toMatch(/^HTTP\/1\.1 431 /);
  });

  test('arbitrary bytes are answered with an error or not at all', async () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array)),
      fc
        .string({ unit: 'binary' })
        .map((text) => `GET ${text} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`),
      fc
        .string()
        .map((text) => `GET /readyz?exclude=${text} HTTP/1.1\r\nHost: ${text}\r\nConnection: close\r\n\r\n`),
    );
    await fc.assert(
      fc.asyncProperty(bytes, async (sent) => {
        expect(await serving.raw(sent)).toMatch(/^(?:HTTP\/1\.1 [2-5]\d\d |$)/);
      }),
      { numRuns: 200 },
    );
    expect((await serving.get('/livez')).status).toBe(200);
    expect(serving.world.logged).toEqual([]);
  });

  test('a client that disconnects in the middle of a large answer causes no error', async () => {
    const many = Array.from({ length: 3_000 }, (_, index) =>
      service(`11.0.${index >> 8}.${index & 255}`, 80),
    );
    serving.converge(passOf({ desired: desiredOf(...many) }));
    const socket = serving.opened();
    socket.write('GET /v1/diff HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await once(socket, 'data');
    socket.resetAndDestroy();
    expect((await serving.get('/livez')).status).toBe(200);
    expect(serving.world.logged).toEqual([]);
  });

  test('closing ends idle and stuck connections', async () => {
    const idle = serving.opened();
    const stuck = serving.opened();
    await Promise.all([once(idle, 'connect'), once(stuck, 'connect')]);
    stuck.write('GET /livez HTTP/1.1\r\nHost:');
    const closed = [idle, stuck].map((socket) => new Promise((resolve) => socket.once('close', resolve)));
    await Promise.all([serving.close(), ...closed]);
    serving = await Serving.start();
  });
});

describe('an address that cannot be used is reported in one line', () => {
  async function refusal(listen: HttpOptions['listen']): Promise<string> {
    const error = await Serving.start({ listen }).then(
      async (other) => await other.close(),
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(ControllerError);
    expect(error).toMatchObject({ code: 'usage', retry: 'never' });
    return error instanceof Error ? error.message : '';
  }

  test('a busy port, with the command that shows which process uses it', async () => {
    const port = serving.port;
    expect(await refusal({ address: '127.0.0.1', port })).toBe(
      `--listen 127.0.0.1:${port}: another process has this port (\`ss -ltnp sport = :${port}\` shows which); choose another with --listen ADDRESS:PORT, or --listen off`,
    );
  });

  test('an address of another host', async () => {
    expect(await refusal({ address: '192.0.2.1', port: 61_421 })).toMatch(
      /^--listen 192\.0\.2\.1:61421: this host has no address 192\.0\.2\.1 .*--listen off$/,
    );
  });
});
