import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Pace } from '../../../../controller/pace.ts';
import { Cluster } from '../../../../controller/source/mesos/cluster.ts';
import { type MesosEvent, readEvent } from '../../../../controller/source/mesos/events.ts';
import { readState } from '../../../../controller/source/mesos/state.ts';
import { TestCluster } from '../../../support/mesos/test-cluster.ts';
import { type Reads, watched } from '../watched.ts';
import { everythingOf } from './everything.ts';
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

const snapshotOf = (cluster: Cluster) => everythingOf(cluster, ADDRESSES);

function stateOf(model: TestCluster): Buffer {
  return Buffer.from(JSON.stringify({ type: 'GET_STATE', get_state: model.state() }, null, 2));
}

async function after(events: readonly MesosEvent[]) {
  const cluster = new Cluster();
  for (const event of events) {
    cluster.apply(event, 0);
    // Also a look in between must not change where it ends.
    await snapshotOf(cluster);
  }
  return await snapshotOf(cluster);
}

test('an app whose VIPs would have too many backends keeps what it last gave, and the other apps what they have', async () => {
  const cluster = new Cluster();
  const model = new TestCluster((json) => {
    const event = readEvent(json);
    if (event !== null) cluster.apply(event, 0);
  });
  const labels = {
    ...Object.fromEntries(Array.from({ length: 999 }, (_, i) => [`VIP_${i}`, `/web:${i + 1}`])),
    'network-scope': 'host',
  };
  model.addFramework(MARATHON, 'marathon');
  model.addAgent('S0', '10.0.0.1');
  model.addTask(webTask(31_000, { ports: [{ number: 31_000, labels }] }));
  model.addTask(webTask(9000, { id: 'db.1', name: 'db' }));
  const few = await snapshotOf(cluster);
  expect(few.apps.map(({ rejected }) => rejected)).toEqual([[], []]);
  for (let i = 1; i <= 100; i += 1)
    model.addTask(webTask(31_000 + i, { id: `web.more-${i}`, ports: [{ number: 31_000 + i, labels }] }));
  const many = await snapshotOf(cluster);
  const [db, web] = many.apps;
  expect(db).toEqual(few.apps[0]);
  expect(web?.rejected).toMatchObject([{ app: web?.id, value: '999 VIPs on 101 tasks' }]);
  expect(web?.tasks.filter(({ ports }) => ports.length > 0)).toEqual(few.apps[1]?.tasks);
  expect(web?.ports).toEqual(few.apps[1]?.ports);
});

test('the order in which agents, frameworks and tasks arrive does not matter', async () => {
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

test('a state gives the same as the events that lead to it', async () => {
  const model = new TestCluster(() => undefined);
  model.addFramework(MARATHON, 'marathon');
  model.addAgent('S0', '10.0.0.1');
  model.addTask(webTask(31001));
  const state = await readState(stateOf(model), new Pace());
  if (state === null) throw new Error('this is a state');
  const cluster = new Cluster();
  await cluster.replace(state, 0, new Pace());
  const events = beginnings().filter((event) => !('task' in event) || event.task.id === webTask(31001).id);
  expect((await snapshotOf(cluster)).apps).toEqual((await after(events)).apps);

  const before = await snapshotOf(cluster);
  await cluster.replace(state, 0, new Pace());
  expect(await snapshotOf(cluster)).toEqual(before);
});

test('a state that is taken in many turns gives the same result as one that is taken at once', async () => {
  class Short extends Pace {
    turns = 0;
    override isDue(): boolean {
      return true;
    }
    override async rest(): Promise<void> {
      this.turns += 1;
    }
  }
  const model = new TestCluster(() => undefined);
  model.addFramework(MARATHON, 'marathon');
  model.addAgent('S0', '10.0.0.1');
  for (const port of [31001, 31002, 31003]) model.addTask(webTask(port));
  const whole = await readState(stateOf(model), new Pace());
  model.updateTask(webTask(31001).id, { state: 'KILLED' });
  const later = await readState(stateOf(model), new Pace());
  if (whole === null || later === null) throw new Error('these are states');

  const [atOnce, inTurns, short] = [new Cluster(), new Cluster(), new Short()];
  for (const state of [whole, later]) {
    await atOnce.replace(state, 0, new Pace());
    await inTurns.replace(state, 0, short);
  }
  expect(short.turns).toBeGreaterThanOrEqual(6);
  expect(await snapshotOf(inTurns)).toEqual(await snapshotOf(atOnce));
});

test('an app of which all tasks have ended is remembered for a while, and a batch job is not', async () => {
  const cluster = new Cluster();
  for (const event of beginnings()) cluster.apply(event, 0);
  const job = webTask(1, { id: 'job', name: 'job', ports: [] });
  const add = readEvent({ type: 'TASK_ADDED', task_added: { task: {} } });
  expect(add).toMatchObject({ type: 'unreadable' });
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

test('a part that does not concern an app stays the same object while it is unchanged', async () => {
  const cluster = new Cluster();
  for (const event of beginnings()) cluster.apply(event, 0);
  const about = () => cluster.take(new Map(), ADDRESSES, new Pace());
  const before = await about();
  expect(before.agents).toEqual(['10.0.0.1', '10.0.0.2']);
  cluster.apply(
    {
      type: 'task-updated',
      key: `${MARATHON} ${webTask(31001).id}`,
      state: 'TASK_KILLING',
      status: undefined,
    },
    0,
  );
  expect(await about()).toBe(before);
  cluster.apply({ type: 'agent-removed', id: 'S1' }, 0);
  expect((await about()).agents).toEqual(['10.0.0.1']);
});

test('an event costs the same with a thousand tasks as with ten', async () => {
  const ofTen = await readsOfEvents(10);
  expect(ofTen).toBeGreaterThan(0);
  expect(await readsOfEvents(1_000)).toBe(ofTen);
});

/** How often anything of any task is read for a few events, one app and one agent for each ten tasks. */
async function readsOfEvents(tasks: number): Promise<number> {
  const cluster = new Cluster();
  const reads: Reads = { count: 0 };
  const listener = (json: object) => {
    const event = readEvent(json);
    if (event !== null)
      cluster.apply('task' in event ? { ...event, task: watched(event.task, reads) } : event, 0);
  };
  const model = new TestCluster(listener);
  model.addFramework(MARATHON, 'marathon');
  for (let i = 0; i < tasks / 10; i += 1) model.addAgent(`S${i}`, '10.0.0.1');
  const added = (i: number) =>
    webTask(31_000 + i, {
      agent: `S${Math.floor(i / 10)}`,
      id: `web-${Math.floor(i / 10)}.${UUID.slice(0, -4)}${1000 + i}`,
    });
  for (let i = 0; i < tasks; i += 1) model.addTask(added(i));
  await cluster.take(new Map(), ADDRESSES, new Pace());
  cluster.takeNamedHosts();
  reads.count = 0;

  model.addAgent('another', '10.0.0.2');
  expect([...cluster.takeNamedHosts()]).toEqual(['10.0.0.2']);
  model.addFramework(MARATHON, 'marathon');
  model.addTask(webTask(40_000, { agent: 'S0', id: `new.${UUID}` }));
  cluster.apply(
    { type: 'task-updated', key: `${MARATHON} ${added(0).id}`, state: 'TASK_KILLING', status: undefined },
    0,
  );
  cluster.expire(0);
  cluster.nextExpiry();
  const changed = new Map();
  await cluster.take(changed, ADDRESSES, new Pace());
  expect(changed.size).toBe(2);
  return reads.count;
}
