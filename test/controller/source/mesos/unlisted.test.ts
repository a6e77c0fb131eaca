import { beforeEach, expect, test } from '@jest/globals';
import { Pace } from '../../../../controller/pace.ts';
import { Cluster } from '../../../../controller/source/mesos/cluster.ts';
import { readEvent } from '../../../../controller/source/mesos/events.ts';
import { readState } from '../../../../controller/source/mesos/state.ts';
import type { JsonObject } from '../../../support/marathon/json.ts';
import { taskJson } from '../../../support/mesos/task-json.ts';
import { TestCluster } from '../../../support/mesos/test-cluster.ts';
import { everythingOf } from './everything.ts';
import { MARATHON, webTask } from './setup.ts';

const ADDRESSES = new Map([
  ['10.0.0.1', '10.0.0.1'],
  ['10.0.0.2', '10.0.0.2'],
]);
const WEB = webTask(31001);

let master: TestCluster;
let cluster: Cluster;
let now: number;
/** Whether events reach the cluster; what happens while they do not, only a new state shows. */
let isSubscribed: boolean;

beforeEach(async () => {
  cluster = new Cluster();
  now = 0;
  master = new TestCluster(receive);
  isSubscribed = false;
  master.addFramework(MARATHON, 'marathon');
  master.addAgent('S0', '10.0.0.1');
  master.addAgent('S1', '10.0.0.2');
  master.addTask(WEB);
  await subscribe();
});

function receive(json: JsonObject): void {
  const event = isSubscribed ? readEvent(json) : null;
  if (event !== null) cluster.apply(event, now);
}

/** `change`: fields of the state that the master answers with, in place of its own. */
async function subscribe(change: JsonObject = {}): Promise<void> {
  isSubscribed = true;
  const state = { ...master.state(), ...change };
  const json = JSON.stringify({ type: 'GET_STATE', get_state: state });
  const read = await readState(Buffer.from(json), new Pace());
  if (read === null) throw new Error('no state');
  await cluster.replace(read, now, new Pace());
}

function pass(ms: number): void {
  now += ms;
  cluster.expire(now);
}

async function states(): Promise<string[]> {
  const { apps } = await everythingOf(cluster, ADDRESSES);
  return apps.flatMap(({ tasks }) => tasks.map(({ state }) => state));
}

/** The new master knows no agent yet. */
async function failOver(): Promise<void> {
  master.failOver();
  await subscribe();
}

const unreadable = { ...taskJson(WEB), discovery: 5 };

test('a task on an agent that a new master gave up stays unreachable through the next subscription', async () => {
  await failOver();
  master.removeAgent('S0');
  expect(await states()).toEqual(['unreachable']);
  pass(5_000);
  await subscribe();
  expect(await states()).toEqual(['unreachable']);
  pass(594_999);
  expect(await states()).toEqual(['unreachable']);
  pass(1);
  expect(await states()).toEqual(['gone']);
});

test('a task that could not be reached when its agent was lost ends some time after that', async () => {
  master.updateTask(WEB.id, { state: 'UNREACHABLE' });
  await failOver();
  isSubscribed = false;
  master.removeAgent('S0');
  await subscribe();
  pass(599_999);
  expect(await states()).toEqual(['unreachable']);
  pass(1);
  expect(await states()).toEqual(['gone']);
});

test('a task whose agent was given up while there was no subscription ends too', async () => {
  await failOver();
  isSubscribed = false;
  pass(60_000);
  master.removeAgent('S0');
  await subscribe();
  expect(await states()).toEqual(['unreachable']);
  pass(599_999);
  expect(await states()).toEqual(['unreachable']);
  pass(1);
  expect(await states()).toEqual(['gone']);
});

test('a task that its agent, back at the new master, does not have has ended', async () => {
  await failOver();
  isSubscribed = false;
  master.addAgent('S0', '10.0.0.1');
  await subscribe();
  expect(await states()).toEqual(['gone']);
});

test('a task of an agent that left without a failover has ended', async () => {
  isSubscribed = false;
  master.removeAgent('S0');
  master.tasks.clear();
  await subscribe();
  expect(await states()).toEqual(['gone']);
});

test('a kept task that comes back unreadable stays as it was for as long as it is reported', async () => {
  await failOver();
  master.addAgent('S0', '10.0.0.1');
  receive({ type: 'TASK_ADDED', task_added: { task: unreadable } });
  pass(700_000);
  expect(await states()).toEqual(['running']);
});

test('so does one that the next state lists and that cannot be read', async () => {
  await failOver();
  isSubscribed = false;
  master.addAgent('S0', '10.0.0.1');
  await subscribe({ get_tasks: { tasks: [unreadable] } });
  pass(700_000);
  expect(await states()).toEqual(['running']);
});

test('what has ended stays so where a master lists it as unreachable', async () => {
  master.updateTask(WEB.id, { state: 'FINISHED' });
  expect(await states()).toEqual(['gone']);
  const unreachable = taskJson({ ...WEB, state: 'UNREACHABLE' });
  await subscribe({ get_tasks: { unreachable_tasks: [unreachable] } });
  expect(await states()).toEqual(['gone']);
});
