/** A Marathon that has just become the leader and is still loading: from its events to the kernel in memory. */

import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Sources } from '../../../../controller/loop/sources.ts';
import type { PassStatus } from '../../../../controller/pass-status.ts';
import { LastGood } from '../../../../controller/source/last-good.ts';
import type { MarathonClient } from '../../../../controller/source/marathon/client.ts';
import { MarathonFollower } from '../../../../controller/source/marathon/follower.ts';
import { MarathonReader } from '../../../../controller/source/marathon/reader.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { type Controller, World } from '../../../support/world.ts';
import { namesOf, TestListener } from '../support.ts';

const APPS = 20;
const TICK_MS = 100;
const nothing = () => undefined;
const NOBODY = {
  moved: nothing,
  sourceRead: nothing,
  sourceFailed: nothing,
  passed: nothing,
  repaired: nothing,
};

type AppJson = Readonly<Record<string, unknown>> | null;
const task = (i: number, t: number, fields: object = {}) => ({
  id: `${i}.${t}`,
  host: `10.0.${i}.${t}`,
  state: 'TASK_RUNNING',
  ports: [31_000],
  ...fields,
});
const appOf = (i: number, tasks: readonly object[]): AppJson => ({
  id: `/${i}`,
  cmd: 'x',
  portDefinitions: [{ labels: { VIP_0: `web${i}:80` } }],
  tasks,
});
const healthy = (i: number) => appOf(i, [task(i, 1), task(i, 2)]);

let clock: FakeClock;
let world: World;
let controller: Controller;
let sources: Sources;
let listener: TestListener;
let stop: AbortController;
let following: Promise<void>;
let streams: ReadableStreamDefaultController<Uint8Array>[];
/** What Marathon answers about an app; null: it does not know it. */
let answerOf: (i: number) => AppJson;
let last: PassStatus | undefined;

beforeEach(async () => {
  clock = new FakeClock();
  world = new World(clock);
  controller = world.start();
  listener = new TestListener();
  sources = new Sources(
    [{ name: 'marathon', follow: async () => undefined, read: () => Promise.reject(new Error('not read')) }],
    NOBODY,
    controller.reconciler.inventory,
  );
  stop = new AbortController();
  streams = [];
  answerOf = healthy;
  const get = async (path: string, _signal: AbortSignal, parse?: (body: Buffer) => unknown) => {
    const [, kind = '', id] = /^\/v2\/(\w+)\/?(\d*)/.exec(path) ?? [];
    const isList = kind === 'apps' && !id;
    await clock.sleep(isList ? 200 : 20);
    const all = Array.from({ length: APPS }, (_, i) => answerOf(i)).filter((each) => each !== null);
    const lists: Readonly<Record<string, unknown>> = {
      info: { version: '1.11.24' },
      apps: { apps: all },
      pods: [],
    };
    const one = id ? answerOf(Number(id)) : null;
    const answer = id ? (one && kind === 'apps' ? { app: one } : null) : lists[kind];
    return parse === undefined ? answer : parse(Buffer.from(JSON.stringify(answer)));
  };
  const open = async () =>
    new ReadableStream<Uint8Array>({
      start(stream) {
        streams.push(stream);
      },
    });
  const send = () => Promise.reject(new Error('a source never writes'));
  const client = { name: 'marathon', servers: [], get, stream: open, send } as MarathonClient;
  const options = { client, clock, resolver: namesOf(), framework: 'marathon', inFlight: 4, healthHoldMs: 0 };
  following = new MarathonFollower({
    client,
    clock,
    listener,
    createReader: (callbacks) =>
      new MarathonReader({ ...options, lastGood: new LastGood('marathon'), ...callbacks }),
    inFlight: 4,
    relistMs: 300_000,
    restMs: 50,
    maxDirty: 50,
    spreadMs: 1_000,
    eventSilenceMs: 6_000_000,
    random: () => 0.9,
  }).run(stop.signal);
  await advance(TICK_MS);
  tell('event_stream_attached', {});
  await advance(3_000);
  expect(inRotation()).toBe(2 * APPS);
});

afterEach(async () => {
  stop.abort();
  streams.at(-1)?.close();
  await clock.advance(600_000);
  await following;
});

function tell(event: string, data: object): void {
  streams.at(-1)?.enqueue(Buffer.from(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`));
}

/** Time passes, and each delta makes a pass. */
async function advance(ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += TICK_MS) {
    await clock.advance(TICK_MS);
    const deltas = listener.deltas.splice(0);
    for (const delta of deltas) sources.read('marathon', delta);
    if (deltas.length === 0) continue;
    const gone = sources.takeEnded().endpoints;
    const request = { full: false, complete: sources.complete, changesSince: [], gone };
    last = await controller.reconciler.pass(request);
  }
}

function inRotation(): number {
  return [...world.kernel.values()]
    .flatMap(({ backends }) => [...backends.values()])
    .filter(({ weight }) => weight > 0).length;
}

/** Another Marathon leads, answers like this, and reports the tasks that it reconciles. */
async function changeLeader(answer: typeof answerOf, ms: number): Promise<void> {
  answerOf = answer;
  const before = streams.length;
  streams.at(-1)?.close();
  for (let tries = 0; tries < 100 && streams.length === before; tries += 1) await advance(TICK_MS);
  tell('event_stream_attached', {});
  for (let i = 0; i < APPS; i += 1)
    tell('status_update_event', { appId: `/${i}`, taskId: `${i}.1`, taskStatus: 'TASK_RUNNING' });
  await advance(ms);
}

test.each<[string, typeof answerOf]>([
  ['has apps without tasks', (i) => appOf(i, [])],
  ['does not know the apps', () => null],
])('a new leader that %s takes nothing away, neither app by app nor by its list', async (_name, answer) => {
  await changeLeader(answer, 400);
  expect(inRotation()).toBe(2 * APPS);
  expect(last?.held).toBeNull();
  await advance(6_500);
  expect(inRotation()).toBe(2 * APPS);
  expect(last?.held).toMatchObject({ backends: 2 * APPS });

  answerOf = healthy;
  await changeLeader(healthy, 6_500);
  expect(inRotation()).toBe(2 * APPS);
  expect(last?.held).toBeNull();
});

test('what many reads of single apps take away in a row is held once it is a mass', async () => {
  await changeLeader(
    (i) =>
      appOf(
        i,
        [1, 2].map((t) => task(i, t, { state: 'TASK_UNREACHABLE' })),
      ),
    6_500,
  );
  expect(inRotation()).toBeGreaterThanOrEqual(APPS);
  expect(last?.held?.backends).toBe(inRotation());
});

test('a task that an event names as ended goes at once, also where it is half of all', async () => {
  answerOf = (i) => appOf(i, [task(i, 1)]);
  for (let i = 0; i < APPS; i += 1)
    tell('status_update_event', { appId: `/${i}`, taskId: `${i}.2`, taskStatus: 'TASK_KILLED' });
  await advance(2_000);
  expect(inRotation()).toBe(APPS);
  answerOf = () => null;
  for (let i = 0; i < APPS; i += 1) tell('app_terminated_event', { appId: `/${i}` });
  await advance(2_000);
  expect(world.kernel.size).toBe(0);
});

test('a task that is missing although no event named it is no named end', async () => {
  answerOf = (i) => appOf(i, i === 0 ? [task(i, 1)] : []);
  for (let i = 0; i < APPS; i += 1)
    tell('status_update_event', { appId: `/${i}`, taskId: `${i}.1`, taskStatus: 'TASK_RUNNING' });
  await advance(2_000);
  expect(inRotation()).toBeGreaterThanOrEqual(APPS);
  expect(last?.held).not.toBeNull();
});
