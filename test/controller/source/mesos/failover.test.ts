import { expect, test } from '@jest/globals';
import { fastClock, until } from '../support.ts';
import { followed, mesos, never, source, startFollowing, tasksOf, useMesos, webTask } from './setup.ts';

useMesos();

const wholes = (told: Awaited<ReturnType<typeof followed>>) =>
  told.reads.filter(({ complete }) => complete).length;

test('tasks on agents that have not come back to a new master stay what they were', async () => {
  mesos.cluster.addTask(webTask(31002, { agent: 'S1', addresses: ['10.0.0.2'] }));
  const told = await followed();
  mesos.cluster.failOver();
  mesos.elect(0);
  await until('the new state came', () => wholes(told) === 2);
  expect(tasksOf(told)).toEqual(['running 10.0.0.1:31001', 'running 10.0.0.2:31002']);
});

test('an agent that comes back tells of its tasks, and those that it does not tell of have ended', async () => {
  mesos.cluster.addTask(webTask(31002));
  const clock = fastClock(50);
  const told = await followed({ clock });
  mesos.cluster.failOver();
  mesos.elect(0);
  await until('the new state came', () => wholes(told) === 2);

  mesos.cluster.addAgent('S0', '10.0.0.1');
  const back = clock.monotonic();
  mesos.cluster.addTask(webTask(31002));
  await until('the other one has ended', () => tasksOf(told)[0] === 'gone');
  expect(tasksOf(told)).toEqual(['gone', 'running 10.0.0.1:31002']);
  expect(clock.monotonic() - back).toBeGreaterThanOrEqual(9_000);
  expect(told.reads.at(-1)).toMatchObject({ complete: true });
});

test('an agent that the new master gives up leaves tasks that are unreachable', async () => {
  const told = await followed();
  mesos.cluster.failOver();
  mesos.elect(0);
  await until('the new state came', () => wholes(told) === 2);
  mesos.cluster.removeAgent('S0');
  await until('its task is unreachable', () => tasksOf(told)[0] === 'unreachable 10.0.0.1:31001');
});

test('an agent that never comes back is given up after ten minutes', async () => {
  const clock = fastClock(1000);
  const told = await followed({ clock, silenceMs: 1e9 });
  const begun = clock.monotonic();
  mesos.cluster.failOver();
  mesos.elect(0);
  await until('its task has ended', () => tasksOf(told)[0] === 'gone');
  expect(clock.monotonic() - begun).toBeGreaterThanOrEqual(600_000);
});

test('who knows nothing yet waits until the agents are back, and says why', async () => {
  mesos.cluster.failOver();
  const clock = fastClock(100);
  const told = startFollowing({ clock });
  await until('it says why', () => told.errors.length > 0);
  expect(told.errors[0]?.message).toMatch(
    /a new master leads, and these agents have not come back to it: 10\.0\.0\.1, 10\.0\.0\.2; what runs there/,
  );
  await expect(source().read(never)).rejects.toThrow('these agents have not come back to it');

  mesos.cluster.addAgent('S0', '10.0.0.1');
  mesos.cluster.addTask(webTask(31001));
  mesos.cluster.removeAgent('S1');
  expect(told.snapshots).toEqual([]);
  await until('all is known', () => told.snapshots.length > 0);
  expect(tasksOf(told)).toEqual(['running 10.0.0.1:31001']);
  expect(told.reads[0]).toMatchObject({ complete: true });
});
