import { expect, test } from '@jest/globals';
import { reached, until } from '../support.ts';
import {
  followed,
  KAFKA,
  MARATHON,
  mesos,
  never,
  source,
  tasksOf,
  UUID,
  useMesos,
  webTask,
} from './setup.ts';

useMesos();

test('the state at the beginning is published as a whole, and as one app of its framework', async () => {
  const listener = await followed();
  expect(listener.reads).toEqual([{ complete: true, since: expect.any(Number) }]);
  expect(listener.last.apps).toEqual([
    expect.objectContaining({
      id: '/web',
      kind: 'app',
      framework: 'marathon',
      fromTasks: true,
      source: `mesos=${mesos.urls.join(',')}`,
    }),
  ]);
  expect(tasksOf(listener)).toEqual(['running 10.0.0.1:31001']);
});

test('an event is published for its app only, and other apps stay the same objects', async () => {
  mesos.cluster.addTask(
    webTask(9000, { id: 'broker-0__1', name: 'broker-0', framework: KAFKA, agent: 'S1' }),
  );
  const listener = await followed();
  const broker = listener.app('/broker');
  mesos.cluster.addTask(webTask(31002));
  await until('the task is there', () => tasksOf(listener).length === 2);
  expect(listener.reads.at(-1)).toMatchObject({ complete: false });
  expect(listener.app('/broker')).toBe(broker);
  expect(broker?.framework).toBe('kafka');
});

test('a task starts, runs, is killed and ends', async () => {
  const listener = await followed();
  const task = webTask(31002, { state: 'STAGING', addresses: [] });
  mesos.cluster.addTask(task);
  await until(
    'it is staged',
    () =>
      tasksOf(listener).includes('staging it has no IP address yet') ||
      tasksOf(listener)[1] === 'staging nowhere',
  );
  mesos.cluster.updateTask(task.id, { state: 'RUNNING', addresses: ['10.0.0.1'] });
  await until('it runs', () => tasksOf(listener)[1] === 'running 10.0.0.1:31002');
  mesos.cluster.updateTask(task.id, { state: 'KILLING' });
  await until('it is killed', () => tasksOf(listener)[1] === 'killing 10.0.0.1:31002');
  mesos.cluster.updateTask(task.id, { state: 'KILLED' });
  await until('it is gone', () => tasksOf(listener)[1] === 'gone');
});

test('the newest state counts, not the one in the older status that arrives with it', async () => {
  const listener = await followed();
  const { id } = webTask(31001);
  mesos.cluster.updateTask(id, { state: 'RUNNING', addresses: ['10.0.0.1'] }, 'KILLING');
  await until('it is being killed', () => tasksOf(listener)[0] === 'killing 10.0.0.1:31001');
});

test('a status can contain health, and one without health leaves it unchanged', async () => {
  mesos.cluster.addTask(webTask(31002, { healthy: null }));
  const listener = await followed();
  const health = () => listener.app('/web')?.tasks.map((task) => task.health);
  expect(health()).toEqual(['unchecked', 'unknown']);
  const { id } = webTask(31002);
  mesos.cluster.updateTask(id, { state: 'RUNNING', healthy: false });
  await until('it is unhealthy', () => health()?.[1] === 'unhealthy');
  mesos.cluster.updateTask(id, { state: 'RUNNING', healthy: true });
  await until('it is healthy', () => health()?.[1] === 'healthy');
  mesos.cluster.updateTask(id, { state: 'KILLING' });
  await until('it is being killed', () => listener.app('/web')?.tasks[1]?.state === 'killing');
  expect(health()?.[1]).toBe('healthy');
});

test('a task that is unreachable keeps its place, so that its connections may end', async () => {
  const listener = await followed();
  const { id } = webTask(31001);
  mesos.cluster.updateTask(id, { state: 'UNREACHABLE' });
  mesos.cluster.removeAgent('S0');
  await until('it is unreachable', () => tasksOf(listener)[0] === 'unreachable 10.0.0.1:31001');
  mesos.endStreams();
  await until(
    'the state is read again',
    () => listener.reads.filter(({ complete }) => complete).length === 2,
  );
  expect(tasksOf(listener)).toEqual(['unreachable 10.0.0.1:31001']);
});

test('a task that arrives before its framework waits for it, and is reported meanwhile', async () => {
  const listener = await followed();
  mesos.cluster.addTask(webTask(31002, { framework: 'f-0009' }));
  await until('it waits', () => listener.last.warnings.length > 0);
  expect(listener.last.warnings[0]).toMatch(/Mesos has not named their framework: web\./);
  expect(tasksOf(listener)).toEqual(['running 10.0.0.1:31001']);
  mesos.cluster.addFramework('f-0009', 'other');
  await until('it is there', () => listener.last.apps.length === 2);
  expect(listener.last.apps[1]).toMatchObject({ id: '/web', framework: 'other' });
  expect(listener.last.warnings).toEqual([]);
});

test('a task that arrives before its agent gets its place when the agent arrives', async () => {
  const listener = await followed();
  const labels = { VIP_0: '/web:80', 'network-scope': 'host' };
  mesos.cluster.addTask(
    webTask(31002, { agent: 'S9', addresses: ['172.17.0.2'], ports: [{ number: 31002, labels }] }),
  );
  await until('it waits', () => tasksOf(listener)[1] === 'running Mesos has not reported its agent yet');
  mesos.cluster.addAgent('S9', '10.0.0.9');
  await until('it is reached', () => tasksOf(listener)[1] === 'running 10.0.0.9:31002');
});

test('a framework that changes its name renames its apps', async () => {
  const listener = await followed();
  mesos.cluster.addFramework(MARATHON, 'marathon-user');
  await until('it has the name', () => listener.last.apps[0]?.framework === 'marathon-user');
  expect(listener.last.apps).toHaveLength(1);
});

test('a framework that is removed leaves its tasks until they end by themselves', async () => {
  const listener = await followed();
  mesos.cluster.removeFramework(MARATHON);
  mesos.cluster.updateTask(webTask(31001).id, { state: 'KILLING' });
  await until('the task is killed', () => tasksOf(listener)[0] === 'killing 10.0.0.1:31001');
  expect(listener.last.apps[0]?.framework).toBe('marathon');
});

test('a task that is in no new state has ended', async () => {
  const listener = await followed();
  mesos.cluster.tasks.clear();
  mesos.endStreams();
  await until('it is gone', () => tasksOf(listener)[0] === 'gone');
  expect(listener.reads.at(-1)).toMatchObject({ complete: true });
});

test('a task that cannot be read is rejected by its path, and the others are not touched', async () => {
  const listener = await followed();
  mesos.cluster.addTask(webTask(31002, { agent: '' }));
  await until('it is rejected', () => listener.last.rejected.length === 1);
  expect(listener.last.rejected).toEqual([
    {
      app: webTask(31002).id,
      at: 'agent_id.value',
      value: '',
      reason: 'expected text that is not empty',
    },
  ]);
  expect(tasksOf(listener)).toEqual(['running 10.0.0.1:31001']);
  mesos.cluster.updateTask(webTask(31002).id, { state: 'KILLED' });
  await until('it is forgotten', () => listener.last.rejected.length === 0);
});

test('containers of one pod are tasks of one app, with ports of their own', async () => {
  const pod = (container: string, port: number) =>
    webTask(port, {
      id: `shop_pod.instance-${UUID}.${container}`,
      name: container,
      executor: `instance-shop_pod.${UUID}`,
    });
  mesos.cluster.addTask(pod('front', 31010));
  mesos.cluster.addTask(pod('back', 31011));
  const listener = await followed();
  const app = listener.app('/shop/pod');
  expect(app).toMatchObject({ kind: 'pod', ports: [{ container: 'back' }, { container: 'front' }] });
  expect(app?.tasks.map(reached)).toEqual(['10.0.0.1:31011', '10.0.0.1:31010']);
});

test('everything can be read once, without following', async () => {
  const { apps } = await source().read(never);
  expect(apps.map(({ id }) => id)).toEqual(['/web']);
  expect(mesos.calls.map(({ type }) => type)).toEqual(['GET_STATE']);
});

test('the source has its masters’ names and no credentials in its own', () => {
  expect(source({ where: 'http://u:p@m1:5050,http://m2:5050' }).name).toBe(
    'mesos=http://m1:5050,http://m2:5050',
  );
});
