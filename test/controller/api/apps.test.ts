/** `/v1/apps` over the real writer, at the test Marathon. */

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createMarathonClient } from '../../../controller/source/marathon/client.ts';
import { createMarathonWriter } from '../../../controller/source/marathon/writer.ts';
import { systemClock } from '../../../controller/time.ts';
import { startMarathon, type TestMarathon } from '../../support/marathon/start-marathon.ts';
import { accessOf, Serving, tokenOf } from './serving.ts';

const TOKEN = 'a-token-of-some-length';
const APP = {
  id: '/my-service',
  cmd: 'sleep 1000',
  cpus: 0.1,
  mem: 32,
  instances: 1,
  networks: [{ mode: 'host' }],
  portDefinitions: [{ name: 'my-vip', port: 5555, protocol: 'tcp', labels: { VIP_0: '/my-service:5555' } }],
};

let marathon: TestMarathon;
let serving: Serving;
beforeAll(async () => {
  marathon = await startMarathon({ processes: false, credentials: { basic: 'user:s3cret' } });
});
afterAll(() => marathon.close());

beforeEach(async () => {
  const where = marathon.url.replace('//', '//user:s3cret@');
  const writer = createMarathonWriter(createMarathonClient({ where, clock: systemClock }));
  serving = await Serving.start({
    writing: { writer, log: { debug() {}, info() {}, warn() {}, error() {} } },
    access: accessOf({ writeToken: tokenOf(TOKEN) }),
  });
});
const waitAMinute = () => {
  serving.world.now += 60_000;
};
afterEach(async () => {
  await serving.close();
  // Most tests have made none.
  await marathon.removeApp('/my-service').catch(() => undefined);
});

interface Asking {
  readonly method: string;
  readonly path: string;
  readonly headers?: Record<string, string>;
  readonly body?: string | Uint8Array<ArrayBuffer>;
}

async function request({ method, path, headers = {}, body }: Asking) {
  const response = await fetch(`${serving.url}/v1/apps${path}`, {
    method,
    headers,
    ...(body !== undefined && { body }),
  });
  return { status: response.status, headers: response.headers, body: await response.text() };
}

function ask(method: string, path: string, app?: unknown, headers: Record<string, string> = {}) {
  const json = app === undefined ? {} : { 'content-type': 'application/json' };
  const all = { authorization: `Bearer ${TOKEN}`, ...json, ...headers };
  return request({
    method,
    path,
    headers: all,
    ...(app !== undefined && { body: typeof app === 'string' ? app : JSON.stringify(app) }),
  });
}

describe('/v1/apps', () => {
  test('creates an app with exactly the bytes sent, reads back its definition, and removes it', async () => {
    const text = JSON.stringify(APP, null, 3);
    const created = await ask('POST', '', text);
    expect([created.status, JSON.parse(created.body)]).toMatchObject([200, { result: 'accepted' }]);
    expect(JSON.parse((await ask('GET', '')).body)).toEqual({ apps: ['/my-service'] });
    const { app } = JSON.parse((await ask('GET', '/my-service')).body);
    expect(app).toMatchObject(APP);
    for (const added of ['version', 'versionInfo', 'tasks', 'tasksRunning', 'deployments']) {
      expect(app).not.toHaveProperty(added);
    }
    await marathon.deployed();
    expect((await ask('DELETE', '/my-service')).status).toBe(200);
    await marathon.deployed();
    expect((await ask('GET', '/my-service')).status).toBe(404);
  });

  test('replaces the whole definition, and removes fields that are left out', async () => {
    await ask('POST', '', { ...APP, env: { A: 'b' } });
    await marathon.deployed();
    expect((await ask('PUT', '/my-service', { ...APP, cpus: 0.2 })).status).toBe(200);
    await marathon.deployed();
    const { app } = JSON.parse((await ask('GET', '/my-service')).body);
    expect([app.cpus, app.env ?? {}]).toEqual([0.2, {}]);
  });

  test('a refusal of Marathon names the field', async () => {
    const bad = { ...APP, portDefinitions: [{ port: 70_000 }] };
    const { status, body } = await ask('POST', '', bad);
    expect(status).toBe(422);
    expect(JSON.parse(body)).toMatchObject({ why: 'invalid', details: [{ at: 'portDefinitions[0].port' }] });
    await ask('POST', '', APP);
    await marathon.deployed();
    expect((await ask('POST', '', APP)).status).toBe(409);
  });

  test.each([
    [{}, 401],
    [{ authorization: 'Bearer wrong' }, 401],
    [{ authorization: `Basic ${TOKEN}` }, 401],
    [{ authorization: `Bearer ${TOKEN}`, origin: 'https://evil.example' }, 403],
    [{ authorization: `Bearer ${TOKEN}`, origin: 'null' }, 403],
    [{ authorization: `Bearer ${TOKEN}`, 'sec-fetch-site': 'cross-site' }, 403],
    [{ authorization: `Bearer ${TOKEN}`, 'sec-fetch-site': 'same-site' }, 403],
  ])('with %j it is %d, for reading too', async (headers: Record<string, string>, expected) => {
    for (const method of ['GET', 'POST', 'DELETE']) {
      // Not by fetch, which decides about some headers itself.
      expect((await serving.get('/v1/apps/my-service', headers, method)).status).toBe(expected);
    }
  });

  test('our own page may', async () => {
    const host = new URL(serving.url).host;
    const own = {
      authorization: `Bearer ${TOKEN}`,
      origin: serving.url,
      host,
      'sec-fetch-site': 'same-origin',
    };
    expect((await serving.get('/v1/apps', own)).status).toBe(200);
  });

  test.each<[string, Asking, number]>([
    ['no JSON', { method: 'POST', path: '', body: '{' }, 400],
    ['what is not UTF-8', { method: 'POST', path: '', body: Buffer.from('{"id": "/\xfc"}', 'latin1') }, 400],
    [
      'what is packed',
      { method: 'POST', path: '', body: '{}', headers: { 'content-encoding': 'gzip' } },
      415,
    ],
    ['a list', { method: 'POST', path: '', body: '[]' }, 400],
    [
      'another type',
      { method: 'POST', path: '', body: '{}', headers: { 'content-type': 'text/plain' } },
      415,
    ],
    ['too much', { method: 'PUT', path: '/a', body: `"${'x'.repeat(1_048_576)}"` }, 413],
    ['a place for none', { method: 'POST', path: '/a', body: '{}' }, 405],
    ['no id', { method: 'DELETE', path: '' }, 405],
    ['another path', { method: 'GET', path: 'lication' }, 404],
    ['another endpoint of Marathon', { method: 'GET', path: '/%2e%2e/info' }, 404],
    ['a query', { method: 'GET', path: '/a%3Fembed=x' }, 404],
  ])('%s is refused', async (_, asking, status) => {
    const headers = {
      authorization: `Bearer ${TOKEN}`,
      'content-type': 'application/json',
      ...asking.headers,
    };
    expect((await request({ ...asking, headers })).status).toBe(status);
  });

  test.each([
    '/my-service/tasks',
    '/my-service/tasks/my-service.1',
    '/my-service/versions',
    '/my-service/versions/2026-11-28t10.00.00z',
    '/my-service/restart',
    '/versions',
    '/*',
    '/my-service/*',
    '//',
    '//my-service',
    '/my-service//',
    '/my-service/',
    '/..',
    '/x/../my-service',
    '/./my-service',
    '/my-service%2Ftasks',
    '/%2Fmy-service',
    '/%',
    '/my-service%00',
    '/my-service;x=1',
    '/My-Service',
    '/my_service',
    '/-my-service',
    `/${'x'.repeat(2_000)}`,
  ])('%s is not a valid id: Marathon gets no request for it, whatever the method', async (path) => {
    await ask('POST', '', APP);
    await marathon.deployed();
    const headers = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' };
    for (const method of ['GET', 'PUT', 'DELETE']) {
      // Not by fetch, which tidies paths up.
      const { status, body } = await serving.get(`/v1/apps${path}`, headers, method);
      expect([status, JSON.parse(body).error]).toEqual([
        404,
        expect.stringMatching(/is not a valid app id: /),
      ]);
    }
    expect(JSON.parse((await ask('GET', '')).body)).toEqual({ apps: ['/my-service'] });
  });

  test('more than 120 requests per minute are refused', async () => {
    const statuses = [];
    for (let count = 0; count <= 120; count++) statuses.push((await ask('GET', '/none')).status);
    expect([statuses.filter((status) => status === 404).length, statuses.at(-1)]).toEqual([120, 429]);
    waitAMinute();
    expect((await ask('GET', '')).status).toBe(200);
  });

  test('after thirty wrong tokens of a client another one is answered with 429, and the right one is accepted', async () => {
    const statuses = [];
    for (let count = 0; count < 30; count++)
      statuses.push((await serving.get('/v1/apps', { authorization: 'x' })).status);
    expect(new Set(statuses)).toEqual(new Set([401]));
    expect((await serving.get('/v1/apps', { authorization: 'x' })).status).toBe(429);
    // Reading needs no token here.
    expect((await serving.get('/livez')).status).toBe(200);
    expect((await ask('GET', '')).status).toBe(200);
    waitAMinute();
    expect((await serving.get('/v1/apps', { authorization: 'x' })).status).toBe(401);
  });

  test('never reveals the credentials of the source', async () => {
    const replies = [await ask('GET', ''), await ask('GET', '/none'), await ask('POST', '', { id: 'UPPER' })];
    for (const { body, headers } of replies)
      expect(body + JSON.stringify([...headers])).not.toMatch(/s3cret|user:/);
  });

  test('is disabled by default, and the answer says how to enable it', async () => {
    await serving.close();
    serving = await Serving.start();
    const { status, body } = await ask('POST', '', APP);
    expect([status, body]).toEqual([403, expect.stringContaining('--allow-writes')]);
  });
});
