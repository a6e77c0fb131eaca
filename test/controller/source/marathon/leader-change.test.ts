/** A Marathon that has just become the leader and is still loading. */

import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { APPS, type AppJson, appOf, Cluster, healthy, loading, task } from './cluster-setup.ts';

type Answer = (i: number) => AppJson;

let cluster: Cluster;

beforeEach(async () => {
  cluster = new Cluster();
  await cluster.start();
});

afterEach(() => cluster.stop());

const LOADING: [string, Answer][] = [
  ['has apps without tasks', loading],
  ['does not know the apps', () => null],
];

test.each(LOADING)(
  'a new leader that %s takes nothing away, neither app by app nor by its list',
  async (_name, answer) => {
    await cluster.changeLeader(answer, 400);
    expect(cluster.inRotation).toBe(2 * APPS);
    expect(cluster.last?.held).toBeNull();
    await cluster.advance(6_500);
    expect(cluster.inRotation).toBe(2 * APPS);
    expect(cluster.last?.held).toMatchObject({ backends: 2 * APPS });

    await cluster.changeLeader(healthy, 6_500);
    expect(cluster.inRotation).toBe(2 * APPS);
    expect(cluster.last?.held).toBeNull();
  },
);

test.each(LOADING)(
  'before the event stream is back, the reads of single apps of a leader that %s take nothing away',
  async (_name, answer) => {
    // Fewer than half, which the brake would let go.
    cluster.isDown = true;
    cluster.tellStates(1, 'TASK_RUNNING', 9);
    await cluster.advance(100);
    cluster.loseStream();
    await cluster.advance(5_000);
    cluster.refusesStreams = true;
    cluster.isDown = false;
    cluster.answerOf = answer;
    const before = cluster.requests.length;
    await cluster.advance(10_000);
    expect(
      cluster.requests.slice(before).filter((path) => path.startsWith('/v2/apps/')).length,
    ).toBeGreaterThanOrEqual(9);
    expect(cluster.inRotation).toBe(2 * APPS);
    cluster.answerOf = healthy;
    cluster.refusesStreams = false;
    await cluster.streamBack();
    await cluster.advance(6_500);
    expect(cluster.inRotation).toBe(2 * APPS);
    expect(cluster.last?.held ?? null).toBeNull();
  },
);

test('what many reads of single apps take away in a row is held once it is a mass', async () => {
  await cluster.changeLeader(
    (i) =>
      appOf(
        i,
        [1, 2].map((t) => task(i, t, { state: 'TASK_UNREACHABLE' })),
      ),
    6_500,
  );
  expect(cluster.inRotation).toBeGreaterThanOrEqual(APPS);
  expect(cluster.last?.held?.backends).toBe(cluster.inRotation);
});

test('a task that is missing although no event named it is no named end', async () => {
  cluster.answerOf = (i) => appOf(i, i === 0 ? [task(i, 1)] : []);
  cluster.tellStates(1, 'TASK_RUNNING');
  await cluster.advance(2_000);
  expect(cluster.inRotation).toBeGreaterThanOrEqual(APPS);
  expect(cluster.last?.held).not.toBeNull();
});
