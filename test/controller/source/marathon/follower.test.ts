/** When Marathon is asked after events, with a clock and a Marathon that stand still in between. */

import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { LastGood } from '../../../../controller/source/last-good.ts';
import type { MarathonClient } from '../../../../controller/source/marathon/client.ts';
import { MarathonFollower } from '../../../../controller/source/marathon/follower.ts';
import { MarathonReader } from '../../../../controller/source/marathon/reader.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { namesOf, TestListener } from '../support.ts';
import { app } from './source-setup.ts';

const APPS = 1_000;
const REST_MS = 50;

let clock: FakeClock;
let listener: TestListener;
let asked: string[];
let stop: AbortController;
let following: Promise<void>;
let stream: ReadableStreamDefaultController<Uint8Array>;
/** How long an answer takes. */
let answerMs: number;
/** How long a list takes, where that is longer; and whether it then fails. */
let listMs: number;
let listsFail: boolean;
/** The VIP that app /7 declares. A read returns the app as it was when the read began. */
let vipOf7: string;

beforeEach(async () => {
  clock = new FakeClock();
  listener = new TestListener();
  asked = [];
  stop = new AbortController();
  answerMs = 0;
  listMs = 0;
  listsFail = false;
  vipOf7 = 'web7:80';
  const listed = (index: number) => ({ id: `/${index}`, ...app(index === 7 ? vipOf7 : `web${index}:80`) });
  const answers: Readonly<Record<string, unknown>> = {
    info: { version: '1.11.24' },
    apps: { apps: Array.from({ length: APPS }, (_, index) => listed(index)) },
    pods: [],
  };
  const get = async (path: string, _signal: AbortSignal, parse?: (body: Buffer) => unknown) => {
    asked.push(path);
    const [, kind = '', id] = /^\/v2\/(\w+)\/?(\d*)/.exec(path) ?? [];
    const isList = path.startsWith('/v2/apps?');
    const answer = kind === 'apps' && id ? { app: listed(Number(id)) } : answers[kind];
    if (kind !== 'info') await clock.sleep(isList ? Math.max(answerMs, listMs) : answerMs);
    if (isList && listsFail) throw new Error('answered 503');
    return parse === undefined ? answer : parse(Buffer.from(JSON.stringify(answer)));
  };
  const bytes = new ReadableStream<Uint8Array>({
    start(controller) {
      stream = controller;
    },
  });
  const send = () => Promise.reject(new Error('a source never writes'));
  const client = { name: 'marathon', servers: [], get, stream: async () => bytes, send } as MarathonClient;
  const options = { client, clock, resolver: namesOf(), framework: 'marathon', inFlight: 4, healthHoldMs: 0 };
  following = new MarathonFollower({
    client,
    clock,
    listener,
    unreadable: () => undefined,
    createReader: (callbacks) =>
      new MarathonReader({ ...options, ...callbacks, lastGood: new LastGood('marathon') }),
    inFlight: 4,
    relistMs: 300_000,
    restMs: REST_MS,
    maxDirty: 50,
    spreadMs: 0,
    eventSilenceMs: 600_000,
    random: () => 0,
  }).run(stop.signal);
  emit('event: event_stream_attached\ndata: {}\n\n');
  await clock.advance(5_000);
  asked.length = 0;
});
afterEach(async () => {
  stop.abort();
  stream.close();
  await clock.advance(600_000);
  await following;
});

const emit = (text: string) => stream.enqueue(Buffer.from(text));
const changed = (index: number) =>
  emit(`event: instance_changed_event\ndata: ${JSON.stringify({ runSpecId: `/${index}` })}\n\n`);
const singles = () => asked.filter((path) => /^\/v2\/apps\/\d/.test(path));
const lists = () => asked.filter((path) => path.startsWith('/v2/apps?'));

/** When the app is read while it changes every millisecond, counted from the first change. */
async function readTimes(ms: number): Promise<readonly number[]> {
  const times: number[] = [];
  const before = singles().length;
  for (let now = 0; now < ms; now += 1) {
    changed(7);
    await clock.advance(0);
    while (before + times.length < singles().length) times.push(now);
    await clock.advance(1);
  }
  return times;
}

test('an app is read at the first event, and again for all that follow within its rest', async () => {
  changed(7);
  changed(7);
  await clock.advance(0);
  expect(singles()).toHaveLength(1);
  for (let ms = 1; ms < REST_MS / 5; ms += 1) {
    await clock.advance(1);
    changed(7);
  }
  expect(singles()).toHaveLength(1);
  await clock.advance(1);
  expect(singles()).toHaveLength(2);
  await clock.advance(1_000);
  expect(singles()).toHaveLength(2);
});

test('an app that keeps changing is read at growing intervals, and at the shortest again after a quiet period', async () => {
  expect(await readTimes(200)).toEqual([0, 10, 30, 70, 120, 170]);
  await clock.advance(3 * REST_MS);
  expect(await readTimes(50)).toEqual([0, 10, 30]);
});

test.each([0, 1, REST_MS - 1, REST_MS, REST_MS + 1, 99, 100, 101, 149])(
  'an app that changes %i ms after a read of 100 ms began ends as Marathon has it',
  async (ms) => {
    answerMs = 100;
    changed(7);
    await clock.advance(0);
    expect(singles()).toHaveLength(1);
    await clock.advance(ms);
    vipOf7 = 'other:80';
    changed(7);
    await clock.advance(1_000);
    expect(singles()).toHaveLength(2);
    expect(listener.app('/7')?.ports[0]?.labels).toEqual({ VIP_0: 'other:80' });
  },
);

test('a thousand events for as many apps at once are one list', async () => {
  for (let index = 0; index < APPS; index += 1) changed(index);
  await clock.advance(1_000);
  expect(lists()).toHaveLength(1);
  expect(singles()).toEqual([]);
});

test('the steady changes of a large cluster do not turn into lists while a list takes seconds', async () => {
  answerMs = 3_000;
  emit('event: pod_created_event\ndata: {"uri":"/v2/pods"}\n\n');
  await clock.advance(0);
  for (let index = 0; index < 100; index += 1) {
    changed(index);
    await clock.advance(50);
    if (index === 50) answerMs = 5;
  }
  await clock.advance(5_000);
  expect(lists()).toHaveLength(1);
  expect(singles()).toHaveLength(100);
});

test('a slow list delays no app: one that changes meanwhile is read at once', async () => {
  listMs = 20_000;
  emit('event: pod_created_event\ndata: {"uri":"/v2/pods"}\n\n');
  await clock.advance(2_000);
  expect(lists()).toHaveLength(1);
  changed(7);
  await clock.advance(0);
  expect(singles()).toHaveLength(1);
  await clock.advance(30_000);
  expect(lists()).toHaveLength(1);
});

test('an app that changes before a list is read by itself, also where that list fails again and again', async () => {
  answerMs = 3_000;
  listMs = 500;
  listsFail = true;
  changed(9);
  await clock.advance(1_000);
  emit('event: pod_created_event\ndata: {"uri":"/v2/pods"}\n\n');
  await clock.advance(2_100);
  expect(listener.snapshots.at(-1)?.apps.length).toBe(APPS);
  expect(singles()).toHaveLength(1);
  await clock.advance(120_000);
  expect(singles()).toHaveLength(1);
  expect(lists().length).toBeGreaterThan(3);
});

test('apps that are too many to be read one by one are not forgotten where the list fails that is made instead', async () => {
  listsFail = true;
  for (let index = 0; index < APPS; index += 1) changed(index);
  await clock.advance(1_000);
  listsFail = false;
  const failed = lists().length;
  expect(failed).toBeGreaterThan(0);
  await clock.advance(60_000);
  expect(lists().length).toBeGreaterThan(failed);
  expect(singles()).toEqual([]);
});
