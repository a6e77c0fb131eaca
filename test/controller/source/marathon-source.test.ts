import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { systemClock } from '../../../controller/loop/clock.ts';
import {
  createMarathonSource,
  type MarathonSourceOptions,
} from '../../../controller/source/marathon-source.ts';
import { type StubMarathon, startStub } from './stub-marathon.ts';
import { fastClock, namesOf, type Route, reached, sendJson, silent, Told, until } from './support.ts';

let marathon: StubMarathon;
let stop: AbortController;
let following: Promise<void>[];

const V1 = '2020-01-01T00:00:00.000Z';
const V2 = '2020-02-02T00:00:00.000Z';
const app = (vip: string, fields: object = {}) => ({
  cmd: 'x',
  portDefinitions: [{ labels: { VIP_0: vip } }],
  ...fields,
});
const task = (port: number, fields: object = {}) => ({
  id: `task.${port}`,
  host: '10.0.0.1',
  state: 'TASK_RUNNING',
  ports: [port],
  version: V1,
  ...fields,
});
const version = (at: string) => ({ version: at, versionInfo: { lastConfigChangeAt: at } });

beforeEach(async () => {
  marathon = await startStub({ '/a': app('a:80'), '/b': app('b:80') });
  stop = new AbortController();
  following = [];
});

afterEach(async () => {
  stop.abort();
  await Promise.all(following);
  await marathon.close();
});

const never = new AbortController().signal;

function source(options: Partial<MarathonSourceOptions> = {}) {
  const defaults = { where: marathon.url, resolver: namesOf(), log: silent, spreadMs: 0, gatherMs: 5 };
  return createMarathonSource({ ...defaults, ...options });
}

/** Follows from the first full read and a connected stream on; forgets the requests so far. */
async function followed(options: Partial<MarathonSourceOptions> = {}): Promise<Told> {
  const told = new Told();
  following.push(source(options).follow(told, stop.signal));
  await until('the first read', () => told.snapshots.length > 0 && marathon.streams() > 0);
  marathon.requests.length = 0;
  return told;
}

/** Answers requests whose path begins so in another way. */
const on =
  (prefix: string, act: Route): StubMarathon['intercept'] =>
  (request, response) => {
    if (!request.url?.startsWith(prefix)) return false;
    act(request, response);
    return true;
  };
const status =
  (code: number, body: string | object = ''): Route =>
  (_request, response) =>
    typeof body === 'string' ? void response.writeHead(code).end(body) : sendJson(response, body, code);
const changed = (id: string) => marathon.emit('instance_changed_event', { runSpecId: id });
const ids = (told: Told) => told.last.apps.map(({ id }) => id);
const asked = (prefix: string) => marathon.requests.filter((request) => request.startsWith(`GET ${prefix}`));

// ---- reading once

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
  ['says no framework name', {}, undefined, 'marathon'],
  ['is overruled', { marathon_config: { framework_name: 'dev' } }, 'prod', 'prod'],
])('the framework of a Marathon that %s', async (_name, info, framework, expected) => {
  marathon.info = info;
  expect((await source({ framework }).read(never)).apps[0]?.framework).toBe(expected);
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

test('one malformed app does not harm the others', async () => {
  marathon.apps.set('/bad', { cmd: 'x', portDefinitions: 'http' });
  const { apps } = await source().read(never);
  expect(apps.map(({ id, rejected }) => [id, rejected[0]?.at])).toEqual([
    ['/a', undefined],
    ['/b', undefined],
    ['/bad', 'portDefinitions'],
  ]);
});

// ---- events

test('at the start everything is read once, when the stream stands', async () => {
  const told = await followed();
  expect(told.reads).toEqual([{ complete: true, since: expect.any(Number) }]);
  expect(told.errors).toEqual([]);
});

test('an event re-reads the app that it names and nothing else', async () => {
  const told = await followed();
  const [a, b] = told.last.apps;
  marathon.apps.set('/a', app('a:80', { tasks: [task(31000)] }));
  const before = Date.now();
  changed('/a');
  await until('the change is told', () => told.snapshots.length === 2);
  expect(marathon.requests).toEqual(['GET /v2/apps/a?embed=app.tasks']);
  expect(reached(told.app('/a')?.tasks[0])).toBe('10.0.0.1:31000');
  expect(told.app('/a')).not.toBe(a);
  expect(told.app('/b')).toBe(b);
  const { complete, since } = told.reads[1] ?? {};
  expect(complete).toBe(false);
  expect(since).toBeGreaterThanOrEqual(before);
  expect(since).toBeLessThanOrEqual(Date.now());
});

test('many events for one app are one read', async () => {
  const told = await followed({ gatherMs: 50 });
  for (let i = 0; i < 20; i++) changed('/a');
  await until('the change is told', () => told.snapshots.length === 2);
  await systemClock.sleep(80);
  expect(marathon.requests).toHaveLength(1);
});

test('more dirty apps than the limit are read as one list', async () => {
  const told = await followed({ maxDirty: 3, gatherMs: 30 });
  for (const id of ['/1', '/2', '/3', '/4']) changed(id);
  await until('everything is read', () => told.reads.length === 2);
  expect(marathon.requests).toEqual(['GET /v2/apps?embed=apps.tasks', 'GET /v2/pods/::status']);
});

test('no more apps than the limit are read at once', async () => {
  const told = await followed({ inFlight: 2 });
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
  await until('all are read', () => told.last.apps.length === 7);
  expect(most).toBe(2);
});

test('an app that Marathon does not know any more is gone', async () => {
  const told = await followed();
  marathon.apps.delete('/a');
  marathon.emit('app_terminated_event', { appId: '/a' });
  await until('it is gone', () => !ids(told).includes('/a'));
  expect(ids(told)).toEqual(['/b']);
});

test('a 404 that does not come from Marathon takes no app away', async () => {
  const told = await followed();
  marathon.intercept = on('/', status(404, '<html>not here</html>'));
  changed('/a');
  await until('the failure is told', () => told.errors.length > 0);
  expect(ids(told)).toEqual(['/a', '/b']);
});

test('an app or a pod that was not known before is found by its id', async () => {
  const told = await followed();
  marathon.apps.set('/g/new', app('new:80'));
  marathon.pods.set('/p', { spec: { containers: [] }, instances: [] });
  changed('/g/new');
  changed('/p');
  await until('both are told', () => ids(told).length === 4);
  expect(told.app('/g/new')?.kind).toBe('app');
  expect(told.app('/p')?.kind).toBe('pod');
  expect(asked('/v2/apps?')).toEqual([]);
});

test('an app that fails to be read is tried again, and holds back no other', async () => {
  const told = await followed();
  marathon.intercept = on('/v2/apps/a', status(500));
  marathon.apps.set('/a', app('new:80'));
  changed('/a');
  await until('the failure is told', () => told.errors.length > 0);
  marathon.apps.set('/b', app('new:81'));
  changed('/b');
  await until('the other is told', () => told.app('/b')?.ports[0]?.labels['VIP_0'] === 'new:81');
  marathon.intercept = () => false;
  await until('it is told too', () => told.app('/a')?.ports[0]?.labels['VIP_0'] === 'new:80');
});

test('a change during a full read is read after it', async () => {
  const told = await followed();
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
  await until('the change is told', () => told.app('/a')?.ports[0]?.labels['VIP_0'] === 'new:80');
});

// ---- identity

test('an app in which nothing changed is the same object after a full read, though its health was probed again', async () => {
  const probed = (at: string) =>
    app('a:80', {
      healthChecks: [{}],
      tasks: [task(31000, { healthCheckResults: [{ alive: true, lastSuccess: at }] })],
    });
  marathon.apps.set('/a', probed(V1));
  const told = await followed();
  marathon.apps.set('/a', probed(V2));
  marathon.emit('pod_created_event', { uri: '/v2/pods' });
  await until('everything is read again', () => told.snapshots.length === 2);
  expect(told.reads[1]?.complete).toBe(true);
  expect(told.snapshots[1]).toBe(told.snapshots[0]);
});

// ---- failures

test('a stream that ends is opened again, and everything is read again', async () => {
  const told = await followed();
  marathon.apps.set('/c', app('c:80'));
  marathon.closeStreams();
  await until('everything is read again', () => told.snapshots.length === 2);
  expect(ids(told)).toEqual(['/a', '/b', '/c']);
  expect(told.errors).toEqual([
    expect.objectContaining({ message: expect.stringContaining('the stream ended') }),
  ]);
});

test.each<[string, StubMarathon['intercept']]>([
  ['answers 503', on('/', status(503))],
  ['answers with truncated JSON', on('/', status(200, '{"apps":['))],
  ['closes every connection', on('/', (request) => void request.socket.destroy())],
])('while Marathon %s the last good state stays, and then it goes on', async (_name, intercept) => {
  const told = await followed();
  marathon.intercept = intercept;
  marathon.closeStreams();
  await until('it fails more than once', () => told.errors.length > 2);
  expect(told.snapshots).toHaveLength(1);
  marathon.apps.set('/c', app('c:80'));
  marathon.intercept = () => false;
  await until('it goes on', () => told.app('/c') !== undefined);
});

test('an event before the first full read makes no snapshot of one app', async () => {
  const told = new Told();
  marathon.intercept = on('/v2/apps?', status(503));
  following.push(source().follow(told, stop.signal));
  await until('the stream stands', () => marathon.streams() > 0);
  changed('/a');
  await systemClock.sleep(100);
  expect(told.snapshots).toEqual([]);
  marathon.intercept = () => false;
  await until('everything is read', () => told.snapshots.length > 0);
  expect(ids(told)).toEqual(['/a', '/b']);
});

test('where no event stream can be had everything is read from time to time', async () => {
  const clock = fastClock(300);
  marathon.intercept = on('/v2/events', status(403));
  const told = new Told();
  following.push(source({ clock }).follow(told, stop.signal));
  await until('it was read twice', () => told.snapshots.length === 2);
  expect((told.reads[1]?.since ?? 0) - (told.reads[0]?.since ?? 0)).toBeGreaterThan(29_000);
});

test('a proxy that holds back the event stream does not hold back the first read', async () => {
  marathon.intercept = ({ url }) => Boolean(url?.startsWith('/v2/events'));
  const told = new Told();
  following.push(source({ clock: fastClock(50) }).follow(told, stop.signal));
  await until('everything is read', () => told.snapshots.length > 0);
});

test.each([
  [0, 270],
  [0.999, 330],
])(
  'everything is read again after 300 s, give or take a tenth (chance %d: %d s)',
  async (chance, seconds) => {
    const clock = fastClock(500);
    const told = new Told();
    following.push(source({ clock, random: () => chance, eventSilenceMs: 1e9 }).follow(told, stop.signal));
    // Time that runs so fast may fit a second first read in before the stream stands.
    const apart = () => ((told.reads.at(-1)?.since ?? 0) - (told.reads.at(-2)?.since ?? 0)) / 1000;
    await until('it is read again much later', () => told.reads.length > 1 && apart() > 60);
    expect(apart()).toBeGreaterThanOrEqual(seconds - 1);
    expect(apart()).toBeLessThan(seconds + 50);
  },
);

test('following ends when it is aborted, in whatever it is doing', async () => {
  for (const wait of [0, 5, 20, 60]) {
    const end = new AbortController();
    const run = source().follow(new Told(), end.signal);
    await systemClock.sleep(wait);
    end.abort();
    await expect(run).resolves.toBeUndefined();
  }
});

// ---- versions

const deploying = (vip: string, ...tasks: object[]) => app(vip, { ...version(V2), tasks });

test('during a deployment an old task keeps the label of its version, which was the newest when it was read', async () => {
  marathon.apps.set('/a', app('old:80', { ...version(V1), tasks: [task(31000)] }));
  const told = await followed();
  marathon.apps.set('/a', deploying('new:80', task(31000), task(31001, { version: V2 })));
  changed('/a');
  await until('the change is told', () => told.snapshots.length === 2);
  expect(told.app('/a')?.ports[0]?.labels).toEqual({ VIP_0: 'new:80' });
  expect(told.app('/a')?.tasks.map(({ ports }) => ports[0]?.labels['VIP_0'])).toEqual(['old:80', 'new:80']);
  expect(asked('/v2/apps/a/versions')).toEqual([]);
});

test('a version that was never the newest is asked for, once', async () => {
  marathon.apps.set('/a', deploying('new:80', task(31000), task(31002)));
  marathon.versions.set(`/v2/apps/a/versions/${V1}`, { id: '/a', ...app('old:80') });
  const told = await followed();
  expect(told.app('/a')?.tasks.map(({ ports }) => ports[0]?.labels['VIP_0'])).toEqual(['old:80', 'old:80']);
  changed('/a');
  await until('it is read again', () => told.snapshots.length === 2);
  expect(asked('/v2/apps/a/versions')).toEqual([]);
});

test('scaling makes a version of which nothing needs to be asked', async () => {
  const scaled = { version: V2, versionInfo: { lastConfigChangeAt: V1 } };
  marathon.apps.set('/a', app('a:80', { ...scaled, tasks: [task(31000), task(31001, { version: V2 })] }));
  const requests = marathon.requests;
  await source().read(never);
  expect(requests.filter((request) => request.includes('/versions/'))).toEqual([]);
});

test('an app that has and had no VIP is not asked for versions', async () => {
  marathon.apps.set('/a', { cmd: 'x', ...version(V1), tasks: [task(31000)] });
  const told = await followed();
  marathon.apps.set('/a', {
    cmd: 'x',
    ...version(V2),
    tasks: [task(31000, { version: '2019-01-01T00:00:00.000Z' })],
  });
  changed('/a');
  await until('it is read', () => told.snapshots.length === 2);
  expect(asked('/v2/apps/a/versions')).toEqual([]);
});

test('a version that Marathon dropped is taken as the newest, with a warning', async () => {
  marathon.apps.set('/a', deploying('new:80', task(31000)));
  const [a] = (await source().read(never)).apps;
  expect(a?.tasks[0]?.ports[0]).toMatchObject({ labels: { VIP_0: 'new:80' }, endpoints: [{ port: 31000 }] });
  expect(a?.warnings).toEqual([expect.stringContaining('which Marathon no longer has')]);
});

test('a version that cannot be read for now leaves its task without backends, is told, and is tried again', async () => {
  marathon.apps.set('/a', deploying('new:80', task(31000)));
  marathon.versions.set(`/v2/apps/a/versions/${V1}`, { id: '/a', ...app('old:80') });
  marathon.intercept = on('/v2/apps/a/versions/', status(500));
  const told = await followed({ clock: fastClock(200) });
  expect(reached(told.app('/a')?.tasks[0])).toContain(`version ${V1} could not be read`);
  expect(told.errors).toHaveLength(1);
  marathon.intercept = () => false;
  await until('it is tried again', () => reached(told.app('/a')?.tasks[0]) === '10.0.0.1:31000');
  expect(told.app('/a')?.tasks[0]?.ports[0]?.labels).toEqual({ VIP_0: 'old:80' });
});

test('an instance of a pod has the labels of its own version', async () => {
  const spec = (vip: string, at: string) => ({
    version: at,
    containers: [{ name: 'c', endpoints: [{ name: 'h', protocol: ['tcp'], labels: { VIP_0: vip } }] }],
  });
  const container = {
    name: 'c',
    status: 'TASK_RUNNING',
    containerId: 'p.1.c',
    endpoints: [{ name: 'h', allocatedHostPort: 31000 }],
  };
  marathon.pods.set('/p', {
    spec: spec('new:80', V2),
    instances: [
      {
        id: 'p.1',
        agentHostname: '10.0.0.1',
        specReference: `/v2/pods/p::versions/${V1}`,
        containers: [container],
      },
    ],
  });
  marathon.versions.set(`/v2/pods/p::versions/${V1}`, { id: '/p', ...spec('old:80', V1) });
  const pod = (await source().read(never)).apps.find(({ kind }) => kind === 'pod');
  expect(pod?.tasks[0]?.ports[0]).toMatchObject({
    labels: { VIP_0: 'old:80' },
    endpoints: [{ address: '10.0.0.1', port: 31000 }],
  });
});

// ---- health

test('health results that vanish, as after a leader change, count on for a while and not for ever', async () => {
  const withResults = (healthCheckResults?: object[]) =>
    app('a:80', { healthChecks: [{}], tasks: [task(31000, { healthCheckResults })] });
  marathon.apps.set('/a', withResults([{ alive: true }]));
  const told = await followed({ clock: fastClock(200), healthHoldSeconds: 60 });
  const health = () => told.app('/a')?.tasks[0]?.health;
  expect(health()).toBe('healthy');
  const [a] = told.last.apps;
  marathon.apps.set('/a', withResults());
  marathon.closeStreams();
  await until('everything is read again', () => told.snapshots.length === 2);
  expect(told.app('/a')).toBe(a);
  await until('the results count no longer', () => health() === 'unknown');
  marathon.apps.set('/a', withResults([{ alive: false }]));
  marathon.emit('health_status_changed_event', { appId: '/a' });
  await until('the new result is told', () => health() === 'unhealthy');
});

test('a task that never had a result is unknown from the start', async () => {
  marathon.apps.set('/a', app('a:80', { healthChecks: [{}], tasks: [task(31000)] }));
  expect((await source().read(never)).apps[0]?.tasks[0]?.health).toBe('unknown');
});

// ---- names and leaders

test('an agent whose name could not be resolved is tried again', async () => {
  const names: Record<string, string> = {};
  marathon.apps.set('/a', app('a:80', { tasks: [task(31000, { host: 'agent.example' })] }));
  const told = await followed({ clock: fastClock(300), resolver: namesOf(names) });
  expect(reached(told.app('/a')?.tasks[0])).toContain('agent.example has no known IPv4 address');
  names['agent.example'] = '10.0.0.7';
  await until('it is resolved', () => reached(told.app('/a')?.tasks[0]) === '10.0.0.7:31000');
});

test('with a stand-by as the only master given, the leader’s stream is followed', async () => {
  const standby = await startStub({ '/a': app('a:80') });
  standby.intercept = ({ url }, response) => {
    response.setHeader('x-marathon-leader', marathon.url);
    if (!url?.startsWith('/v2/events')) return false;
    response.writeHead(302, { location: `${marathon.url}${url}` }).end();
    return true;
  };
  const told = new Told();
  following.push(source({ where: standby.url.replace('//', '//u:p@') }).follow(told, stop.signal));
  await until('the leader’s stream stands', () => marathon.streams() === 1 && told.snapshots.length === 1);
  expect(marathon.authorizations).toEqual([`Basic ${btoa('u:p')}`]);
  standby.apps.set('/b', app('b:80'));
  changed('/b');
  await until('an event of the leader is told', () => told.app('/b') !== undefined);
  await standby.close();
});

test('the source has its masters’ names and no credentials in its own', () => {
  expect(source({ where: 'http://u:p@m1:8080,http://m2:8080' }).name).toBe(
    'marathon=http://m1:8080,http://m2:8080',
  );
});
