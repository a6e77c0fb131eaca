import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { desiredOf } from '../../support/observed.ts';
import { DB, passOf, settled, WEB } from '../status/passes.ts';
import { Serving } from './serving.ts';

let serving: Serving;

beforeEach(async () => {
  serving = await Serving.start();
});
afterEach(async () => {
  await serving.close();
});

describe('health', () => {
  test('is 503 with every check before the first pass, then 200 with ok', async () => {
    const before = await serving.get('/readyz');
    expect(before.status).toBe(503);
    expect(before.body).toMatch(
      /^\[\+\]apps ok\n[\s\S]*\[-\]kernel failed: no pass yet\n[\s\S]*readyz check failed\n$/,
    );
    serving.converge();
    expect(await serving.get('/readyz')).toMatchObject({ status: 200, body: 'ok\n' });
    expect(await serving.get('/healthz')).toMatchObject({ status: 200, body: 'ok\n' });
  });

  test('?verbose lists the checks even if all have passed', async () => {
    serving.converge();
    const { body } = await serving.get('/healthz?verbose');
    expect(body).toContain('[+]kernel ok\n[+]loop ok\n');
    expect(body).toMatch(/\nhealthz check passed\n$/);
  });

  test('?exclude leaves out checks by name, including a name with blanks', async () => {
    const query = new URLSearchParams([
      ['exclude', 'kernel'],
      ['exclude', 'reachability'],
      ['exclude', 'source file=apps.json'],
    ]);
    expect((await serving.get(`/readyz?${query}`)).status).toBe(200);
  });

  test('/livez is 200 before the first pass, and 503 once the loop is stuck', async () => {
    expect((await serving.get('/livez')).status).toBe(200);
    serving.world.now += 61_000;
    expect((await serving.get('/livez')).status).toBe(503);
    serving.board.moved();
    expect((await serving.get('/livez')).status).toBe(200);
  });

  test('a longer resync interval than the default is taken into account', async () => {
    await serving.close();
    serving = await Serving.start({ limits: { resyncMs: 3_600_000 } });
    serving.converge();
    serving.world.now += 3_000_000;
    serving.board.moved();
    expect((await serving.get('/readyz?exclude=source')).status).toBe(200);
  });
});

describe('/v1/vips', () => {
  test('is unavailable before the first pass, not empty', async () => {
    const { status, body, headers } = await serving.get('/v1/vips');
    expect(status).toBe(503);
    expect(JSON.parse(body)).toEqual({ error: 'no pass yet: a source has not been read' });
    expect(headers['retry-after']).toBe('5');
  });

  test('has the form of dcos-net', async () => {
    serving.converge();
    expect(JSON.parse((await serving.get('/v1/vips')).body)).toEqual([
      {
        vip: 'web.marathon.l4lb.thisdcos.directory:80',
        protocol: 'tcp',
        backend: [{ ip: '10.0.0.1', port: 31_000 }],
      },
    ]);
  });

  test('is not sent again to a client that has it, even after a pass without changes', async () => {
    serving.converge();
    const first = await serving.get('/v1/vips');
    const etag = first.headers.etag ?? '';
    serving.converge(passOf({}));
    for (const known of [etag, `W/${etag}`, `"x", ${etag}`, '*']) {
      const again = await serving.get('/v1/vips', { 'if-none-match': known });
      expect([again.status, again.body, again.headers.etag]).toEqual([304, '', etag]);
      // It would be taken for that of the document.
      expect(again.headers['content-length']).toBeUndefined();
    }
    serving.converge(passOf({ desired: desiredOf(WEB, DB) }));
    const changed = await serving.get('/v1/vips', { 'if-none-match': etag });
    expect(changed.status).toBe(200);
    expect(changed.headers.etag).not.toBe(etag);
  });
});

describe('/v1/diff', () => {
  test('is what -o json prints for the last pass', async () => {
    const rejected = [{ app: '/bad', at: 'x', value: 'y', reason: 'z' }];
    serving.converge(
      passOf({ desired: { ...desiredOf(WEB), rejected, warnings: ['odd'] }, before: settled() }),
    );
    expect(JSON.parse((await serving.get('/v1/diff')).body)).toMatchObject({
      apiVersion: 'marathon-ipvs/v1',
      summary: { add: 1 },
      services: [{ op: 'add', address: '11.0.0.1' }],
      rejected,
      warnings: ['odd'],
    });
  });

  test('is unavailable before the first pass and after one that could not read the kernel', async () => {
    expect((await serving.get('/v1/diff')).status).toBe(503);
    serving.converge(passOf({ over: { error: 'CAP_NET_ADMIN is needed' } }));
    const { status, body } = await serving.get('/v1/diff');
    expect([status, JSON.parse(body)]).toEqual([503, { error: 'CAP_NET_ADMIN is needed' }]);
  });
});

test('/metrics is what Prometheus reads', async () => {
  const { status, headers, body } = await serving.get('/metrics');
  expect(status).toBe(200);
  expect(headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
  expect(body).toContain('# TYPE marathon_ipvs_passes_total counter');
  expect(body).toContain('process_cpu_seconds_total');
});

describe('errors are JSON', () => {
  test.each(['/v1', '/v1/vips/', '//livez', '/livez/../metrics', '/%6civez', '*'])(
    '%s is no endpoint',
    async (path) => {
      const { status, body, headers } = await serving.get(path);
      expect(status).toBe(404);
      expect(headers['content-type']).toBe('application/json; charset=utf-8');
      expect(JSON.parse(body)).toEqual({
        error: 'no such endpoint',
        endpoints: [
          '/',
          '/livez',
          '/readyz',
          '/healthz',
          '/metrics',
          '/v1/status',
          '/v1/doctor',
          '/v1/why',
          '/v1/vips',
          '/v1/diff',
          '/v1/history',
          '/v1/events',
          '/v1/apps',
          '/v1/apps/{id}',
          '/v1/deployments/{id}',
        ],
      });
    },
  );

  test.each(['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'TRACE', 'PURGE'])(
    '%s is not allowed',
    async (method) => {
      const { status, body, headers } = await serving.get('/livez', {}, method);
      expect([status, headers.allow]).toEqual([405, 'GET, HEAD']);
      expect(JSON.parse(body)).toEqual({ error: `${method} is not allowed here`, methods: ['GET', 'HEAD'] });
    },
  );

  test.each([
    ['/v1/status?vip=a&vip=b', 'the query parameter "vip" is given 2 times, expected once'],
    ['/v1/history?vip=a&vip=a&vip=', 'the query parameter "vip" is given 3 times, expected once'],
    ['/livez?verbose&verbose', 'the query parameter "verbose" is given 2 times, expected once'],
    ['/v1/status?vips=web', 'unknown query parameter "vips": did you mean "vip"?'],
    ['/v1/status?name=web', 'unknown query parameter "name"; expected vip'],
    ['/v1/diff?vip=web', 'unknown query parameter "vip"; this endpoint takes none'],
  ])('%s is refused: it would not do what it says', async (path, error) => {
    const { status, body, headers } = await serving.get(path);
    expect([status, headers['content-type']]).toEqual([400, 'application/json; charset=utf-8']);
    expect(JSON.parse(body)).toEqual({ error });
  });

  test('what a probe or a browser adds to other paths is ignored, and a list may be repeated', async () => {
    for (const path of ['/?utm_source=a', '/livez?probe=1', '/metrics?x=1', '/livez?exclude=a&exclude=b'])
      expect([path, (await serving.get(path)).status]).toEqual([path, 200]);
  });

  test('HEAD is GET without its body', async () => {
    const whole = await serving.get('/livez');
    const head = await serving.get('/livez', {}, 'HEAD');
    expect([head.status, head.body]).toEqual([200, '']);
    expect(head.headers['content-length']).toBe(whole.headers['content-length']);
  });
});

describe('over loopback', () => {
  test.each(['localhost', 'LOCALHOST:61421', '127.0.0.1:61421', '127.1.2.3', '[::1]:61421', 'localhost.:1'])(
    'a request for %s is answered',
    async (host) => {
      expect((await serving.get('/livez', { host })).status).toBe(200);
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
  ])('a request for %j is not: a page could have made that name resolve to this address', async (host) => {
    const { status, body } = await serving.get('/metrics', { host });
    expect(status).toBe(421);
    expect(body).not.toContain('marathon_ipvs');
  });

  test('a request with an empty Host is not', async () => {
    expect(await serving.raw('GET /livez HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n')).toMatch(
      /^HTTP\/1\.1 421 /,
    );
  });

  test('an HTTP/1.0 probe without a Host header is answered', async () => {
    expect(await serving.raw('GET /livez HTTP/1.0\r\n\r\n')).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  });
});

test('on other addresses any Host is accepted, since probes use various names', async () => {
  await serving.close();
  serving = await Serving.start({ listen: { address: '0.0.0.0', port: 0 } });
  expect((await serving.get('/livez', { host: 'node-17.example:61421' })).status).toBe(200);
});

test('IPv6 addresses are written in brackets', async () => {
  await serving.close();
  serving = await Serving.start({ listen: { address: '::1', port: 0 } });
  expect(serving.url).toMatch(/^http:\/\/\[::1\]:\d+$/);
  expect((await serving.get('/livez')).status).toBe(200);
});

test('every answer forbids framing, content sniffing and caching', async () => {
  for (const path of ['/livez', '/readyz', '/metrics', '/v1/diff', '/nowhere']) {
    expect((await serving.get(path)).headers).toMatchObject({
      'cache-control': 'no-store',
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'referrer-policy': 'no-referrer',
    });
  }
});
