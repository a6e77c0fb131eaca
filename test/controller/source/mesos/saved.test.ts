import { describe, expect, test } from '@jest/globals';
import type { App } from '../../../../controller/model/app.ts';
import { Pace } from '../../../../controller/pace.ts';
import type { AgentAddresses } from '../../../../controller/source/document/agents.ts';
import { LastGood } from '../../../../controller/source/last-good.ts';
import { Cluster } from '../../../../controller/source/mesos/cluster.ts';
import { readEvent } from '../../../../controller/source/mesos/events.ts';
import { readState } from '../../../../controller/source/mesos/state.ts';
import { type TestTask, taskJson } from '../../../support/mesos/task-json.ts';
import { reached } from '../support.ts';
import { everythingOf } from './everything.ts';
import { MARATHON, webTask } from './setup.ts';

const ADDRESSES = new Map([['10.0.0.1', '10.0.0.1']]);
const [ONE, TWO] = [webTask(31001, { healthy: true }), webTask(31002)];
const FRAMEWORK = { framework_info: { id: { value: MARATHON }, name: 'marathon' } };

const json = (task: Partial<TestTask>, change: object = {}) => ({
  ...taskJson({ ...ONE, ...task }),
  ...change,
});

async function take(
  cluster: Cluster,
  tasks: readonly unknown[],
  frameworks: unknown = [FRAMEWORK],
  hostname = '10.0.0.1',
) {
  const get_state = {
    get_tasks: { tasks },
    get_frameworks: { frameworks },
    get_agents: { agents: [{ agent_info: { id: { value: 'S0' }, hostname } }] },
  };
  const state = await readState(Buffer.from(JSON.stringify({ type: 'GET_STATE', get_state })), new Pace());
  if (state === null) throw new Error('this is a state');
  await cluster.replace(state, 0, new Pace());
}

/** A process that starts after another one that saw both tasks serve. */
async function restarted(...before: readonly unknown[]) {
  const earlier = new Cluster('mesos=m');
  await take(earlier, before.length === 0 ? [json(ONE), json(TWO)] : before);
  const saved: readonly App[] = (await everythingOf(earlier, ADDRESSES)).apps;
  let loads = 0;
  const lastGood = new LastGood('mesos=m', async () => {
    loads += 1;
    return { apps: saved };
  });
  const cluster = new Cluster('mesos=m', lastGood);
  return { cluster, saved, loads: () => loads };
}

async function found(cluster: Cluster, addresses: AgentAddresses = ADDRESSES) {
  const { apps } = await everythingOf(cluster, addresses);
  return apps.flatMap(({ id, ports, tasks }) =>
    tasks.map((each) => `${id} ${ports[0]?.labels['VIP_0']} ${each.state} ${reached(each)}`.trim()),
  );
}

const SERVE = ['/web /web:80 running 10.0.0.1:31001', '/web /web:80 running 10.0.0.1:31002'];

test.each<[string, object]>([
  ['agent', { agent_id: 7 }],
  ['discovery', { discovery: { visibility: 'EXTERNAL', name: 'web', ports: { ports: [{ number: 'x' }] } } }],
  ['discovery ports', { discovery: { visibility: 'EXTERNAL', name: 'web', ports: 7 } }],
  ['state', { state: 7, statuses: [] }],
])('a task whose %s cannot be read in the first state is what it was', async (_what, change) => {
  const { cluster, loads } = await restarted();
  await take(cluster, [json(ONE, change), json(TWO)]);
  expect(await found(cluster)).toEqual(SERVE);
  expect(loads()).toBe(1);
});

test('its app stays too if only its name identifies it', async () => {
  const broker = webTask(31001, { id: 'broker-0__1', name: 'broker-0' });
  const { cluster } = await restarted(json(broker));
  await take(cluster, [json(broker, { name: 7, discovery: 7 })]);
  expect(await found(cluster)).toEqual(['/broker /web:80 running 10.0.0.1:31001']);
});

test('a task whose framework cannot be read is in the app that it was in', async () => {
  const { cluster } = await restarted();
  await take(cluster, [json(ONE), json(TWO)], [{ framework_info: { id: { value: MARATHON }, name: 7 } }]);
  expect(await found(cluster)).toEqual(SERVE);
});

test('it stays so in later states, ends by its own event, and is read again once it can be', async () => {
  const { cluster } = await restarted();
  const bad = json(ONE, { agent_id: 7 });
  await take(cluster, [bad, json(TWO)]);
  await take(cluster, [bad, json(TWO)]);
  expect(await found(cluster)).toEqual(SERVE);
  await take(cluster, [json({ ports: [{ number: 31009, labels: { VIP_0: '/web:80' } }] }), json(TWO)]);
  expect((await found(cluster))[0]).toBe('/web /web:80 running 10.0.0.1:31009');
  await take(cluster, [bad, json(TWO)]);
  const content = {
    framework_id: { value: MARATHON },
    state: 'TASK_KILLED',
    status: { task_id: { value: ONE.id }, state: 'TASK_KILLED', timestamp: 9_000 },
  };
  const event = readEvent({ type: 'TASK_UPDATED', task_updated: content });
  if (event !== null) cluster.apply(event, 0);
  expect((await found(cluster)).map((each) => each.split(' ')[2])).toEqual(['gone', 'running']);
});

test('one that has ended, or is listed no more, does not come back', async () => {
  const { cluster } = await restarted();
  await take(cluster, [json(ONE, { agent_id: 7, state: 'TASK_FINISHED' })]);
  expect(await found(cluster)).toEqual([]);
});

test('readable tasks follow the state, without a read of the saved state', async () => {
  const { cluster, loads } = await restarted();
  await take(cluster, [json(TWO)]);
  expect(await found(cluster)).toEqual(SERVE.slice(1));
  expect(loads()).toBe(0);
  // Nor is it later: what was not in the first state is a new task.
  await take(cluster, [json(ONE, { agent_id: 7 }), json(TWO)]);
  expect(await found(cluster)).toEqual(SERVE.slice(1));
  expect(loads()).toBe(0);
});

const unknownOf = async (cluster: Cluster) =>
  (await everythingOf(cluster, ADDRESSES)).unknown?.map(({ part }) => part) ?? [];
const idOf = ({ id }: Pick<TestTask, 'id'>) => String(id);

describe('without saved state', () => {
  test.each<[string, readonly unknown[], readonly unknown[]]>([
    ['which cannot be read', [json(ONE, { state: 7, statuses: [] }), json(TWO)], [FRAMEWORK]],
    ['of which a part cannot be read', [json(ONE, { discovery: 7 }), json(TWO)], [FRAMEWORK]],
    ['whose framework has no name', [json(ONE)], [{ framework_info: { id: { value: MARATHON }, name: 7 } }]],
  ])('a task %s is unknown until it can be read, or is listed no more', async (_what, tasks, frameworks) => {
    const cluster = new Cluster('mesos=m');
    await take(cluster, tasks, frameworks);
    expect(await unknownOf(cluster)).toEqual([idOf(ONE)]);
  });

  test.each<[string, readonly unknown[]]>([
    ['can be read', [json(ONE), json(TWO)]],
    ['is listed no more', [json(TWO)]],
  ])('and no more once it %s', async (_what, later) => {
    const cluster = new Cluster('mesos=m');
    await take(cluster, [json(ONE, { state: 7, statuses: [] }), json(TWO)]);
    await take(cluster, later);
    expect(await unknownOf(cluster)).toEqual([]);
  });
});

test('a task that an event adds is unknown while not all of it can be read', async () => {
  const cluster = new Cluster('mesos=m');
  const add = (task: unknown) => {
    const event = readEvent({ type: 'TASK_ADDED', task_added: { task } });
    if (event !== null) cluster.apply(event, 0);
  };
  await take(cluster, [json(TWO)]);
  expect(await unknownOf(cluster)).toEqual([]);
  add(json(ONE, { discovery: 7 }));
  expect(await unknownOf(cluster)).toEqual([idOf(ONE)]);
  add(json(ONE));
  expect(await unknownOf(cluster)).toEqual([]);
});

test('a task that is saved, or that what was saved lacks, is not unknown', async () => {
  const { cluster } = await restarted();
  await take(cluster, [json(ONE, { agent_id: 7 }), json({ ...ONE, id: 'new', discovery: 7 } as TestTask)]);
  expect(await unknownOf(cluster)).toEqual([]);
});

const NAMED = [[FRAMEWORK], 'agent1'] as const;
const UNRESOLVED = new Map([['agent1', null]]);
/** Reached by a host port of its agent. */
const bridged = (hostPort: number) =>
  json(
    webTask(hostPort, {
      addresses: ['172.17.0.2'],
      ports: [{ number: 80, labels: { VIP_0: '/web:80' } }],
      mappings: [[hostPort, 80]],
    }),
  );

test('an agent whose name cannot be resolved since the start is where it was', async () => {
  const { cluster, loads } = await restarted(bridged(31001), bridged(31002));
  await take(cluster, [bridged(31001), bridged(31002)], ...NAMED);
  expect(await found(cluster, UNRESOLVED)).toEqual(SERVE);
  expect(loads()).toBe(1);
  // A new task on it is there too.
  await take(cluster, [bridged(31001), bridged(31003)], ...NAMED);
  expect((await found(cluster, UNRESOLVED)).filter((each) => !each.includes('gone'))).toEqual([
    SERVE[0],
    '/web /web:80 running 10.0.0.1:31003',
  ]);
  cluster.moved(new Set(['agent1']));
  expect((await found(cluster, new Map([['agent1', '10.0.0.9']])))[0]).toBe(
    '/web /web:80 running 10.0.0.9:31001',
  );
});

test('the saved state is not read for an agent that was resolved once', async () => {
  const { cluster, loads } = await restarted(bridged(31001));
  await take(cluster, [bridged(31001)], ...NAMED);
  expect(await found(cluster, new Map([['agent1', '10.0.0.1']]))).toEqual(SERVE.slice(0, 1));
  cluster.moved(new Set(['agent1']));
  expect((await found(cluster, UNRESOLVED))[0]).not.toContain('10.0.0.1');
  expect(loads()).toBe(0);
});

test('an app that has too many backends at the first read serves what it did before', async () => {
  const { cluster, loads } = await restarted();
  const labels = Object.fromEntries(
    Array.from({ length: 1_000 }, (_, i) => [`VIP_${i}`, `/web:${i + 1_000}`]),
  );
  const more = Array.from({ length: 101 }, (_, i) =>
    json({ ...webTask(31_100 + i), ports: [{ number: 31_100 + i, labels }] }),
  );
  await take(cluster, [json(ONE), json(TWO), ...more]);
  const { apps } = await everythingOf(cluster, ADDRESSES);
  expect(apps[0]?.rejected).toMatchObject([{ app: '/web', reason: expect.stringMatching(/at most 100000/) }]);
  const serving = apps[0]?.tasks.filter(({ ports }) => ports.length > 0) ?? [];
  expect(serving.map((each) => reached(each))).toEqual(['10.0.0.1:31001', '10.0.0.1:31002']);
  expect(apps[0]?.ports.map((port) => port.labels)).toEqual([{ VIP_0: '/web:80' }]);
  expect(loads()).toBe(1);
});
