import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Cluster } from '../../../../controller/source/mesos/cluster.ts';
import { type MesosEvent, readEvent } from '../../../../controller/source/mesos/events.ts';
import { readState } from '../../../../controller/source/mesos/state.ts';
import { Pace } from '../../../../controller/source/pace.ts';
import { TestCluster } from '../../../support/mesos/test-cluster.ts';
import { KAFKA, MARATHON, UUID, webTask } from './setup.ts';

const ADDRESSES = new Map([
  ['10.0.0.1', '10.0.0.1'],
  ['10.0.0.2', '10.0.0.2'],
]);

/** The events by which a cluster comes into being; nothing of them depends on another. */
function beginnings(): MesosEvent[] {
  const events: MesosEvent[] = [];
  const cluster = new TestCluster((json) => {
    const event = readEvent(json);
    if (event !== null) events.push(event);
  });
  cluster.addFramework(MARATHON, 'marathon');
  cluster.addFramework(KAFKA, 'kafka');
  cluster.addAgent('S0', '10.0.0.1');
  cluster.addAgent('S1', '10.0.0.2');
  const labels = { VIP_0: '/web:80', 'network-scope': 'host' };
  cluster.addTask(webTask(31001));
  cluster.addTask(
    webTask(31002, { agent: 'S1', addresses: ['172.17.0.2'], ports: [{ number: 31002, labels }] }),
  );
  for (const index of [0, 1])
    cluster.addTask(
      webTask(9000, { id: `broker-${index}__${UUID}`, name: `broker-${index}`, framework: KAFKA }),
    );
  return events;
}

const snapshotOf = (cluster: Cluster) => cluster.snapshot(ADDRESSES, new Pace());

async function after(events: readonly MesosEvent[]) {
  const cluster = new Cluster();
  for (const event of events) {
    cluster.apply(event, 0);
    // Also a look in between must not change where it ends.
    await snapshotOf(cluster);
  }
  return await snapshotOf(cluster);
}

test('in whatever order agents, frameworks and tasks come, the same comes of it', async () => {
  const events = beginnings();
  const expected = await after(events);
  expect(expected.apps.map(({ id, tasks }) => [id, tasks.length])).toEqual([
    ['/broker', 2],
    ['/web', 2],
  ]);
  await fc.assert(
    fc.asyncProperty(fc.shuffledSubarray(events, { minLength: events.length }), async (shuffled) => {
      expect(await after(shuffled)).toEqual(expected);
    }),
  );
});

test('a state tells the same as the events that lead to it', async () => {
  const model = new TestCluster(() => undefined);
  model.addFramework(MARATHON, 'marathon');
  model.addAgent('S0', '10.0.0.1');
  model.addTask(webTask(31001));
  const bytes = Buffer.from(JSON.stringify({ type: 'GET_STATE', get_state: model.state() }, null, 2));
  const state = await readState(bytes, new Pace());
  if (state === null) throw new Error('this is a state');
  const cluster = new Cluster();
  cluster.replace(state, 0);
  const events = beginnings().filter((event) => !('task' in event) || event.task.id === webTask(31001).id);
  expect((await snapshotOf(cluster)).apps).toEqual((await after(events)).apps);

  const before = await snapshotOf(cluster);
  cluster.replace(state, 0);
  expect(await snapshotOf(cluster)).toBe(before);
});

test('an app of which all tasks have ended is remembered for a while, and a batch job is not', async () => {
  const cluster = new Cluster();
  for (const event of beginnings()) cluster.apply(event, 0);
  const job = webTask(1, { id: 'job', name: 'job', ports: [] });
  const add = readEvent({ type: 'TASK_ADDED', task_added: { task: {} } });
  expect(add).toMatchObject({ type: 'task-unreadable' });
  const model = new TestCluster((json) => {
    const event = readEvent(json);
    if (event !== null) cluster.apply(event, 0);
  });
  model.addTask(job);
  expect((await snapshotOf(cluster)).apps.map(({ id }) => id)).toContain('/job');
  model.updateTask('job', { state: 'FINISHED' });
  model.addTask(webTask(31001));
  model.updateTask(webTask(31001).id, { state: 'KILLED' });
  const { apps } = await snapshotOf(cluster);
  expect(apps.map(({ id }) => id)).toEqual(['/broker', '/web']);
  expect(apps[1]?.tasks.map(({ state }) => state)).toEqual(['gone', 'running']);
});

test('of a service with thousands of restarts the oldest ended tasks are forgotten', async () => {
  const cluster = new Cluster();
  const model = new TestCluster((json) => {
    const event = readEvent(json);
    if (event !== null) cluster.apply(event, 0);
  });
  model.addFramework(MARATHON, 'marathon');
  for (let port = 10_000; port < 12_500; port++) {
    model.addTask(webTask(port));
    model.updateTask(webTask(port).id, { state: 'FAILED' });
  }
  const { apps } = await snapshotOf(cluster);
  expect(apps[0]?.tasks).toHaveLength(2_000);
  expect(apps[0]?.tasks[0]?.id).toBe(webTask(10_500).id);
});
