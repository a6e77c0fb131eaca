/** Tasks and apps that Marathon names as ended go at once, however many they are and however they are read next. */

import { afterEach, expect, test } from '@jest/globals';
import { APPS, appOf, Cluster, healthy, task } from './cluster-setup.ts';

let cluster: Cluster;

afterEach(() => cluster.stop());

const HOW: [string, number][] = [
  ['read one by one', 50],
  ['read as a list', 2],
];

test.each(HOW)(
  'tasks named as ended, %s, are removed at once, even if they are half of all',
  async (_how, maxDirty) => {
    cluster = new Cluster();
    await cluster.start({ maxDirty });
    cluster.answerOf = (i) => appOf(i, [task(i, 1)]);
    cluster.tellStates(2, 'TASK_KILLED');
    await cluster.advance(2_000);
    expect(cluster.inRotation).toBe(APPS);
    cluster.answerOf = () => null;
    for (let i = 0; i < APPS; i += 1) cluster.tell('app_terminated_event', { appId: `/${i}` });
    await cluster.advance(2_000);
    expect(cluster.vips).toBe(0);
  },
);

test('of one list, tasks named as ended go and the others that are missing are held', async () => {
  cluster = new Cluster();
  await cluster.start({ maxDirty: 2 });
  cluster.answerOf = (i) => appOf(i, []);
  cluster.tellStates(1, 'TASK_KILLED');
  await cluster.advance(2_000);
  expect(cluster.inRotation).toBe(APPS);
  expect(cluster.last?.held).toMatchObject({ backends: APPS });
});

test('of one list, apps named as ended go and the others that are missing are held', async () => {
  cluster = new Cluster();
  await cluster.start({ maxDirty: 2 });
  cluster.answerOf = () => null;
  for (let i = 0; i < 5; i += 1) cluster.tell('app_terminated_event', { appId: `/${i}` });
  await cluster.advance(2_000);
  expect(cluster.vips).toBe(APPS - 5);
  expect(cluster.last?.held).toMatchObject({ backends: 2 * (APPS - 5) });
});

test('what was named before the leader changed counts for the list of the new one', async () => {
  cluster = new Cluster();
  await cluster.start();
  cluster.isDown = true;
  cluster.answerOf = (i) => appOf(i, []);
  for (const t of [1, 2]) cluster.tellStates(t, 'TASK_KILLED');
  await cluster.advance(6_000);
  cluster.loseStream();
  await cluster.advance(200);
  cluster.isDown = false;
  await cluster.streamBack();
  await cluster.advance(6_500);
  expect(cluster.inRotation).toBe(0);
});

test('an end that was named while lists still have the task counts for the one that lacks it', async () => {
  cluster = new Cluster();
  await cluster.start({ maxDirty: 2 });
  for (const t of [1, 2]) cluster.tellStates(t, 'TASK_KILLING');
  await cluster.advance(2_000);
  expect(cluster.inRotation).toBe(2 * APPS);
  cluster.answerOf = (i) => appOf(i, []);
  cluster.tell('pod_created_event', {});
  await cluster.advance(2_000);
  expect(cluster.vips).toBe(0);
});

test('an app created again under the id of one that ended is a new one: it is held when a list lacks it', async () => {
  cluster = new Cluster();
  await cluster.start({ maxDirty: 2 });
  cluster.answerOf = (i) => appOf(i, [task(i, 3), task(i, 4)]);
  for (let i = 0; i < APPS; i += 1) cluster.tell('app_terminated_event', { appId: `/${i}` });
  await cluster.advance(2_000);
  expect(cluster.inRotation).toBe(2 * APPS);
  cluster.answerOf = () => null;
  cluster.tell('pod_created_event', {});
  await cluster.advance(2_000);
  expect(cluster.last?.held).toMatchObject({ backends: 2 * APPS });
});

test.each<[string, () => void]>([
  [
    'that a task has ended',
    () => {
      for (const t of [1, 2]) cluster.tellStates(t, 'TASK_KILLED');
    },
  ],
  [
    'that an app has ended',
    () => {
      for (let i = 0; i < APPS; i += 1) cluster.tell('app_terminated_event', { appId: `/${i}` });
    },
  ],
])(
  'an event %s is wrong when a later read has the task running: what a list lacks after that is held',
  async (_what, tell) => {
    cluster = new Cluster();
    await cluster.start({ maxDirty: 2 });
    tell();
    await cluster.advance(2_000);
    expect(cluster.inRotation).toBe(2 * APPS);
    await cluster.changeLeader(() => null, 6_500);
    expect(cluster.inRotation).toBe(2 * APPS);
    expect(cluster.last?.held).toMatchObject({ backends: 2 * APPS });
  },
);

test('events of tasks and apps that are never listed, and events of a running task out of order, change nothing', async () => {
  cluster = new Cluster();
  await cluster.start();
  cluster.answerOf = (i) => (i < APPS ? healthy(i) : null);
  cluster.tellStates(9, 'TASK_RUNNING');
  cluster.tellStates(9, 'TASK_KILLED');
  cluster.tell('status_update_event', { appId: '/99', taskId: '99.1', taskStatus: 'TASK_KILLED' });
  for (const state of ['TASK_KILLED', 'TASK_STAGING', 'TASK_KILLING', 'TASK_RUNNING'])
    cluster.tellStates(1, state);
  await cluster.advance(2_000);
  expect(cluster.inRotation).toBe(2 * APPS);
  expect(cluster.last?.held ?? null).toBeNull();
});
