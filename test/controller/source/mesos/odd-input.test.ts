import { describe, expect, test } from '@jest/globals';
import { Pace } from '../../../../controller/pace.ts';
import { Cluster } from '../../../../controller/source/mesos/cluster.ts';
import { readEvent } from '../../../../controller/source/mesos/events.ts';
import { readOldState } from '../../../../controller/source/mesos/old-state.ts';
import { readState } from '../../../../controller/source/mesos/state.ts';
import { type TestTask, taskJson } from '../../../support/mesos/task-json.ts';
import { reached } from '../support.ts';
import { everythingOf } from './everything.ts';
import { MARATHON, webTask } from './setup.ts';

const ADDRESSES = new Map([['10.0.0.1', '10.0.0.1']]);
const TASK = webTask(31001, { healthy: true });
const SERVES = 'running healthy 10.0.0.1:31001';
const FRAMEWORK = { framework_info: { id: { value: MARATHON }, name: 'marathon' } };
const AGENT = { agent_info: { id: { value: 'S0' }, hostname: '10.0.0.1' } };

const task = (change: object = {}, what: Partial<TestTask> = {}) => ({
  ...taskJson({ ...TASK, ...what }),
  ...change,
});

function stateJson(lists: object = {}) {
  return {
    type: 'GET_STATE',
    get_state: {
      get_tasks: { tasks: [task()] },
      get_frameworks: { frameworks: [FRAMEWORK] },
      get_agents: { agents: [AGENT] },
      ...lists,
    },
  };
}

const read = (json: object) => readState(Buffer.from(JSON.stringify(json)), new Pace());

async function take(cluster: Cluster, json: object): Promise<void> {
  const state = await read(json);
  if (state === null) throw new Error('this is a state');
  await cluster.replace(state, 0, new Pace());
}

/** Of agents that are named by their addresses. */
const addressesOf = ({ hosts }: Cluster) => new Map([...hosts].map((host) => [host, host]));

/** A cluster with the one task, which serves. */
async function serving(): Promise<Cluster> {
  const cluster = new Cluster('mesos=m');
  await take(cluster, stateJson());
  return cluster;
}

function apply(cluster: Cluster, type: string, content: unknown): void {
  const event = readEvent({ type, [type.toLowerCase()]: content });
  if (event !== null) cluster.apply(event, 0);
}

function update(state: unknown, status: object = {}, more: object = {}) {
  return {
    framework_id: { value: MARATHON },
    state,
    status: { task_id: { value: TASK.id }, state, timestamp: 2_000, ...status },
    ...more,
  };
}

async function found(cluster: Cluster) {
  const { apps, rejected } = await everythingOf(cluster, ADDRESSES);
  return {
    tasks: apps
      .flatMap((app) => app.tasks)
      .map((each) => `${each.state} ${each.health} ${reached(each)}`.trim()),
    rejected: [...apps.flatMap((app) => app.rejected), ...rejected].map(({ at }) => at),
  };
}

const infos = (network_infos: unknown) => ({ container_status: { network_infos } });

describe('a wrong field in an update', () => {
  const fields: [string, object][] = [
    ['status.timestamp', { timestamp: 'x' }],
    ['status.healthy', { healthy: 'no' }],
    ['status.container_status', { container_status: 5 }],
    ['status.container_status.network_infos', infos('x')],
    ['status.container_status.network_infos[0]', infos([null])],
    ['status.container_status.network_infos[0].name', infos([{ name: 5 }])],
    ['status.container_status.network_infos[0].ip_addresses[0]', infos([{ ip_addresses: [null] }])],
    [
      'status.container_status.network_infos[0].port_mappings[0].host_port',
      infos([{ port_mappings: [{ host_port: '1' }] }]),
    ],
  ];
  test.each(fields)('%s costs no more than itself', async (at, status) => {
    const cluster = await serving();
    apply(cluster, 'TASK_UPDATED', update('TASK_RUNNING', status));
    expect(await found(cluster)).toEqual({ tasks: [SERVES], rejected: [at] });
    apply(cluster, 'TASK_UPDATED', update('TASK_KILLING', status));
    expect(await found(cluster)).toEqual({ tasks: ['killing healthy 10.0.0.1:31001'], rejected: [at] });
    apply(cluster, 'TASK_UPDATED', update('TASK_FAILED', status));
    expect(await found(cluster)).toEqual({ tasks: ['gone healthy'], rejected: [] });
  });

  test('leaves the others of it as they are', async () => {
    const cluster = await serving();
    apply(cluster, 'TASK_UPDATED', update('TASK_RUNNING', { timestamp: 'x', healthy: false }));
    expect((await found(cluster)).tasks).toEqual(['running unhealthy 10.0.0.1:31001']);
  });

  test.each([undefined, 5, ''])('a state %p is that of the status', async (state) => {
    const cluster = await serving();
    apply(cluster, 'TASK_UPDATED', update('TASK_FAILED', {}, { state }));
    expect((await found(cluster)).tasks).toEqual(['gone healthy']);
  });

  test("without a state leaves the task's state unchanged, and is reported", async () => {
    const cluster = await serving();
    apply(cluster, 'TASK_UPDATED', update(undefined));
    expect(await found(cluster)).toEqual({ tasks: [SERVES], rejected: ['state'] });
  });

  test('a framework that cannot be read is that of the only task with this id', async () => {
    const cluster = await serving();
    apply(cluster, 'TASK_UPDATED', update('TASK_FAILED', {}, { framework_id: 'x' }));
    expect((await found(cluster)).tasks).toEqual(['gone healthy']);
  });

  test('without a task id is reported with the source', async () => {
    const cluster = await serving();
    apply(cluster, 'TASK_UPDATED', { framework_id: { value: MARATHON }, state: 'TASK_FAILED' });
    expect((await everythingOf(cluster, ADDRESSES)).rejected).toEqual([
      { app: 'mesos=m', at: 'status', value: 'nothing', reason: 'expected an object' },
    ]);
  });
});

describe('a task that is listed again, or added again,', () => {
  const port = (labels: unknown) => ({
    discovery: { ports: { ports: [{ number: 31001, protocol: 'tcp', labels }] } },
  });
  const vip = { key: 'VIP_0', value: '/web:80' };
  const changes: [string, object][] = [
    ['name', { name: 5 }],
    ['state', { state: 5 }],
    ['executor_id', { executor_id: 5 }],
    ['labels', { labels: 'x' }],
    ['labels.labels[0].key', { labels: { labels: [{ value: 'x' }] } }],
    ['resources', { resources: 7 }],
    ['resources[0].name', { resources: [{ name: 7 }] }],
    ['container', { container: 'x' }],
    ['container.docker.port_mappings', { container: { type: 'DOCKER', docker: { port_mappings: 'x' } } }],
    ['statuses', { statuses: 'x' }],
    ['statuses[0]', { statuses: [null, ...(task()['statuses'] as object[])] }],
    ['discovery', { discovery: 'x' }],
    ['discovery.ports.ports', { discovery: { ports: { ports: 'x' } } }],
    ['discovery.ports.ports[0]', { discovery: { ports: { ports: [null] } } }],
    ['discovery.ports.ports[0].protocol', { discovery: { ports: { ports: [{ number: 1, protocol: 7 }] } } }],
    ['discovery.ports.ports[0].labels', port('x')],
    ['discovery.ports.ports[0].labels.labels[1].key', port({ labels: [vip, { value: 'x' }] })],
  ];
  test.each(changes)('with a wrong %s serves on', async (at, change) => {
    const cluster = await serving();
    await take(cluster, stateJson({ get_tasks: { tasks: [task(change)] } }));
    expect(await found(cluster)).toEqual({ tasks: [SERVES], rejected: [at] });
    const vips = (await everythingOf(cluster, ADDRESSES)).apps.flatMap(({ ports }) =>
      ports.map(({ labels }) => labels),
    );
    expect(vips).toEqual([{ VIP_0: '/web:80' }]);
  });

  test.each(changes)('with a wrong %s drains and ends', async (_at, change) => {
    const cluster = await serving();
    apply(cluster, 'TASK_ADDED', {
      task: { ...task({}, { state: 'KILLING' }), ...change, state: 'TASK_KILLING' },
    });
    expect((await found(cluster)).tasks).toEqual(['killing healthy 10.0.0.1:31001']);
    apply(cluster, 'TASK_ADDED', {
      task: { ...task({}, { state: 'FAILED' }), ...change, state: 'TASK_FAILED' },
    });
    expect((await found(cluster)).tasks).toEqual(['gone healthy']);
  });

  test.each<[string, object]>([
    ['with a wrong agent', { agent_id: {} }],
    ['nested too deep', { extra: JSON.parse('['.repeat(200) + ']'.repeat(200)) }],
  ])('%s drains and ends', async (_what, change) => {
    const cluster = await serving();
    await take(cluster, stateJson({ get_tasks: { tasks: [task({ ...change, state: 'TASK_KILLING' })] } }));
    expect((await found(cluster)).tasks).toEqual(['killing healthy 10.0.0.1:31001']);
    apply(cluster, 'TASK_ADDED', { task: task({ ...change, state: 'TASK_LOST' }) });
    expect(await found(cluster)).toEqual({ tasks: ['gone healthy'], rejected: [] });
  });
});

test.each<[string, unknown, string]>([
  ['a VIP of its own', { key: 'VIP_1', value: 5 }, '5'],
  ['another label', { key: 'x', value: 5 }, '5'],
])('the value of %s of another type is text, and costs no other label', async (_what, label, text) => {
  const labels = { labels: [{ key: 'VIP_0', value: '/web:80' }, label] };
  const cluster = new Cluster();
  await take(
    cluster,
    stateJson({
      get_tasks: { tasks: [task({ discovery: { ports: { ports: [{ number: 31001, labels }] } } })] },
    }),
  );
  const { apps } = await everythingOf(cluster, ADDRESSES);
  expect(Object.values(apps[0]?.ports[0]?.labels ?? {})).toEqual(['/web:80', text]);
});

test('a port whose mapping cannot be read is reached nowhere, and the others are', async () => {
  const port_mappings = [
    { host_port: '31001', container_port: 80, protocol: 'tcp' },
    { host_port: 31002, container_port: 81, protocol: 'tcp' },
  ];
  const ports = [80, 81].map((number) => ({ number, protocol: 'tcp' }));
  const json = task(
    { container: { type: 'DOCKER', docker: { port_mappings } }, discovery: { ports: { ports } } },
    { addresses: ['172.17.0.2'] },
  );
  const cluster = new Cluster();
  await take(cluster, stateJson({ get_tasks: { tasks: [json] } }));
  expect(await found(cluster)).toEqual({
    tasks: [
      'running healthy it is not known whether a host port is mapped to it: a port mapping of its task cannot be read 10.0.0.1:31002',
    ],
    rejected: ['container.docker.port_mappings[0].host_port'],
  });
});

test.each<[string, object]>([
  [
    'discovery.ports.ports[0].labels.labels[0].key',
    { labels: [{ value: 'x' }, { key: 'VIP_0', value: '/web:80' }] },
  ],
  ['discovery.ports.ports[0].labels', { VIP_0: '/web:80' }],
  ['discovery.ports.ports[0].labels', { label: [{ key: 'VIP_0', value: '/web:80' }] }],
])('what is wrong at %s of a new task is told, and costs no more', async (at, labels) => {
  const ports = [{ number: 31001, protocol: 'tcp', labels }];
  const cluster = new Cluster();
  await take(cluster, stateJson({ get_tasks: { tasks: [task({ discovery: { ports: { ports } } })] } }));
  expect(await found(cluster)).toEqual({ tasks: [SERVES], rejected: [at] });
  const [app] = (await everythingOf(cluster, ADDRESSES)).apps;
  expect(app?.ports[0]?.labels).toEqual('label' in labels || 'VIP_0' in labels ? {} : { VIP_0: '/web:80' });
});

test('a task waits for its agent, also one with an address of its own', async () => {
  const cluster = new Cluster();
  const tasks = [task({}, { addresses: ['9.0.0.7'] })];
  await take(cluster, stateJson({ get_tasks: { tasks }, get_agents: {} }));
  expect((await found(cluster)).tasks).toEqual(['running healthy Mesos has not reported its agent yet']);
  apply(cluster, 'AGENT_ADDED', { agent: AGENT });
  expect((await found(cluster)).tasks).toEqual(['running healthy 9.0.0.7:31001']);
});

test('no VIP may have the address of an agent without an id, or of a task that is in no app', async () => {
  const cluster = new Cluster();
  const at = (id: string, address: string, change: object = {}) => task(change, { id, addresses: [address] });
  const json = stateJson({
    get_tasks: {
      tasks: [task(), at('waits', '9.0.7.1', { framework_id: { value: 'F9' } })],
      unreachable_tasks: [at('lost', '9.0.7.2')],
    },
    get_agents: {
      agents: [AGENT, { agent_info: { hostname: '10.0.0.66' } }],
      recovered_agents: [{ hostname: '10.0.0.67' }],
    },
  });
  await take(cluster, json);
  expect((await cluster.snapshot(addressesOf(cluster), new Pace())).agents).toEqual([
    '10.0.0.1',
    '10.0.0.66',
    '10.0.0.67',
    '9.0.7.1',
    '9.0.7.2',
  ]);
});

test('nor that of one that an event adds without an id, until the next state', async () => {
  const cluster = await serving();
  const guarded = async () => (await everythingOf(cluster, addressesOf(cluster))).agents;
  cluster.takeNamedHosts();
  apply(cluster, 'AGENT_ADDED', { agent: { agent_info: { hostname: '10.0.0.66' } } });
  apply(cluster, 'AGENT_ADDED', { agent: { agent_info: { id: 7, hostname: '10.0.0.67' } } });
  expect([...cluster.takeNamedHosts()]).toEqual(['10.0.0.66', '10.0.0.67']);
  expect(await guarded()).toEqual(['10.0.0.1', '10.0.0.66', '10.0.0.67']);
  expect((await found(cluster)).rejected).toEqual(['agent_added.agent.agent_info.id']);
  await take(cluster, stateJson());
  expect(await guarded()).toEqual(['10.0.0.1']);
});

describe('a list of a wrong type is an error, and no empty list:', () => {
  const lists: [string, object][] = [
    ['get_state.get_tasks.tasks: expected a list, got text', { get_tasks: { tasks: 'x' } }],
    ['get_state.get_tasks.tasks: expected a list, got an object', { get_tasks: { tasks: {} } }],
    [
      'get_state.get_tasks.launched_tasks: expected a list, got true',
      { get_tasks: { launched_tasks: true } },
    ],
    [
      'get_state.get_tasks.unreachable_tasks: expected a list, got 5',
      { get_tasks: { unreachable_tasks: 5 } },
    ],
    [
      'get_state.get_frameworks.frameworks: expected a list, got text',
      { get_frameworks: { frameworks: 'y' } },
    ],
    ['get_state.get_frameworks: expected an object, got a list', { get_frameworks: [] }],
    ['get_state.get_agents: expected an object, got 7', { get_agents: 7 }],
    [
      'get_state.get_agents.recovered_agents: expected a list, got text',
      { get_agents: { recovered_agents: 'x' } },
    ],
  ];
  test.each(lists)('%s', async (message, change) => {
    await expect(read(stateJson(change))).rejects.toThrow(message);
  });

  test.each([null, undefined])('but %p in its place is an empty one', async (nothing) => {
    const state = await read(stateJson({ get_tasks: { tasks: nothing }, get_agents: nothing }));
    expect(state?.tasks).toEqual([]);
  });

  test.each<[string, object]>([
    ['frameworks[0].tasks', { frameworks: [{ id: 'F0', name: 'marathon', tasks: {} }] }],
    ['frameworks[1]', { frameworks: [{ id: 'F0', name: 'marathon' }, null] }],
    ['frameworks[0].executors', { frameworks: [{ id: 'F0', name: 'marathon', executors: 'x' }] }],
    ['frameworks[0].executors[0].tasks', { frameworks: [{ id: 'F0', executors: [{ tasks: 5 }] }] }],
    ['slaves', { frameworks: [], slaves: null }],
    ['slaves', { frameworks: [], slaves: {}, hostname: 'a' }],
    ['frameworks', { frameworks: null }],
    ['frameworks', { frameworks: 'x', slaves: undefined, hostname: 'a' }],
  ])('%s of the old /state', (at, change) => {
    expect(() => readOldState({ id: 'm', slaves: [], ...change })).toThrow(`${at}: expected`);
  });
});

test.each<[string, unknown, string]>([
  [
    'FRAMEWORK_ADDED',
    { framework: { framework_info: { id: 5 } } },
    'framework_added.framework.framework_info.id',
  ],
  ['FRAMEWORK_UPDATED', 'x', 'framework_updated'],
  ['FRAMEWORK_REMOVED', {}, 'framework_removed.framework_info'],
  [
    'AGENT_ADDED',
    { agent: { agent_info: { id: { value: 'S1' } } } },
    'agent_added.agent.agent_info.hostname',
  ],
  ['AGENT_REMOVED', { agent_id: 'S0' }, 'agent_removed.agent_id'],
])('%s that cannot be read is told, until the next state', async (type, content, at) => {
  const cluster = await serving();
  apply(cluster, type, content);
  expect(await found(cluster)).toEqual({ tasks: [SERVES], rejected: [at] });
  await take(cluster, stateJson());
  expect((await found(cluster)).rejected).toEqual([]);
});

test('invalid entries of lists are each reported with their path and the source', async () => {
  const cluster = new Cluster('mesos=m');
  await take(
    cluster,
    stateJson({
      get_tasks: { tasks: [null, task(), 5] },
      get_frameworks: { frameworks: [FRAMEWORK, null] },
      get_agents: { agents: [AGENT, { agent_info: { hostname: '10.0.0.66' } }] },
    }),
  );
  const { rejected } = await everythingOf(cluster, ADDRESSES);
  expect(rejected.map(({ app, at }) => `${app} ${at}`).sort()).toEqual([
    'mesos=m get_state.get_agents.agents[1].agent_info.id',
    'mesos=m get_state.get_frameworks.frameworks[1]',
    'mesos=m get_state.get_tasks.tasks[0]',
    'mesos=m get_state.get_tasks.tasks[2]',
  ]);
  expect((await found(cluster)).tasks).toEqual([SERVES]);
});

test.each<[string, unknown]>([
  ['a number', 7],
  ['missing', undefined],
])(
  'an agent that a new master waits for keeps its tasks where its host name is %s',
  async (_name, hostname) => {
    const cluster = await serving();
    await take(
      cluster,
      stateJson({
        get_tasks: { tasks: [] },
        get_agents: { agents: [], recovered_agents: [{ id: { value: 'S0' }, hostname }] },
      }),
    );
    expect((await cluster.snapshot(ADDRESSES, new Pace())).apps.flatMap(({ tasks }) => tasks)).toMatchObject([
      { id: TASK.id, state: 'running' },
    ]);
  },
);

test.each<[string, object]>([
  ['task id', { get_tasks: { tasks: [task({ task_id: { value: 'x'.repeat(100_000) } })] } }],
  ['agent id', { get_tasks: { tasks: [task({ agent_id: { value: 'x'.repeat(100_000) } })] } }],
  ['name of a task', { get_tasks: { tasks: [task({ name: 'x'.repeat(100_000) })] } }],
  [
    'host name',
    { get_agents: { agents: [{ agent_info: { id: { value: 'S0' }, hostname: 'x'.repeat(100_000) } }] } },
  ],
  [
    'name of a framework',
    {
      get_frameworks: {
        frameworks: [{ framework_info: { id: { value: MARATHON }, name: 'x'.repeat(100_000) } }],
      },
    },
  ],
])('a %s of endless length makes no endless message, and is reported', async (_name, lists) => {
  const cluster = new Cluster('mesos=m');
  await take(cluster, stateJson(lists));
  const { apps, rejected, warnings } = await cluster.snapshot(ADDRESSES, new Pace());
  const problems = [...rejected, ...apps.flatMap((app) => app.rejected)];
  expect(problems).toContainEqual(expect.objectContaining({ reason: 'expected at most 1024 characters' }));
  expect(JSON.stringify([apps, rejected, warnings]).length).toBeLessThan(10_000);
});
