import { expect, test } from '@jest/globals';
import { fastClock, until } from '../support.ts';
import { followed, mesos, never, source, startFollowing, tasksOf, useMesos, webTask } from './setup.ts';

useMesos();

const wholes = (listener: Awaited<ReturnType<typeof followed>>) =>
  listener.reads.filter(({ complete }) => complete).length;

/** A new master is elected, and the whole state is read from it. */
async function failOver(listener: Awaited<ReturnType<typeof followed>>): Promise<void> {
  mesos.cluster.failOver();
  mesos.elect(0);
  await until('the new state came', () => wholes(listener) === 2);
}

test('tasks on agents that have not come back to a new master stay what they were', async () => {
  mesos.cluster.addTask(webTask(31002, { agent: 'S1', addresses: ['10.0.0.2'] }));
  const listener = await followed();
  await failOver(listener);
  expect(tasksOf(listener)).toEqual(['running 10.0.0.1:31001', 'running 10.0.0.2:31002']);
});

test('an agent that comes back reports its tasks, and those that it does not report have ended', async () => {
  mesos.cluster.addTask(webTask(31002));
  const clock = fastClock(50);
  const listener = await followed({ clock });
  await failOver(listener);

  mesos.cluster.addAgent('S0', '10.0.0.1');
  const back = clock.monotonic();
  mesos.cluster.addTask(webTask(31002));
  await until('the other one has ended', () => tasksOf(listener)[0] === 'gone');
  expect(tasksOf(listener)).toEqual(['gone', 'running 10.0.0.1:31002']);
  expect(clock.monotonic() - back).toBeGreaterThanOrEqual(9_000);
  expect(listener.reads.at(-1)).toMatchObject({ complete: true });
});

test('an agent that the new master gives up leaves tasks that are unreachable', async () => {
  const listener = await followed();
  await failOver(listener);
  mesos.cluster.removeAgent('S0');
  await until('its task is unreachable', () => tasksOf(listener)[0] === 'unreachable 10.0.0.1:31001');
});

test('an agent that the new master gives up without an event leaves unreachable tasks, which end later', async () => {
  const clock = fastClock(1000);
  const listener = await followed({ clock, silenceMs: 1e9 });
  const begun = clock.monotonic();
  await failOver(listener);
  mesos.cluster.giveUp('S0');
  mesos.cluster.giveUp('S1');
  await until('its task is unreachable', () => tasksOf(listener)[0] === 'unreachable 10.0.0.1:31001');
  expect(clock.monotonic() - begun).toBeGreaterThanOrEqual(600_000);
  expect(mesos.calls.filter(({ type }) => type === 'GET_AGENTS')).toHaveLength(1);
  await until('its task has ended', () => tasksOf(listener)[0] === 'gone');
  expect(clock.monotonic() - begun).toBeGreaterThanOrEqual(1_200_000);
});

test('a master may wait for its agents for longer than ten minutes, and their tasks stay for as long', async () => {
  const clock = fastClock(1000);
  const listener = await followed({ clock, silenceMs: 1e9 });
  const begun = clock.monotonic();
  mesos.cluster.failOver();
  mesos.elect(0);
  await until('it has been asked for a while', () => clock.monotonic() - begun > 1_500_000);
  expect(tasksOf(listener)).toEqual(['running 10.0.0.1:31001']);
  mesos.cluster.giveUp('S0');
  await until('its task is unreachable', () => tasksOf(listener)[0] === 'unreachable 10.0.0.1:31001');
});

test('connections that end do not keep the tasks of a lost agent', async () => {
  const clock = fastClock(1000);
  const listener = await followed({ clock, silenceMs: 1e9 });
  const begun = clock.monotonic();
  await failOver(listener);
  await until('half of its time is over', () => clock.monotonic() - begun > 300_000);
  mesos.endStreams();
  await until('the state came again', () => wholes(listener) === 3);
  mesos.cluster.giveUp('S0');
  await until('its task is unreachable', () => tasksOf(listener)[0] === 'unreachable 10.0.0.1:31001');
  expect(clock.monotonic() - begun).toBeLessThan(900_000);
});

test('a master that does not report which agents it waits for changes nothing, and is queried again', async () => {
  const clock = fastClock(1000);
  const listener = await followed({ clock, silenceMs: 1e9 });
  let isRefused = true;
  mesos.intercept = (type, response) => {
    if (type !== 'GET_AGENTS' || !isRefused) return false;
    response.writeHead(503).end('No leader elected');
    return true;
  };
  await failOver(listener);
  mesos.cluster.giveUp('S0');
  const failed = () => listener.errors.filter(({ message }) => message.includes('GET_AGENTS')).length;
  await until('it failed twice', () => failed() >= 2);
  expect(tasksOf(listener)).toEqual(['running 10.0.0.1:31001']);
  isRefused = false;
  await until('its task is unreachable', () => tasksOf(listener)[0] === 'unreachable 10.0.0.1:31001');
});

test('a controller without state waits until the agents are back, and reports why', async () => {
  mesos.cluster.failOver();
  const clock = fastClock(100);
  const listener = startFollowing({ clock });
  await until('it says why', () => listener.errors.length > 0);
  expect(listener.errors[0]?.message).toMatch(
    /a new master leads, and these agents have not come back to it: 10\.0\.0\.1, 10\.0\.0\.2; what runs there/,
  );
  await expect(source().read(never)).rejects.toThrow('these agents have not come back to it');

  mesos.cluster.addAgent('S0', '10.0.0.1');
  mesos.cluster.addTask(webTask(31001));
  mesos.cluster.removeAgent('S1');
  expect(listener.snapshots).toEqual([]);
  await until('all is known', () => listener.snapshots.length > 0);
  expect(tasksOf(listener)).toEqual(['running 10.0.0.1:31001']);
  expect(listener.reads[0]).toMatchObject({ complete: true });
});

test('a controller without state proceeds once the master has given up its agents', async () => {
  mesos.cluster.failOver();
  const clock = fastClock(1000);
  const listener = startFollowing({ clock, silenceMs: 1e9 });
  await until('it says why', () => listener.errors.length > 0);
  mesos.cluster.addAgent('S0', '10.0.0.1');
  mesos.cluster.addTask(webTask(31001));
  mesos.cluster.giveUp('S1');
  await until('all is known', () => listener.snapshots.length > 0);
  expect(tasksOf(listener)).toEqual(['running 10.0.0.1:31001']);
});
