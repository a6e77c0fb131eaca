import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { BOUNDS } from '../../../../controller/input/bounds.ts';
import { isEmpty } from '../../../../controller/model/delta.ts';
import { createMesosAgentSource } from '../../../../controller/source/mesos/source.ts';
import { startMesosAgent, type TestAgent } from '../../../support/mesos/start-mesos.ts';
import { fastClock, namesOf, TestListener, until } from '../support.ts';
import { MARATHON, never, tasksOf, webTask } from './setup.ts';

let agent: TestAgent;
let stop: AbortController;
let following: Promise<void> | undefined;

beforeEach(async () => {
  agent = await startMesosAgent('S0', '10.0.0.1');
  agent.cluster.addFramework(MARATHON, 'marathon');
  agent.cluster.addTask(webTask(31001));
  stop = new AbortController();
});

afterEach(async () => {
  stop.abort();
  await following;
  await agent.close();
});

function source(options: object = {}) {
  return createMesosAgentSource({ where: agent.url, resolver: namesOf(), pollMs: 10, ...options });
}

async function followed(options: object = {}): Promise<TestListener> {
  const listener = new TestListener();
  following = source(options).follow(listener, stop.signal);
  await until('it was read', () => listener.snapshots.length + listener.errors.length > 0);
  return listener;
}

test('an agent is polled for its tasks, and what changed is published', async () => {
  const listener = await followed();
  expect(tasksOf(listener)).toEqual(['running 10.0.0.1:31001']);
  expect(listener.reads[0]).toMatchObject({ complete: true });
  agent.cluster.addTask(webTask(31002));
  await until('the new task is there', () => tasksOf(listener).length === 2);
  expect(listener.snapshots).toHaveLength(2);
  agent.cluster.tasks.delete(webTask(31001).id);
  await until('the old task has ended', () => tasksOf(listener)[0] === 'gone');
});

test('an agent reports its own name once, not with every poll', async () => {
  const listener = await followed();
  for (const port of [31002, 31003, 31004]) {
    agent.cluster.addTask(webTask(port));
    await until('the change was reported', () => tasksOf(listener).at(-1) === `running 10.0.0.1:${port}`);
  }
  expect(agent.calls.filter((type) => type === 'GET_AGENT')).toHaveLength(1);
});

test('where nothing changes the unchanged state is published every half minute', async () => {
  const listener = await followed({ clock: fastClock(1000), pollMs: 2_000 });
  await until('it is reported again', () => listener.snapshots.length > 2);
  expect(listener.deltas.slice(1).every(isEmpty)).toBe(true);
  expect((listener.reads[1]?.since ?? 0) - (listener.reads[0]?.since ?? 0)).toBeGreaterThanOrEqual(30_000);
});

test('an agent that has not registered yet is polled later', async () => {
  agent.registered = false;
  const listener = await followed();
  expect(listener.errors[0]?.message).toContain('it has not registered with a master yet');
  agent.registered = true;
  await until('it is read', () => listener.snapshots.length === 1);
});

test.each<[string, number, string]>([
  ['is recovering', 503, ''],
  ['gives half an answer', 200, '{"type":"GET_STATE","get_state":{"get_tasks":{"launched_tasks":['],
  ['gives an empty state', 200, '{"type":"GET_STATE","get_state":{}}'],
  ['gives an empty object', 200, '{}'],
])('while an agent %s, the last good state stays', async (_what, status, body) => {
  const listener = await followed();
  agent.intercept = (_type, response) => {
    response.writeHead(status).end(body);
    return true;
  };
  await until('it fails', () => listener.errors.length > 1);
  expect(listener.snapshots).toHaveLength(1);
  agent.cluster.addTask(webTask(31002));
  agent.intercept = () => false;
  await until('it goes on', () => tasksOf(listener).length === 2);
});

test('an agent that fails is polled less and less often, up to once a minute', async () => {
  agent.intercept = (_type, response) => {
    response.writeHead(503).end();
    return true;
  };
  const clock = fastClock(1000);
  const times: number[] = [];
  const listener = new TestListener();
  listener.failed = () => void times.push(clock.monotonic());
  following = source({ clock, pollMs: 2_000, random: () => 1 }).follow(listener, stop.signal);
  await until('it failed often', () => times.length === 8);
  const pauses = times.slice(1).map((time, index) => Math.floor((time - (times[index] ?? 0)) / 1_000));
  expect(pauses.slice(0, 3).every((pause, index) => pause >= 4 * 2 ** index)).toBe(true);
  expect(pauses.at(-1)).toBeGreaterThanOrEqual(60);
});

test('an agent can be read once, without following', async () => {
  const { apps } = await source().read(never);
  expect(apps.map(({ id }) => id)).toEqual(['/web']);
  expect(source().name).toBe(`mesos-agent=${agent.url}`);
});

test('an agent that names itself with millions of values is refused, before they are parsed', async () => {
  const values = `[0${',0'.repeat(BOUNDS.documentValues)}]`;
  agent.intercept = (type, response) => {
    if (type !== 'GET_AGENT') return false;
    response.writeHead(200, { 'content-type': 'application/json' }).end(`{"get_agent":${values}}`);
    return true;
  };
  await expect(source().read(never)).rejects.toThrow(`more than ${BOUNDS.documentValues} values`);
});
