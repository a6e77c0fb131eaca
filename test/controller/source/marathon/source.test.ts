import { expect, test } from '@jest/globals';
import { type Delta, isEmpty } from '../../../../controller/model/delta.ts';
import { systemClock } from '../../../../controller/time.ts';
import { reached, sendJson, until } from '../support.ts';
import {
  app,
  asked,
  changed,
  followed,
  ids,
  marathon,
  never,
  on,
  source,
  status,
  task,
  useStubMarathon,
  V1,
  V2,
} from './source-setup.ts';

useStubMarathon();

test('everything is read once: apps with tasks, pods, and the framework that Marathon is', async () => {
  marathon.info = { marathon_config: { framework_name: 'dev' } };
  marathon.pods.set('/p', { spec: { containers: [] }, instances: [] });
  const { apps } = await source().read(never);
  expect(apps.map(({ id, kind, framework }) => [id, kind, framework])).toEqual([
    ['/a', 'app', 'dev'],
    ['/b', 'app', 'dev'],
    ['/p', 'pod', 'dev'],
  ]);
  expect(marathon.requests).toEqual([
    'GET /v2/info',
    'GET /v2/apps?embed=apps.tasks',
    'GET /v2/pods/::status',
  ]);
});

test.each([
  ['says no framework name', { version: '0.7.0', marathon_config: { ha: true } }, undefined, 'marathon'],
  ['is overruled', { marathon_config: { framework_name: 'dev' } }, 'prod', 'prod'],
])('the framework of a Marathon that %s', async (_name, info, framework, expected) => {
  marathon.info = info;
  expect((await source({ framework }).read(never)).apps[0]?.framework).toBe(expected);
});

test('an empty object does not name the framework', async () => {
  marathon.info = {};
  await expect(source().read(never)).rejects.toThrow('/v2/info: expected name, version or marathon_config');
});

test('an empty list is an answer', async () => {
  marathon.apps.clear();
  expect((await source().read(never)).apps).toEqual([]);
});

test.each<[string, unknown]>([
  ['no apps', {}],
  ['apps that are no list', { apps: {} }],
  ['a list', []],
  ['null', null],
])('an answer with %s is a failure, and never an empty cluster', async (_name, body) => {
  marathon.intercept = on('/v2/apps', (_request, response) => sendJson(response, body));
  await expect(source().read(never)).rejects.toMatchObject({
    code: 'source',
    message: expect.stringContaining('/v2/apps'),
  });
});

test('a Marathon from before there were pods has none', async () => {
  marathon.intercept = on('/v2/pods', status(500, { message: 'URI not found' }));
  expect((await source().read(never)).apps).toHaveLength(2);
});

test('when the pods cannot be read nothing was read', async () => {
  marathon.intercept = on('/v2/pods', status(500, { message: 'boom' }));
  await expect(source().read(never)).rejects.toThrow('answered 500 "boom"');
});

test.each([
  ['/v2/pods', '{}', /v2\/pods.*expected a list of pods, but Marathon answered with something else/],
  [
    '/v2/apps',
    '[]',
    /v2\/apps.*expected an object with a list `apps`, but Marathon answered with something else/,
  ],
  ['/v2/apps', '[', /the answer is not valid JSON/],
  ['/v2/info', 'null', /v2\/info: expected name, version.*, but Marathon answered with something else/],
])('an answer to %s that is %s is told as what it is', async (path, body, message) => {
  marathon.intercept = on(path, (_request, response) => void response.end(body));
  await expect(source().read(never)).rejects.toThrow(message);
});

test('one malformed app does not harm the others', async () => {
  marathon.apps.set('/bad', { cmd: 'x', portDefinitions: 'http' });
  const { apps } = await source().read(never);
  expect(apps.map(({ id, rejected }) => [id, rejected[0]?.at])).toEqual([
    ['/a', undefined],
    ['/b', undefined],
    ['/bad', 'portDefinitions'],
  ]);
});

test('at the start everything is read once, when the stream is open', async () => {
  const listener = await followed();
  expect(listener.reads).toEqual([{ complete: true, since: expect.any(Number) }]);
  expect(listener.errors).toEqual([]);
});

test('an event re-reads the app that it names and nothing else', async () => {
  const listener = await followed();
  const [a, b] = listener.last.apps;
  marathon.apps.set('/a', app('a:80', { tasks: [task(31000)] }));
  const before = systemClock.monotonic();
  changed('/a');
  await until('the change is reported', () => listener.snapshots.length === 2);
  expect(marathon.requests).toEqual(['GET /v2/apps/a?embed=app.tasks']);
  expect(reached(listener.app('/a')?.tasks[0])).toBe('10.0.0.1:31000');
  expect(listener.app('/a')).not.toBe(a);
  expect(listener.app('/b')).toBe(b);
  const { complete, since } = listener.reads[1] ?? {};
  expect(complete).toBe(false);
  expect(since).toBeGreaterThanOrEqual(before);
  expect(since).toBeLessThanOrEqual(systemClock.monotonic());
});

test('many events for one app are a read at once, and one for all that follow', async () => {
  const listener = await followed({ restMs: 500 });
  for (let i = 0; i < 20; i++) changed('/a');
  await until('the change is reported', () => listener.snapshots.length === 2);
  await systemClock.sleep(150);
  expect(marathon.requests.length).toBeLessThanOrEqual(2);
});

test('more dirty apps than the limit are read as one list', async () => {
  const listener = await followed({ maxDirty: 3 });
  const actions = ['/1', '/2', '/3', '/4'].map((app) => ({ action: 'ScaleApplication', app }));
  marathon.emit('deployment_success', { plan: { steps: [{ actions }] } });
  await until('everything is read', () => listener.reads.length === 2);
  expect(marathon.requests).toEqual(['GET /v2/apps?embed=apps.tasks', 'GET /v2/pods/::status']);
});

test('no more apps than the limit are read at once', async () => {
  const listener = await followed({ inFlight: 2 });
  let now = 0;
  let most = 0;
  marathon.intercept = (_request, response) => {
    most = Math.max(most, ++now);
    setTimeout(() => {
      now -= 1;
      sendJson(response, { app: { id: response.req.url?.slice('/v2/apps'.length).split('?')[0], cmd: 'x' } });
    }, 10);
    return true;
  };
  for (const id of ['/1', '/2', '/3', '/4', '/5']) changed(id);
  await until('all are read', () => listener.last.apps.length === 7);
  expect(most).toBe(2);
});

test('an app that Marathon does not know any more is gone', async () => {
  const listener = await followed();
  marathon.apps.delete('/a');
  marathon.emit('app_terminated_event', { appId: '/a' });
  await until('it is gone', () => !ids(listener).includes('/a'));
  expect(ids(listener)).toEqual(['/b']);
});

test('a 404 that does not come from Marathon removes no app', async () => {
  const listener = await followed();
  marathon.intercept = on('/', status(404, '<html>not here</html>'));
  changed('/a');
  await until('the failure is reported', () => listener.errors.length > 0);
  expect(ids(listener)).toEqual(['/a', '/b']);
});

test('an app or a pod that was not known before is found by its id', async () => {
  const listener = await followed();
  marathon.apps.set('/g/new', app('new:80'));
  marathon.pods.set('/p', { spec: { containers: [] }, instances: [] });
  changed('/g/new');
  changed('/p');
  await until('both are reported', () => ids(listener).length === 4);
  expect(listener.app('/g/new')?.kind).toBe('app');
  expect(listener.app('/p')?.kind).toBe('pod');
  expect(asked('/v2/apps?')).toEqual([]);
});

test('an app that cannot be read is retried, and delays no other', async () => {
  const listener = await followed();
  marathon.intercept = on('/v2/apps/a', status(500));
  marathon.apps.set('/a', app('new:80'));
  changed('/a');
  await until('the failure is reported', () => listener.errors.length > 0);
  marathon.apps.set('/b', app('new:81'));
  changed('/b');
  await until('the other is reported', () => listener.app('/b')?.ports[0]?.labels['VIP_0'] === 'new:81');
  marathon.intercept = () => false;
  await until('it is reported too', () => listener.app('/a')?.ports[0]?.labels['VIP_0'] === 'new:80');
});

test('a change during a full read is read after it', async () => {
  const listener = await followed();
  let release = () => {};
  marathon.intercept = on('/v2/apps?', (_request, response) => {
    const old = { apps: [...marathon.apps].map(([id, fields]) => ({ id, ...fields })) };
    release = () => sendJson(response, old);
  });
  marathon.emit('pod_created_event', { uri: '/v2/pods' });
  await until('the list is asked for', () => asked('/v2/apps?').length === 1);
  marathon.apps.set('/a', app('new:80'));
  changed('/a');
  await systemClock.sleep(20);
  release();
  await until('the change is reported', () => listener.app('/a')?.ports[0]?.labels['VIP_0'] === 'new:80');
});

test('a full read in which nothing changed publishes no change, though health was probed again', async () => {
  const probed = (at: string) =>
    app('a:80', {
      healthChecks: [{}],
      tasks: [task(31000, { healthCheckResults: [{ alive: true, lastSuccess: at }] })],
    });
  marathon.apps.set('/a', probed(V1));
  const listener = await followed();
  marathon.apps.set('/a', probed(V2));
  marathon.emit('pod_created_event', { uri: '/v2/pods' });
  await until('everything is read again', () => listener.snapshots.length === 2);
  expect(listener.reads[1]?.complete).toBe(true);
  expect(isEmpty(listener.deltas[1] as Delta)).toBe(true);
});
