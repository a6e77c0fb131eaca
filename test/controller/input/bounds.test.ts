/** What a source may say, and what becomes of the rest: one bad app costs itself alone, a bad list changes nothing. */

import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { BOUNDS, OverBound, overBound } from '../../../controller/input/bounds.ts';
import { Pace } from '../../../controller/pace.ts';
import { readAnswer, readDocumentBytes } from '../../../controller/source/document/document-bytes.ts';
import { readDocuments } from '../../../controller/source/document/documents.ts';
import { readDeclaration } from '../../../controller/source/kubernetes/declaration.ts';
import { readEvent as readMarathonEvent } from '../../../controller/source/marathon/events.ts';
import { ReadQueue } from '../../../controller/source/marathon/read-queue.ts';
import { readEvent } from '../../../controller/source/mesos/events.ts';
import { readRecording } from '../../../controller/source/mesos/recording.ts';
import { readState } from '../../../controller/source/mesos/state.ts';
import { MAX_LISTED } from '../../../controller/status/truncate.ts';

const deep = (levels: number) => `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`;
const withLabel = (id: string, label: string) =>
  `{"id":"${id}","cmd":"x","portDefinitions":[{"labels":{"VIP_0":${label}}}]}`;
const GOOD = withLabel('/good', '"/good:80"');
const HOSTILE_LEVELS = 200_000;

describe('an app that is nested too deep', () => {
  const bad = withLabel('/bad', deep(HOSTILE_LEVELS));
  const rejection = {
    app: '/bad',
    at: 'portDefinitions[0].labels.VIP_0.a',
    value: '',
    reason: `nested deeper than ${BOUNDS.depth} levels`,
  };

  test.each([
    ['a list of apps', `{"apps":[${bad},${GOOD}]}`],
    ['a bare list', `[${bad},${GOOD}]`],
    ['a group', `{"id":"/","apps":[${bad},${GOOD}]}`],
  ])('costs itself alone in %s', async (_where, text) => {
    const documents = await readDocumentBytes(Buffer.from(text), 'the file');
    expect(documents?.apps).toMatchObject([{ unread: { definition: rejection } }, { id: '/good' }]);
    expect(documents?.apps[1]?.unread).toBeUndefined();
  });

  test('costs itself alone in an answer of Marathon', async () => {
    const documents = await readAnswer(Buffer.from(`{"apps":[${bad},${GOOD}]}`), 'apps', 'marathon');
    expect(documents).toMatchObject({ apps: [{ unread: { definition: rejection } }, { id: '/good' }] });
  });

  test('is refused by its id in a Kubernetes object', () => {
    const spec = { endpoints: { service: 'bad' }, app: JSON.parse(bad) };
    const object = { metadata: { name: 'bad', namespace: 'x', resourceVersion: '1' }, spec };
    expect(readDeclaration(object, 'x/bad')).toEqual(rejection);
  });

  test.each(['id', 'instances', 'tasks', 'labels'])('is no exception wherever it is: %s', async (field) => {
    const odd = `{"id":"/odd","cmd":"x","${field}":${deep(HOSTILE_LEVELS)}}`;
    const documents = await readDocumentBytes(Buffer.from(`[${odd},${GOOD}]`), 'the file');
    const whole = documents?.apps.filter(({ unread }) => unread === undefined);
    expect(whole?.map(({ id }) => id)).toEqual(['/good']);
  });

  test('and what every real app has is not', () => {
    expect(overBound(JSON.parse(deep(BOUNDS.depth - 1)))).toBeNull();
  });
});

describe('an app that has too much of something', () => {
  const many = (count: number, make: (at: number) => unknown) =>
    Array.from({ length: count }, (_, at) => make(at));
  const labels = (count: number, name: string) =>
    Object.fromEntries(many(count, (at) => [`${name}_${at}`, `/v${at}:80`]) as [string, string][]);

  test.each([
    [
      'VIPs',
      { portDefinitions: many(2, () => ({ labels: labels(BOUNDS.vips / 2 + 1, 'VIP') })) },
      '',
      /at most 1000 VIPs, got 1002/,
    ],
    [
      'labels',
      { portDefinitions: [{ labels: labels(BOUNDS.labels + 1, 'VIP') }] },
      'portDefinitions[0].labels',
      /at most 1000 labels, got 1001/,
    ],
    ['ports', { portDefinitions: many(BOUNDS.ports + 1, () => ({})) }, '', /at most 1000 ports, got 1001/],
    ['tasks', { tasks: many(BOUNDS.tasks + 1, (at) => ({ id: `t${at}` })) }, 'tasks', /at most 20000 items/],
    [
      'protocols',
      { portDefinitions: [{ protocol: 'x,'.repeat(600) }] },
      'portDefinitions[0].protocol',
      /1024 characters/,
    ],
  ])('is refused, with what is accepted, and the others are not: %s', (_what, fields, at, reason) => {
    const documents = readDocuments([{ id: '/bad', cmd: 'x', ...fields }, JSON.parse(GOOD)], 'the file');
    const [bad, ...others] = (documents?.apps ?? []).toSorted((a, b) => (a.id < b.id ? -1 : 1));
    expect([bad, ...others].at(-1)).toMatchObject({ id: '/good' });
    expect([
      ...(bad?.unread?.definition ? [bad.unread.definition] : []),
      ...(bad?.unread?.rejected ?? []),
    ]).toEqual([{ app: '/bad', at, value: expect.any(String), reason: expect.stringMatching(reason) }]);
  });

  test('costs no more than that, and nothing where it is of another program', () => {
    const json = {
      ...{ id: '/bad', cmd: 'x', labels: labels(BOUNDS.labels + 1, 'x') },
      portDefinitions: [
        { labels: { ...labels(BOUNDS.labels + 1, 'x'), VIP_0: 'web:80', VIP_1: 'x'.repeat(70_000) } },
      ],
    };
    const [app] = readDocuments(json, 'the file')?.apps ?? [];
    expect(app?.unread?.rejected).toEqual([]);
    expect(app?.labels).toEqual({});
    // Where labels are read it is told, and keeps its last VIP.
    expect(app?.portDefinitions?.[0]?.labels).toEqual({
      VIP_0: 'web:80',
      VIP_1: 'x'.repeat(BOUNDS.labelLength + 1),
    });
  });

  test('labels that are called as the insides of objects are ordinary labels', () => {
    const text =
      '{"id":"/x","cmd":"x","portDefinitions":[{"labels":{"__proto__":"a","constructor":"b","VIP_0":"/x:80"}}]}';
    expect(readDocuments(JSON.parse(text), 'x')?.apps[0]?.portDefinitions?.[0]?.labels).toMatchObject({
      VIP_0: '/x:80',
    });
  });
});

describe('a list', () => {
  test('of too many elements is refused as a whole: cut short it would look like apps being deleted', async () => {
    const bytes = Buffer.from(`{"apps":[${GOOD}${',{}'.repeat(BOUNDS.items)}]}`);
    await expect(readAnswer(bytes, 'apps', 'marathon')).rejects.toThrow(OverBound);
    await expect(readDocumentBytes(bytes, 'the file')).rejects.toThrow(OverBound);
  });

  test('of many items that are no app tells some of them, and how many more there are', async () => {
    const bytes = Buffer.from(`{"apps":[${GOOD}${',{}'.repeat(BOUNDS.rejections + 2_999)}]}`);
    const documents = await readAnswer(bytes, 'apps', 'marathon');
    expect(documents?.rejected).toHaveLength(BOUNDS.rejections + 1);
    expect(documents?.rejected.at(-1)?.reason).toBe('and 2999 more items that are not apps or pods');
  });

  test('is read in turns with others', async () => {
    const bytes = Buffer.from(
      `{"apps":[${Array.from({ length: 20_000 }, (_, at) => withLabel(`/a${at}`, '"/a:80"')).join()}]}`,
    );
    let turns = 0;
    const timer = setInterval(() => {
      turns += 1;
    }, 0);
    const documents = await readAnswer(bytes, 'apps', 'marathon');
    clearInterval(timer);
    expect(documents?.apps).toHaveLength(20_000);
    expect(turns).toBeGreaterThan(1);
  });
});

describe('Mesos', () => {
  const task = (id: string, more = '') =>
    `{"name":"web","task_id":{"value":"${id}"},"framework_id":{"value":"f"},"agent_id":{"value":"a"},"state":"TASK_RUNNING"${more}}`;
  const state = (...tasks: string[]) =>
    `{"type":"GET_STATE","get_state":{"get_frameworks":{"frameworks":[]},"get_tasks":{"tasks":[${tasks.join()}]}}}`;
  const bad = [
    [
      'a label that is deep',
      task('bad', `,"labels":{"labels":[{"key":"k","value":${deep(HOSTILE_LEVELS)}}]}`),
    ],
    ['many values', task('bad', `,"x":[0${',{}'.repeat(BOUNDS.values)}]`)],
    ['many labels', task('bad', `,"labels":{"labels":[{"key":"k"}${',{"key":"k"}'.repeat(BOUNDS.labels)}]}`)],
  ] as const;

  test.each(bad)(
    'a task with %s costs itself alone in a state and in a recording',
    async (_what, hostile) => {
      const bytes = Buffer.from(state(hostile, task('good')));
      const read = await readState(bytes, new Pace());
      const told = [
        ...(read?.rejected.keys() ?? []),
        ...(read?.tasks ?? []).flatMap((each) => each.rejected),
      ];
      expect(told).toHaveLength(1);
      expect(['f bad', undefined]).toContain([...(read?.rejected.keys() ?? [])][0]);
      expect(read?.tasks.map(({ id }) => id)).toContain('good');
      expect(await readRecording(bytes, 'file=x')).not.toBeNull();
    },
  );

  test('a task with a deep label is unreadable in an event', () => {
    const [, [, hostile]] = [bad[1], bad[0]];
    const event = readEvent(JSON.parse(`{"type":"TASK_ADDED","task_added":{"task":${hostile}}}`));
    expect(event).toMatchObject({ type: 'unreadable', key: 'f bad', rejection: { app: 'bad' } });
  });

  test('more tasks than accepted are no state', async () => {
    const bytes = Buffer.from(state(`0${',0'.repeat(BOUNDS.items)}`));
    await expect(readState(bytes, new Pace())).rejects.toThrow(OverBound);
  }, 120_000);
});

describe('events', () => {
  test.each(['toString', 'constructor', 'hasOwnProperty', '__proto__'])('a type %s says nothing', (event) => {
    expect(readMarathonEvent({ event, data: '{}' }).affected).toEqual([]);
  });

  test('content that is nested too deep, or names too many apps, says that something changed', () => {
    const actions = Array.from({ length: BOUNDS.waitingApps + 1 }, (_, at) => ({ app: `/a${at}` }));
    const data = JSON.stringify({ currentStep: { actions } });
    expect(readMarathonEvent({ event: 'deployment_info', data }).affected).toBe('everything');
    const nested = { event: 'status_update_event', data: `{"appId":${deep(HOSTILE_LEVELS)}}` };
    expect(readMarathonEvent(nested).affected).toBe('everything');
  });

  test('of more apps than can wait one read of everything is made', () => {
    const queue = new ReadQueue({ list: true, items: false, inFlight: 1 });
    for (let at = 0; at <= BOUNDS.waitingApps; at += 1) queue.add(`/a${at}`, at + 1, 100);
    expect(queue.take(100, Number.POSITIVE_INFINITY)).toEqual({
      relist: { since: 1 },
      items: new Map(),
      tooMany: false,
    });
  });
});

test('the documentation has the numbers', () => {
  const text = readFileSync(new URL('../../../docs/scale.md', import.meta.url), 'utf8');
  const section = text.slice(text.indexOf('## Limits on source data'));
  for (const bound of [...Object.values(BOUNDS), MAX_LISTED])
    expect(section).toContain(bound.toLocaleString('en'));
});
