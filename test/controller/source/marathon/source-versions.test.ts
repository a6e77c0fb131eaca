import { expect, test } from '@jest/globals';
import { fastClock, reached, until } from '../support.ts';
import {
  app,
  asked,
  changed,
  followed,
  marathon,
  never,
  on,
  source,
  status,
  task,
  useStubMarathon,
  V1,
  V2,
  version,
} from './source-setup.ts';

useStubMarathon();

const deploying = (vip: string, ...tasks: object[]) => app(vip, { ...version(V2), tasks });

test('during a deployment an old task keeps the label of its version, which was the newest when it was read', async () => {
  marathon.apps.set('/a', app('old:80', { ...version(V1), tasks: [task(31000)] }));
  const listener = await followed();
  marathon.apps.set('/a', deploying('new:80', task(31000), task(31001, { version: V2 })));
  changed('/a');
  await until('the change is reported', () => listener.snapshots.length === 2);
  expect(listener.app('/a')?.ports[0]?.labels).toEqual({ VIP_0: 'new:80' });
  expect(listener.app('/a')?.tasks.map(({ ports }) => ports[0]?.labels['VIP_0'])).toEqual([
    'old:80',
    'new:80',
  ]);
  expect(asked('/v2/apps/a/versions')).toEqual([]);
});

test('a version that was never the newest is requested, once', async () => {
  marathon.apps.set('/a', deploying('new:80', task(31000), task(31002)));
  marathon.versions.set(`/v2/apps/a/versions/${V1}`, { id: '/a', ...app('old:80') });
  const listener = await followed();
  expect(listener.app('/a')?.tasks.map(({ ports }) => ports[0]?.labels['VIP_0'])).toEqual([
    'old:80',
    'old:80',
  ]);
  changed('/a');
  await until('it is read again', () => listener.snapshots.length === 2);
  expect(asked('/v2/apps/a/versions')).toEqual([]);
});

test('scaling makes a version that needs no request', async () => {
  const scaled = { version: V2, versionInfo: { lastConfigChangeAt: V1 } };
  marathon.apps.set('/a', app('a:80', { ...scaled, tasks: [task(31000), task(31001, { version: V2 })] }));
  const requests = marathon.requests;
  await source().read(never);
  expect(requests.filter((request) => request.includes('/versions/'))).toEqual([]);
});

test('an app that has and had no VIP causes no requests for versions', async () => {
  marathon.apps.set('/a', { cmd: 'x', ...version(V1), tasks: [task(31000)] });
  const listener = await followed();
  marathon.apps.set('/a', {
    cmd: 'x',
    ...version(V2),
    tasks: [task(31000, { version: '2019-01-01T00:00:00.000Z' })],
  });
  changed('/a');
  await until('it is read', () => listener.snapshots.length === 2);
  expect(asked('/v2/apps/a/versions')).toEqual([]);
});

test('a version that Marathon deleted counts as the newest, with a warning', async () => {
  marathon.apps.set('/a', deploying('new:80', task(31000)));
  const [a] = (await source().read(never)).apps;
  expect(a?.tasks[0]?.ports[0]).toMatchObject({ labels: { VIP_0: 'new:80' }, endpoints: [{ port: 31000 }] });
  expect(a?.warnings).toEqual([expect.stringContaining('which Marathon has deleted')]);
});

test('a version whose answer is null is none that Marathon dropped', async () => {
  marathon.apps.set('/a', deploying('new:80', task(31000)));
  marathon.intercept = on('/v2/apps/a/versions/', (_request, response) => void response.end('null'));
  const [a] = (await source().read(never)).apps;
  expect(reached(a?.tasks[0])).toContain(`version ${V1} could not be read`);
});

test('a version with an invalid value in one port gives its tasks the other ports', async () => {
  marathon.apps.set('/a', deploying('new:80', task(31000)));
  const { portDefinitions, ...old } = app('old:80') as { portDefinitions: object[] };
  const ports = [...portDefinitions, { protocol: 7, labels: { VIP_0: 'other:80' } }];
  marathon.versions.set(`/v2/apps/a/versions/${V1}`, { id: '/a', ...old, portDefinitions: ports });
  const [a] = (await source().read(never)).apps;
  expect(a?.tasks[0]?.ports[0]).toMatchObject({ labels: { VIP_0: 'old:80' }, endpoints: [{ port: 31000 }] });
});

test('a version of which the ports are no list has no ports that are known', async () => {
  marathon.apps.set('/a', deploying('new:80', task(31000)));
  const old = { ...app('old:80'), portDefinitions: 'http' };
  marathon.versions.set(`/v2/apps/a/versions/${V1}`, { id: '/a', ...old });
  const [a] = (await source().read(never)).apps;
  expect(reached(a?.tasks[0])).toContain(`version ${V1} could not be read`);
});

test('a version that cannot be read at the moment leaves its task without backends, is reported, and is retried', async () => {
  marathon.apps.set('/a', deploying('new:80', task(31000)));
  marathon.versions.set(`/v2/apps/a/versions/${V1}`, { id: '/a', ...app('old:80') });
  marathon.intercept = on('/v2/apps/a/versions/', status(500));
  const listener = await followed({ clock: fastClock(200) });
  expect(reached(listener.app('/a')?.tasks[0])).toContain(`version ${V1} could not be read`);
  expect(listener.errors).toHaveLength(1);
  marathon.intercept = () => false;
  await until('it is tried again', () => reached(listener.app('/a')?.tasks[0]) === '10.0.0.1:31000');
  expect(listener.app('/a')?.tasks[0]?.ports[0]?.labels).toEqual({ VIP_0: 'old:80' });
});

test('a version whose answer is no definition is reported and retried like a failed read', async () => {
  marathon.apps.set('/a', deploying('new:80', task(31000)));
  marathon.versions.set(`/v2/apps/a/versions/${V1}`, {});
  const listener = await followed({ clock: fastClock(200) });
  expect(listener.errors[0]?.message).toContain('expected a definition of /a');
  marathon.versions.set(`/v2/apps/a/versions/${V1}`, { id: '/a', ...app('old:80') });
  await until('it is tried again', () => reached(listener.app('/a')?.tasks[0]) === '10.0.0.1:31000');
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

test('health results that vanish, as after a leader change, count on for a while and not for ever', async () => {
  const withResults = (healthCheckResults?: object[]) =>
    app('a:80', { healthChecks: [{}], tasks: [task(31000, { healthCheckResults })] });
  marathon.apps.set('/a', withResults([{ alive: true }]));
  const listener = await followed({ clock: fastClock(200), healthHoldSeconds: 60 });
  const health = () => listener.app('/a')?.tasks[0]?.health;
  expect(health()).toBe('healthy');
  const [a] = listener.last.apps;
  marathon.apps.set('/a', withResults());
  marathon.closeStreams();
  await until('everything is read again', () => listener.snapshots.length === 2);
  expect(listener.app('/a')).toBe(a);
  await until('the results count no longer', () => health() === 'unknown');
  marathon.apps.set('/a', withResults([{ alive: false }]));
  marathon.emit('health_status_changed_event', { appId: '/a' });
  await until('the new result is reported', () => health() === 'unhealthy');
});

test('a task that never had a result is unknown from the start', async () => {
  marathon.apps.set('/a', app('a:80', { healthChecks: [{}], tasks: [task(31000)] }));
  expect((await source().read(never)).apps[0]?.tasks[0]?.health).toBe('unknown');
});
