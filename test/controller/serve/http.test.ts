import { once } from 'node:events';
import { type IncomingHttpHeaders, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { text as readAll } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ControllerError } from '../../../controller/errors.ts';
import { type HttpOptions, type HttpServer, startHttp } from '../../../controller/serve/http.ts';
import { createMetrics } from '../../../controller/serve/metrics.ts';
import { createStatusBoard, type StatusBoard } from '../../../controller/status/board.ts';
import { service } from '../../support/builders.ts';
import { desiredOf } from '../../support/observed.ts';
import { World } from '../../support/world.ts';
import { DB, passOf, settled, WEB } from '../status/passes.ts';

const SOURCE = 'file=apps.json';
const LOOPBACK = { address: '127.0.0.1', port: 0 };

let world: World;
let board: StatusBoard;
let server: HttpServer;

async function start(over: Partial<HttpOptions> = {}): Promise<HttpServer> {
  const options = { sources: [SOURCE], dryRun: false, clock: world.clock };
  board = createStatusBoard(options);
  const metrics = createMetrics(options);
  return await startHttp({
    listen: LOOPBACK,
    status: board.current,
    metrics,
    log: world.log,
    clock: world.clock,
    ...over,
  });
}

beforeEach(async () => {
  world = new World();
  server = await start();
});
afterEach(async () => {
  await server.close();
});

interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

async function get(path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Reply> {
  const { hostname, port } = new URL(server.url);
  const asking = request({
    hostname: hostname.replace(/[[\]]/g, ''),
    port,
    path,
    headers,
    method,
    agent: false,
  });
  asking.end();
  const [response] = await once(asking, 'response');
  return { status: response.statusCode, headers: response.headers, body: await readAll(response) };
}

/** A connection; the server may close it while something is still being sent. */
function opened(): Socket {
  const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
  socket.on('error', () => {});
  return socket;
}

/** Sends bytes as they are and gives back all that comes until the server closes. */
async function raw(bytes: string | Buffer): Promise<string> {
  const socket = opened();
  socket.end(bytes);
  let received = '';
  socket.on('data', (chunk: Buffer) => {
    received += chunk.toString('latin1');
  });
  await once(socket, 'close');
  return received;
}

function converge(pass = passOf({})): void {
  board.sourceRead(SOURCE, { apps: 1, complete: true, fromDiskOf: null });
  board.passed({ ...pass, startedAt: world.now, finishedAt: world.now });
}

describe('health', () => {
  test('is 503 with every check before the first pass, and 200 with ok afterwards', async () => {
    const before = await get('/readyz');
    expect(before.status).toBe(503);
    expect(before.body).toMatch(
      /^\[\+\]apps ok\n[\s\S]*\[-\]kernel failed: no pass yet\n[\s\S]*readyz check failed\n$/,
    );
    converge();
    expect(await get('/readyz')).toMatchObject({ status: 200, body: 'ok\n' });
    expect(await get('/healthz')).toMatchObject({ status: 200, body: 'ok\n' });
  });

  test('?verbose lists the checks also when all have passed', async () => {
    converge();
    const { body } = await get('/healthz?verbose');
    expect(body).toContain('[+]kernel ok\n[+]loop ok\n');
    expect(body).toMatch(/\nhealthz check passed\n$/);
  });

  test('?exclude leaves checks out by name, also one with blanks', async () => {
    const query = new URLSearchParams([
      ['exclude', 'kernel'],
      ['exclude', 'reachability'],
      ['exclude', `source ${SOURCE}`],
    ]);
    expect((await get(`/readyz?${query}`)).status).toBe(200);
  });

  test('/livez is 200 before the first pass, and 503 once the loop is stuck', async () => {
    expect((await get('/livez')).status).toBe(200);
    world.now += 61_000;
    expect((await get('/livez')).status).toBe(503);
    board.moved();
    expect((await get('/livez')).status).toBe(200);
  });

  test('a slower resync than the default is allowed for', async () => {
    await server.close();
    server = await start({ limits: { resyncMs: 3_600_000 } });
    converge();
    world.now += 3_000_000;
    board.moved();
    expect((await get('/readyz?exclude=source')).status).toBe(200);
  });
});

describe('/v1/vips', () => {
  test('is unknown before the first pass, not empty', async () => {
    const { status, body, headers } = await get('/v1/vips');
    expect(status).toBe(503);
    expect(JSON.parse(body)).toEqual({ error: 'no pass yet: a source has not been read' });
    expect(headers['retry-after']).toBe('5');
  });

  test('has the shape of dcos-net', async () => {
    converge();
    expect(JSON.parse((await get('/v1/vips')).body)).toEqual([
      {
        vip: 'web.marathon.l4lb.thisdcos.directory:80',
        protocol: 'tcp',
        backend: [{ ip: '10.0.0.1', port: 31_000 }],
      },
    ]);
  });

  test('is not sent again to whoever has it, also when another pass has changed nothing', async () => {
    converge();
    const first = await get('/v1/vips');
    const etag = first.headers.etag ?? '';
    converge(passOf({}));
    for (const known of [etag, `W/${etag}`, `"x", ${etag}`, '*']) {
      const again = await get('/v1/vips', { 'if-none-match': known });
      expect([again.status, again.body, again.headers.etag]).toEqual([304, '', etag]);
    }
    converge(passOf({ desired: desiredOf(WEB, DB) }));
    const changed = await get('/v1/vips', { 'if-none-match': etag });
    expect(changed.status).toBe(200);
    expect(changed.headers.etag).not.toBe(etag);
  });
});

describe('/v1/diff', () => {
  test('is what -o json prints of the last pass', async () => {
    const rejected = [{ app: '/bad', at: 'x', value: 'y', reason: 'z' }];
    converge(passOf({ desired: { ...desiredOf(WEB), rejected, warnings: ['odd'] }, before: settled() }));
    expect(JSON.parse((await get('/v1/diff')).body)).toMatchObject({
      apiVersion: 'marathon-ipvs/v1',
      summary: { add: 1 },
      services: [{ op: 'add', address: '11.0.0.1' }],
      rejected,
      warnings: ['odd'],
    });
  });

  test('is unknown before the first pass and after one that could not read the kernel', async () => {
    expect((await get('/v1/diff')).status).toBe(503);
    converge(passOf({ over: { error: 'CAP_NET_ADMIN is needed' } }));
    const { status, body } = await get('/v1/diff');
    expect([status, JSON.parse(body)]).toEqual([503, { error: 'CAP_NET_ADMIN is needed' }]);
  });
});

test('/metrics is what Prometheus reads', async () => {
  const { status, headers, body } = await get('/metrics');
  expect(status).toBe(200);
  expect(headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
  expect(body).toContain('# TYPE marathon_ipvs_passes_total counter');
  expect(body).toContain('process_cpu_seconds_total');
});

describe('what is not served is told as JSON', () => {
  test.each(['/', '/v1', '/v1/vips/', '//livez', '/livez/../metrics', '/%6civez', '*'])(
    '%s is no endpoint',
    async (path) => {
      const { status, body, headers } = await get(path);
      expect(status).toBe(404);
      expect(headers['content-type']).toBe('application/json; charset=utf-8');
      expect(JSON.parse(body)).toEqual({
        error: 'no such endpoint',
        endpoints: ['/livez', '/readyz', '/healthz', '/metrics', '/v1/vips', '/v1/diff'],
      });
    },
  );

  test.each(['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'TRACE', 'PURGE'])(
    '%s is not possible',
    async (method) => {
      const { status, body, headers } = await get('/livez', {}, method);
      expect([status, headers.allow]).toEqual([405, 'GET, HEAD']);
      expect(JSON.parse(body)).toEqual({ error: `${method} is not possible here`, methods: ['GET', 'HEAD'] });
    },
  );

  test('HEAD is GET without its body', async () => {
    const whole = await get('/livez');
    const head = await get('/livez', {}, 'HEAD');
    expect([head.status, head.body]).toEqual([200, '']);
    expect(head.headers['content-length']).toBe(whole.headers['content-length']);
  });
});

describe('over loopback', () => {
  test.each(['localhost', 'LOCALHOST:61421', '127.0.0.1:61421', '127.1.2.3', '[::1]:61421', 'localhost.:1'])(
    'a request for %s is answered',
    async (host) => {
      expect((await get('/livez', { host })).status).toBe(200);
    },
  );

  test.each([
    'evil.example',
    'evil.example:61421',
    '10.0.0.1:61421',
    '127.0.0.1.evil.example',
    'localhost.evil',
    '[::2]',
    '@',
    '::1',
  ])('a request for %j is not: a page could have made that name lead here', async (host) => {
    const { status, body } = await get('/metrics', { host });
    expect(status).toBe(421);
    expect(body).not.toContain('marathon_ipvs');
  });

  test('a request with an empty host is not', async () => {
    expect(await raw('GET /livez HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n')).toMatch(
      /^HTTP\/1\.1 421 /,
    );
  });

  test('a probe that speaks HTTP/1.0 without a host is answered', async () => {
    expect(await raw('GET /livez HTTP/1.0\r\n\r\n')).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  });
});

test('on other addresses every host is answered: a prober uses whatever name it has', async () => {
  await server.close();
  server = await start({ listen: { address: '0.0.0.0', port: 0 } });
  expect((await get('/livez', { host: 'node-17.example:61421' })).status).toBe(200);
});

test('IPv6 addresses are written in brackets', async () => {
  await server.close();
  server = await start({ listen: { address: '::1', port: 0 } });
  expect(server.url).toMatch(/^http:\/\/\[::1\]:\d+$/);
  expect((await get('/livez')).status).toBe(200);
});

test('every answer says that it is no page, not to be framed, guessed at or kept', async () => {
  for (const path of ['/livez', '/readyz', '/metrics', '/v1/diff', '/nowhere']) {
    expect((await get(path)).headers).toMatchObject({
      'cache-control': 'no-store',
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'referrer-policy': 'no-referrer',
    });
  }
});

describe('nothing that a client does ends or blocks the process', () => {
  test('an error while a request is answered gives 500 without its reason, which is logged', async () => {
    await server.close();
    server = await start({
      metrics: { contentType: 'text/plain', text: () => Promise.reject(new Error('the secret reason')) },
    });
    const { status, body } = await get('/metrics');
    expect(status).toBe(500);
    expect(body).not.toContain('secret');
    expect(world.logged).toMatchObject([
      { level: 'error', message: 'request failed', fields: { url: '/metrics' } },
    ]);
    expect((await get('/livez')).status).toBe(200);
  });

  test('headers beyond 8 KiB are refused', async () => {
    expect(await raw(`GET /livez HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(9_000)}\r\n\r\n`)).toMatch(
      /^HTTP\/1\.1 431 /,
    );
  });

  test('arbitrary bytes get an error or nothing', async () => {
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
        expect(await raw(sent)).toMatch(/^(?:HTTP\/1\.1 [2-5]\d\d |$)/);
      }),
      { numRuns: 200 },
    );
    expect((await get('/livez')).status).toBe(200);
    expect(world.logged).toEqual([]);
  });

  test('a client that goes away in the middle of a large answer is no error', async () => {
    const many = Array.from({ length: 3_000 }, (_, index) =>
      service(`11.0.${index >> 8}.${index & 255}`, 80),
    );
    converge(passOf({ desired: desiredOf(...many) }));
    const socket = opened();
    socket.write('GET /v1/diff HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await once(socket, 'data');
    socket.resetAndDestroy();
    expect((await get('/livez')).status).toBe(200);
    expect(world.logged).toEqual([]);
  });

  test('closing does not wait for idle or stuck connections', async () => {
    const idle = opened();
    const stuck = opened();
    await Promise.all([once(idle, 'connect'), once(stuck, 'connect')]);
    stuck.write('GET /livez HTTP/1.1\r\nHost:');
    const closed = [idle, stuck].map((socket) => new Promise((resolve) => socket.once('close', resolve)));
    const began = performance.now();
    await Promise.all([server.close(), ...closed]);
    expect(performance.now() - began).toBeLessThan(3_000);
    server = await start();
  });
});

describe('an address that cannot be used is told in one line', () => {
  async function refusal(listen: HttpOptions['listen']): Promise<string> {
    const error = await start({ listen }).then(
      async (other) => await other.close(),
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(ControllerError);
    expect(error).toMatchObject({ code: 'usage', retry: 'never' });
    return error instanceof Error ? error.message : '';
  }

  test('a busy port, with how to see who has it', async () => {
    const port = Number(new URL(server.url).port);
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
