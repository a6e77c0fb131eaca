import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Serving } from './serving.ts';

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
