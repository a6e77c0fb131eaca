import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { systemClock } from '../../../controller/loop/clock.ts';
import {
  createMarathonClient,
  type MarathonClientOptions,
} from '../../../controller/source/marathon-client.ts';
import { fastClock, type Route, sendJson, startServer, type TestServer } from './support.ts';

let servers: TestServer[];
let directory: string;

beforeEach(async () => {
  servers = [];
  directory = await mkdtemp(join(tmpdir(), 'marathon-client-'));
});

afterEach(async () => {
  await Promise.all(servers.map((server) => server.close()));
  await rm(directory, { recursive: true });
});

const never = new AbortController().signal;

async function serve(route: Route): Promise<TestServer> {
  const server = await startServer(route);
  servers.push(server);
  return server;
}

function client(where: string | TestServer[], options: Partial<MarathonClientOptions> = {}) {
  const urls = typeof where === 'string' ? where : where.map(({ url }) => url).join(',');
  return createMarathonClient({ where: urls, clock: systemClock, ...options });
}

async function secret(text: string): Promise<string> {
  const path = join(directory, 'secret');
  await writeFile(path, text);
  return path;
}

const ok: Route = (_request, response) => sendJson(response, { ok: true });
const refused = 'http://127.0.0.1:1';

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
  ['truncated JSON', (_q, r) => void r.end('{"apps":[{"id"'), /the answer is no JSON \(14 characters: /],
  ['an empty body', (_q, r) => void r.end(), /the answer is no JSON \(0 characters/],
  ['a page of HTML', (_q, r) => void r.end('<html>log in'), /the answer is no JSON/],
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
    (_q, r) => void r.writeHead(302, { location: '/again' }).end(),
    /redirected more than 5 times/,
  ],
  [
    'a redirect to no web page',
    (_q, r) => void r.writeHead(302, { location: 'file:///etc/passwd' }).end(),
    /redirected to file:, which is not HTTP/,
  ],
])('is a failure that says what was asked of whom: %s', async (_name, route, message) => {
  const marathon = await serve(route);
  const asking = client([marathon]).get('/v2/apps', never);
  await expect(asking).rejects.toThrow(message);
  await expect(asking).rejects.toThrow(`GET ${marathon.url}/v2/apps: `);
  await expect(asking).rejects.toMatchObject({ name: 'ControllerError', code: 'source' });
});

test('nobody who listens is a failure that can pass', async () => {
  await expect(client(refused).get('/v2/info', never)).rejects.toMatchObject({
    code: 'source',
    retry: 'later',
    message: expect.stringContaining('ECONNREFUSED'),
  });
});

test('what only a person can mend is not worth another try', async () => {
  const marathon = await serve((_request, response) => void response.writeHead(401).end());
  await expect(client([marathon]).get('/', never)).rejects.toMatchObject({ retry: 'never' });
});

test('Marathon’s own word that something does not exist is null', async () => {
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

test('a small body that unpacks to one larger than the limit is refused', async () => {
  const bomb = gzipSync(JSON.stringify({ x: 'x'.repeat(50_000) }));
  const marathon = await serve(
    (_request, response) => void response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb),
  );
  await expect(client([marathon], { maxBodyBytes: 10_000 }).get('/', never)).rejects.toThrow(
    /larger than 10000|buffer/i,
  );
});

test('an answer that never ends is given up', async () => {
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

test('when a master fails the next one is asked, and asked first from then on', async () => {
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

test('basic credentials and tokens come from files', async () => {
  const marathon = await serve(ok);
  await client([marathon], { credentials: { kind: 'basic', path: await secret('user:pass:word\n') } }).get(
    '/',
    never,
  );
  await client([marathon], { credentials: { kind: 'token', path: await secret('abc.def\n') } }).get(
    '/',
    never,
  );
  expect(marathon.authorizations).toEqual([`Basic ${btoa('user:pass:word')}`, 'token=abc.def']);
});

test('a user in the URL is used, and is in no name and no message', async () => {
  const marathon = await serve((_request, response) => void response.writeHead(500).end());
  const one = client(marathon.url.replace('//', '//me:s%40cret@'));
  await expect(one.get('/', never)).rejects.toThrow(expect.not.stringContaining('cret') as unknown as string);
  expect(marathon.authorizations).toEqual([`Basic ${btoa('me:s@cret')}`]);
  expect(one.name).toBe(marathon.url);
});

test('after a 401 the file is read again, once', async () => {
  const path = await secret('old');
  const marathon = await serve((request, response) => {
    if (request.headers.authorization === 'token=new') return sendJson(response, {});
    void writeFile(path, 'new').then(() => response.writeHead(401).end());
  });
  const one = client([marathon], { credentials: { kind: 'token', path } });
  await one.get('/', never);
  await one.get('/', never);
  expect(marathon.authorizations).toEqual(['token=old', 'token=new', 'token=new']);
});

test('after a 401 with credentials that are still the same nothing is tried again', async () => {
  const marathon = await serve((_request, response) => void response.writeHead(401).end());
  const one = client([marathon], { credentials: { kind: 'token', path: await secret('old') } });
  await expect(one.get('/', never)).rejects.toThrow('answered 401; check the credentials');
  expect(marathon.requests).toHaveLength(1);
});

test.each([
  ['basic', 'no colon', /secret: expected user:password on one line$/],
  ['token', 'two words', /secret: expected a DC\/OS token on one line$/],
  ['token', '', /expected a DC\/OS token/],
] as const)(
  'a file for %s credentials with %j is refused without showing it',
  async (kind, text, message) => {
    const one = client(refused, { credentials: { kind, path: await secret(text) } });
    await expect(one.get('/', never)).rejects.toThrow(message);
    await expect(one.get('/', never)).rejects.toMatchObject({ code: 'usage' });
  },
);

test('a credentials file that is not there is told by name', async () => {
  const one = client(refused, { credentials: { kind: 'token', path: '/no/such/file' } });
  await expect(one.get('/', never)).rejects.toThrow('credentials file /no/such/file cannot be read: ENOENT');
});

test('a redirect to another master carries the credentials', async () => {
  const leader = await serve(ok);
  const standby = await serve(
    (request, response) => void response.writeHead(302, { location: `${leader.url}${request.url}` }).end(),
  );
  await client([standby, leader], { credentials: { kind: 'token', path: await secret('t') } }).get(
    '/v2/info',
    never,
  );
  expect(leader.authorizations).toEqual(['token=t']);
});

test('a redirect to a stranger is followed without the credentials, and a refusal there says so', async () => {
  const stranger = await serve((_request, response) => void response.writeHead(401).end());
  const standby = await serve(
    (_request, response) => void response.writeHead(302, { location: `${stranger.url}/x` }).end(),
  );
  const one = client([standby], { credentials: { kind: 'token', path: await secret('t') } });
  await expect(one.get('/', never)).rejects.toThrow('the credentials were not sent');
  expect(stranger.authorizations).toEqual([undefined]);
});

test('the leader that a master names may see the credentials', async () => {
  const leader = await serve(ok);
  const standby = await serve((request, response) => {
    if (request.url === '/v2/info')
      return void response.writeHead(200, { 'x-marathon-leader': leader.url }).end('{}');
    response.writeHead(302, { location: `${leader.url}${request.url}` }).end();
  });
  const one = client([standby], { credentials: { kind: 'token', path: await secret('t') } });
  await one.get('/v2/info', never);
  await one.get('/v2/apps', never);
  expect(leader.authorizations).toEqual(['token=t']);
});

test.each<[string, (leader: string) => string]>([
  ['over another scheme', (leader) => leader.replace('http:', 'https:')],
  ['that is no URL', () => 'leader'],
])('a leader %s is not trusted', async (_name, named) => {
  const leader = await serve(ok);
  const standby = await serve((_request, response) => {
    response.writeHead(302, { location: `${leader.url}/`, 'x-marathon-leader': named(leader.url) }).end();
  });
  await client([standby], { credentials: { kind: 'token', path: await secret('t') } }).get('/', never);
  expect(leader.authorizations).toEqual([undefined]);
});

test('a leader that a stranger names is not trusted', async () => {
  const other = await serve(ok);
  const stranger = await serve((_request, response) => {
    response.writeHead(302, { location: other.url, 'x-marathon-leader': other.url }).end();
  });
  const standby = await serve(
    (_request, response) => void response.writeHead(302, { location: stranger.url }).end(),
  );
  await client([standby], { credentials: { kind: 'token', path: await secret('t') } }).get('/', never);
  expect(other.authorizations).toEqual([undefined]);
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

test('a CA file that is not there is told by name', async () => {
  await expect(client('https://127.0.0.1:1', { caFile: '/no/ca.pem' }).get('/', never)).rejects.toThrow(
    'CA file /no/ca.pem cannot be read: ENOENT',
  );
});
