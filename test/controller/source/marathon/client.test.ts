import { PassThrough, pipeline, Readable } from 'node:stream';
import { createGzip, gzipSync } from 'node:zlib';
import { expect, test } from '@jest/globals';
import { systemClock } from '../../../../controller/time.ts';
import { fastClock, type Route, sendJson } from '../support.ts';
import { client, never, ok, refused, serve, useServers } from './client-setup.ts';

useServers();

test('an answer is read, also below a path and compressed', async () => {
  const marathon = await serve((request, response) => {
    expect(request.headers['accept-encoding']).toBe('gzip');
    response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('{"ok":"ä"}'));
  });
  expect(await client(`${marathon.url}/service/marathon/`).get('/v2/info?a=b', never)).toEqual({ ok: 'ä' });
  expect(marathon.requests).toEqual(['GET /service/marathon/v2/info?a=b']);
});

test('a character that is cut in two by a chunk’s end stays one', async () => {
  const bytes = Buffer.from('{"ok":"ä€😀"}');
  const marathon = await serve(async (_request, response) => {
    for (const byte of bytes) {
      response.write(Buffer.of(byte));
      await systemClock.sleep(0);
    }
    response.end();
  });
  expect(await client([marathon]).get('/', never)).toEqual({ ok: 'ä€😀' });
});

test.each<[string, Route, RegExp]>([
  ['truncated JSON', (_q, r) => void r.end('{"apps":[{"id"'), /the answer is not valid JSON \(14 bytes: /],
  [
    'text that is not UTF-8',
    (_q, r) => void r.end(Buffer.from('{"id":"/caf\xe9"}', 'latin1')),
    /the answer is not valid JSON \(14 bytes: not UTF-8: the byte at offset 11 \(0xe9\) is part of no character\)/,
  ],
  ['an empty body', (_q, r) => void r.end(), /the answer is not valid JSON \(0 bytes/],
  ['a page of HTML', (_q, r) => void r.end('<html>log in'), /the answer is not valid JSON/],
  ['a 500', (_q, r) => sendJson(r, { message: 'boom' }, 500), /answered 500 "boom"/],
  [
    'a 502',
    (_q, r) => void r.writeHead(502).end('no leader'),
    /answered 502 "no leader"; Marathon has no leader/,
  ],
  ['a 503', (_q, r) => void r.writeHead(503).end(), /answered 503; Marathon has no leader/],
  [
    'a 404 of a proxy',
    (_q, r) => void r.writeHead(404).end('<html>'),
    /answered 404 "<html>"; is this the address of a Marathon\?/,
  ],
  [
    'a 401',
    (_q, r) => sendJson(r, { message: 'Invalid username or password.' }, 401),
    /answered 401 "Invalid username.*check the credentials/,
  ],
  [
    'a 403',
    (_q, r) => sendJson(r, { message: 'Not Authorized' }, 403),
    /answered 403 "Not Authorized"; these credentials may not read apps/,
  ],
  [
    'gzip that breaks off',
    (_q, r) => void r.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('{}').subarray(0, 12)),
    /unexpected end of file/,
  ],
  [
    'an encoding that was not requested',
    (_q, r) => void r.writeHead(200, { 'content-encoding': 'Br' }).end('x'),
    /the answer has Content-Encoding "br", expected gzip or none/,
  ],
  [
    'two encodings',
    (_q, r) => void r.writeHead(200, { 'content-encoding': 'gzip, deflate' }).end('x'),
    /Content-Encoding "gzip, deflate", expected gzip/,
  ],
  [
    'a body that breaks off',
    (_q, r) => {
      r.writeHead(200, { 'content-length': 100 }).write('{');
      setTimeout(() => r.destroy(), 5);
    },
    /other side closed|aborted|terminated/i,
  ],
  ['a closed connection', (q) => void q.socket.destroy(), /other side closed|ECONNRESET/],
  [
    'a redirect in a circle',
    (_q, r) => void r.writeHead(302, { location: '/again?token=secret' }).end(),
    /redirected more than 5 times, last to http:[^?]*\/again$/,
  ],
  [
    'a redirect to no web page',
    (_q, r) => void r.writeHead(302, { location: 'file:///etc/passwd' }).end(),
    /redirected to file:, which is not HTTP/,
  ],
])('is a failure that names the request and the server: %s', async (_name, route, message) => {
  const marathon = await serve(route);
  const asking = client([marathon]).get('/v2/apps', never);
  await expect(asking).rejects.toThrow(message);
  await expect(asking).rejects.toThrow(`GET ${marathon.url}/v2/apps: `);
  await expect(asking).rejects.toMatchObject({ name: 'ControllerError', code: 'source' });
});

test('a refused connection is a failure that can pass', async () => {
  await expect(client(refused).get('/v2/info', never)).rejects.toMatchObject({
    code: 'source',
    retry: 'later',
    message: expect.stringContaining('ECONNREFUSED'),
  });
});

test.each([
  ['000', 'an HTTP status below 100, which is not valid'],
  ['099', 'an HTTP status below 100, which is not valid'],
  ['100', 'HTTP status 100 (Continue), which was not asked for'],
  ['101', 'HTTP status 101 (Switching Protocols), which was not asked for'],
])('an answer with the status %s, with which no exchange can end, is named', async (status, what) => {
  const marathon = await serve((_request, response) => {
    response.socket?.end(`HTTP/1.1 ${status} X\r\nContent-Length: 2\r\n\r\n{}`);
  });
  await expect(client([marathon]).get('/v2/info', never)).rejects.toMatchObject({
    code: 'source',
    retry: 'later',
    message: `GET ${marathon.url}/v2/info: answered with ${what}; is this the address of a Marathon?`,
  });
});

test('an error that only an operator can fix is not retried', async () => {
  const marathon = await serve((_request, response) => void response.writeHead(401).end());
  await expect(client([marathon]).get('/', never)).rejects.toMatchObject({ retry: 'never' });
});

test('Marathon’s own answer that something does not exist is null', async () => {
  const marathon = await serve((_request, response) =>
    sendJson(response, { message: "App '/x' does not exist" }, 404),
  );
  expect(await client([marathon]).get('/v2/apps/x', never)).toBeNull();
});

test('a path that an old Marathon does not know is null', async () => {
  const marathon = await serve((_request, response) => sendJson(response, { message: 'URI not found' }, 500));
  expect(await client([marathon]).get('/v2/pods/::status', never)).toBeNull();
});

test('a body larger than the limit is refused while it is read', async () => {
  const marathon = await serve(
    (_request, response) => void response.end(JSON.stringify({ x: 'x'.repeat(5_000) })),
  );
  await expect(client([marathon], { maxBodyBytes: 1_000 }).get('/', never)).rejects.toThrow(
    'the answer is larger than 1000 bytes',
  );
});

test.each(['GZIP', 'x-gzip', 'X-GZip', 'gzip, identity', ' gzip ', 'identity,gzip'])(
  'an answer is unzipped whatever way its encoding is written: %s',
  async (encoding) => {
    const marathon = await serve((_request, response) =>
      response.writeHead(200, { 'content-encoding': encoding }).end(gzipSync('{"ok":true}')),
    );
    expect(await client([marathon]).get('/', never)).toEqual({ ok: true });
  },
);

test.each(['identity', 'Identity', ''])('an answer that is not encoded says so: %j', async (encoding) => {
  const marathon = await serve((_request, response) =>
    response.writeHead(200, { 'content-encoding': encoding }).end('{"ok":true}'),
  );
  expect(await client([marathon]).get('/', never)).toEqual({ ok: true });
});

test('a small body that unpacks to one larger than the limit is refused', async () => {
  const bomb = gzipSync(JSON.stringify({ x: 'x'.repeat(50_000) }));
  const marathon = await serve(
    (_request, response) => void response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb),
  );
  await expect(client([marathon], { maxBodyBytes: 10_000 }).get('/', never)).rejects.toThrow(
    'the answer is larger than 10000 bytes (unzipped)',
  );
});

test.each(['plain', 'gzip'])(
  'an endless body of an error response is not read to its end: %s',
  async (encoding) => {
    const marathon = await serve((_request, response) => {
      response.writeHead(500, encoding === 'gzip' ? { 'content-encoding': encoding } : {});
      const endless = Readable.from(
        (function* () {
          for (;;) yield Buffer.alloc(65_536, 'no room left ');
        })(),
      );
      const zip = encoding === 'gzip' ? createGzip({ level: 0 }) : new PassThrough();
      pipeline(endless, zip, response, () => undefined);
    });
    await expect(client([marathon]).get('/v2/apps', never)).rejects.toThrow(/answered 500 "no room left no/);
  },
);

test('an answer that never ends times out', async () => {
  const marathon = await serve((_request, response) => {
    response.write('[');
    const drip = setInterval(() => response.write('1,'), 5);
    response.on('close', () => clearInterval(drip));
  });
  const hasty = client([marathon], { clock: fastClock(2_000) });
  await expect(hasty.get('/', never)).rejects.toThrow('no complete answer in 120 s');
});

test('a request ends at once when it is aborted', async () => {
  const marathon = await serve(() => undefined);
  const stop = new AbortController();
  const asking = client([marathon]).get('/', stop.signal);
  stop.abort(new Error('enough'));
  await expect(asking).rejects.toThrow('enough');
});

test('when a master fails, the next one is tried, and first from then on', async () => {
  const down = await serve((_request, response) => void response.writeHead(503).end());
  const up = await serve(ok);
  const both = client([down, up]);
  await both.get('/1', never);
  await both.get('/2', never);
  expect([down.requests, up.requests]).toEqual([['GET /1'], ['GET /1', 'GET /2']]);
});

test('when all masters fail the message has all of them', async () => {
  const down = await serve((_request, response) => void response.writeHead(503).end());
  await expect(client(`${refused},${down.url}`).get('/x', never)).rejects.toThrow(
    new RegExp(`GET ${refused}/x: .*ECONNREFUSED.*; GET ${down.url}/x: answered 503`),
  );
});

test.each(['', 'localhost:8080', 'ftp://a', 'http://', 'http://a,,http://b', 'http://u:p@'])(
  '"%s" is no address of a Marathon',
  (where) => {
    expect(() => client(where)).toThrow(
      /Marathon's address ".*": expected http:\/\/HOST:PORT or https:\/\/HOST:PORT/,
    );
  },
);

test('a later master may leave out the scheme', () => {
  expect(client('https://a:8443, b:8443').name).toBe('https://a:8443,https://b:8443');
});

test('a CA file that is not there is published by name', async () => {
  await expect(client('https://127.0.0.1:1', { caFile: '/no/ca.pem' }).get('/', never)).rejects.toThrow(
    '--marathon-ca-file: /no/ca.pem cannot be read: there is no such file or directory',
  );
});
