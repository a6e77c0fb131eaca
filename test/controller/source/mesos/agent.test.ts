import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { isEmpty } from '../../../../controller/delta.ts';
import { createMesosAgentSource } from '../../../../controller/source/mesos/source.ts';
import { startMesosAgent, type TestAgent } from '../../../support/mesos/start-mesos.ts';
import { fastClock, namesOf, Told, until } from '../support.ts';
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

async function followed(options: object = {}): Promise<Told> {
  const told = new Told();
  following = source(options).follow(told, stop.signal);
  await until('it was read', () => told.snapshots.length + told.errors.length > 0);
  return told;
}

test('an agent is asked for its tasks again and again, and tells what changed', async () => {
  const told = await followed();
  expect(tasksOf(told)).toEqual(['running 10.0.0.1:31001']);
  expect(told.reads[0]).toMatchObject({ complete: true });
  agent.cluster.addTask(webTask(31002));
  await until('the new task is there', () => tasksOf(told).length === 2);
  expect(told.snapshots).toHaveLength(2);
  agent.cluster.tasks.delete(webTask(31001).id);
  await until('the old task has ended', () => tasksOf(told)[0] === 'gone');
});

test('an agent says its own name once, and not with every poll', async () => {
  const told = await followed();
  for (const port of [31002, 31003, 31004]) {
    agent.cluster.addTask(webTask(port));
    await until('the change was told', () => tasksOf(told).at(-1) === `running 10.0.0.1:${port}`);
  }
  expect(agent.calls.filter((type) => type === 'GET_AGENT')).toHaveLength(1);
});

test('where nothing changes it is said to be as it was every half minute', async () => {
  const told = await followed({ clock: fastClock(1000), pollMs: 2_000 });
  await until('it is told again', () => told.snapshots.length > 2);
  expect(told.deltas.slice(1).every(isEmpty)).toBe(true);
  expect((told.reads[1]?.since ?? 0) - (told.reads[0]?.since ?? 0)).toBeGreaterThanOrEqual(30_000);
});

test('an agent that has not registered yet is asked later', async () => {
  agent.registered = false;
  const told = await followed();
  expect(told.errors[0]?.message).toContain('it has not registered with a master yet');
  agent.registered = true;
  await until('it is read', () => told.snapshots.length === 1);
});

test.each<[string, number, string]>([
  ['is recovering', 503, ''],
  ['gives half an answer', 200, '{"type":"GET_STATE","get_state":{"get_tasks":{"launched_tasks":['],
  ['gives an empty state', 200, '{"type":"GET_STATE","get_state":{}}'],
  ['gives an empty object', 200, '{}'],
])('while an agent %s, the last good state stays', async (_what, status, body) => {
  const told = await followed();
  agent.intercept = (_type, response) => {
    response.writeHead(status).end(body);
    return true;
  };
  await until('it fails', () => told.errors.length > 1);
  expect(told.snapshots).toHaveLength(1);
  agent.cluster.addTask(webTask(31002));
  agent.intercept = () => false;
  await until('it goes on', () => tasksOf(told).length === 2);
});

test('an agent that fails is asked less and less often, up to once a minute', async () => {
  agent.intercept = (_type, response) => {
    response.writeHead(503).end();
    return true;
  };
  const clock = fastClock(1000);
  const times: number[] = [];
  const told = new Told();
  told.failed = () => void times.push(clock.monotonic());
  following = source({ clock, pollMs: 2_000, random: () => 1 }).follow(told, stop.signal);
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
