import { describe, expect, test } from '@jest/globals';
import { Pace } from '../../../../controller/pace.ts';
import { Cluster } from '../../../../controller/source/mesos/cluster.ts';
import { readEvent } from '../../../../controller/source/mesos/events.ts';
import { readState } from '../../../../controller/source/mesos/state.ts';
import { type TestTask, taskJson } from '../../../support/mesos/task-json.ts';
import { reached } from '../support.ts';
import { everythingOf } from './everything.ts';
import { MARATHON, webTask } from './setup.ts';

const ADDRESSES = new Map([['10.0.0.1', '10.0.0.1']]);
const TASK = webTask(31001);

type Change = (json: Record<string, unknown>) => object;
const unreadable: Change = (json) => ({ ...json, agent_id: {} });
const withoutStatuses: Change = ({ statuses: _, ...json }) => json;

/** A cluster that is fed with events, or with states in their place. */
class TestListener {
  readonly cluster = new Cluster();

  constructor() {
    this.event('FRAMEWORK_ADDED', {
      framework: { framework_info: { id: { value: MARATHON }, name: 'marathon' } },
    });
    this.event('AGENT_ADDED', { agent: { agent_info: { id: { value: 'S0' }, hostname: '10.0.0.1' } } });
  }

  event(type: string, content: object): void {
    const event = readEvent({ type, [type.toLowerCase()]: content });
    if (event !== null) this.cluster.apply(event, 0);
  }

  added(task: Partial<TestTask> = {}, change: Change = (json) => json): void {
    this.event('TASK_ADDED', { task: change(taskJson({ ...TASK, ...task })) });
  }

  updated(state: string, status: object = {}): void {
    this.event('TASK_UPDATED', {
      framework_id: { value: MARATHON },
      state: `TASK_${state}`,
      status: { task_id: { value: TASK.id }, state: `TASK_${state}`, timestamp: 2_000, ...status },
    });
  }

  async state(change: Change, task: Partial<TestTask> = {}): Promise<void> {
    const get_state = {
      get_tasks: { tasks: [change(taskJson({ ...TASK, ...task }))] },
      get_frameworks: { frameworks: [{ framework_info: { id: { value: MARATHON }, name: 'marathon' } }] },
      get_agents: { agents: [{ agent_info: { id: { value: 'S0' }, hostname: '10.0.0.1' } }] },
    };
    const state = await readState(Buffer.from(JSON.stringify({ type: 'GET_STATE', get_state })), new Pace());
    if (state === null) throw new Error('this is a state');
    await this.cluster.replace(state, 0, new Pace());
  }

  async all() {
    const { apps, rejected } = await everythingOf(this.cluster, ADDRESSES);
    const tasks = apps.flatMap((app) => app.tasks);
    return {
      tasks: tasks.map((task) => `${task.state} ${task.health} ${reached(task)}`.trim()),
      rejected: rejected.map(({ at }) => at),
    };
  }
}

describe('a task of which something cannot be read', () => {
  test('stays rejected over an update, which does not have its definition', async () => {
    const listener = new TestListener();
    listener.added({ state: 'STAGING' }, unreadable);
    listener.updated('RUNNING');
    expect(await listener.all()).toEqual({ tasks: [], rejected: ['agent_id.value'] });
  });

  test('stays rejected over an update that cannot be read either', async () => {
    const listener = new TestListener();
    listener.added({}, unreadable);
    listener.updated('RUNNING', { healthy: 'yes' });
    expect((await listener.all()).rejected).toEqual(['agent_id.value']);
  });

  test('stays rejected over an update where a state listed it', async () => {
    const listener = new TestListener();
    await listener.state(unreadable);
    listener.updated('RUNNING');
    expect((await listener.all()).rejected).toEqual(['agent_id.value']);
  });

  test('that was known serves on, and stays rejected until it can be read', async () => {
    const listener = new TestListener();
    listener.added();
    listener.added({}, unreadable);
    listener.updated('RUNNING');
    const serving = ['running unchecked 10.0.0.1:31001'];
    expect(await listener.all()).toEqual({ tasks: serving, rejected: ['agent_id.value'] });
    listener.added();
    expect(await listener.all()).toEqual({ tasks: serving, rejected: [] });
  });

  test('is no longer reported when it ends', async () => {
    const listener = new TestListener();
    listener.added({}, unreadable);
    listener.updated('KILLED');
    expect((await listener.all()).rejected).toEqual([]);
  });

  test('in an update alone is mended by the next update', async () => {
    const listener = new TestListener();
    listener.added();
    listener.updated('RUNNING', { healthy: 'yes' });
    expect((await listener.all()).rejected).toEqual(['status.healthy']);
    listener.updated('RUNNING', { healthy: true });
    expect(await listener.all()).toEqual({ tasks: ['running healthy 10.0.0.1:31001'], rejected: [] });
  });
});

describe('a task that is listed again without statuses', () => {
  const bridged = {
    addresses: ['172.31.254.3'],
    ports: [{ number: 8080, labels: { VIP_0: '/web:80' } }],
    mappings: [[31001, 8080]] as const,
    healthy: true,
  };
  test.each<[string, (listener: TestListener) => void | Promise<void>]>([
    ['by a second TASK_ADDED', (listener) => listener.added(bridged, withoutStatuses)],
    ['by a state', (listener) => listener.state(withoutStatuses, bridged)],
  ])('%s keeps address, mappings and health', async (_how, again) => {
    const listener = new TestListener();
    listener.added(bridged);
    const before = await listener.all();
    expect(before.tasks).toEqual(['running healthy 10.0.0.1:31001']);
    await again(listener);
    expect(await listener.all()).toEqual(before);
  });

  test('takes over its own state', async () => {
    const listener = new TestListener();
    listener.added();
    listener.added({ addresses: ['9.0.0.7'], healthy: false });
    expect((await listener.all()).tasks).toEqual(['running unhealthy 9.0.0.7:31001']);
    listener.added({ state: 'KILLING' }, withoutStatuses);
    expect((await listener.all()).tasks).toEqual(['killing unhealthy 9.0.0.7:31001']);
  });
});

describe('after the end of a task', () => {
  const ended = 'gone unchecked';
  test.each(['RUNNING', 'KILLING', 'UNREACHABLE'])(
    'a late update to %s does not bring it back',
    async (state) => {
      const listener = new TestListener();
      listener.added();
      listener.updated('LOST');
      listener.updated(state);
      expect((await listener.all()).tasks).toEqual([ended]);
    },
  );

  test('TASK_ADDED brings it back, with nothing of its former life', async () => {
    const listener = new TestListener();
    listener.added();
    listener.updated('LOST');
    listener.added({}, withoutStatuses);
    expect((await listener.all()).tasks).toEqual(['running unchecked it has no IP address yet']);
    listener.added();
    expect((await listener.all()).tasks).toEqual(['running unchecked 10.0.0.1:31001']);
  });
});
