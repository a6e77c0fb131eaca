import { describe, expect, test } from '@jest/globals';
import { BOUNDS } from '../../../../controller/bounds.ts';
import type { App } from '../../../../controller/model.ts';
import { convertDocuments } from '../../../../controller/source/document/convert.ts';
import { readDocuments } from '../../../../controller/source/document/documents.ts';
import { namesOf, reached } from '../support.ts';

const task = (id: string, fields: object = {}) => ({
  id,
  host: '10.0.0.1',
  state: 'TASK_RUNNING',
  ports: [31000],
  ...fields,
});
const web = (tasks: readonly unknown[], fields: object = {}) => ({
  id: '/web',
  cmd: 'x',
  portDefinitions: [{ port: 80, labels: { VIP_0: 'web:80' } }],
  tasks,
  ...fields,
});

async function read(json: object, before?: App): Promise<App> {
  const documents = readDocuments(json, 'the document');
  if (documents === null) throw new Error('no known shape');
  const { apps } = await convertDocuments(documents, {
    framework: 'marathon',
    resolver: namesOf(),
    previous: (id) => (before?.id === id ? before : undefined),
  });
  const [app] = apps.values();
  if (app === undefined) throw new Error('no app');
  return app;
}

const served = ({ tasks }: App) => tasks.map((each) => `${each.id} ${reached(each)}`);

describe.each<[string, object, string, string, string]>([
  ['text for a port', { ports: ['x'] }, 'ports[0]', 'x', 'expected a port number from 0 to 65535, got text'],
  [
    'a port over 65535',
    { ports: [31000, 70_000] },
    'ports[1]',
    '70000',
    'expected a port number from 0 to 65535',
  ],
  ['ports that are no list', { ports: 31_000 }, 'ports', '31000', 'expected a list, got a number'],
  ['a host that is no text', { host: 7 }, 'host', '7', 'expected text, got a number'],
  ['a state that is a list', { state: [] }, 'state', '[]', 'expected text, got a list'],
  [
    'addresses of a wrong type',
    { ipAddresses: [1] },
    'ipAddresses[0]',
    '1',
    'expected an object, got a number',
  ],
])('a task with %s', (_name, fields, at, value, reason) => {
  const bad = task('web.2', { host: '10.0.0.2', ...fields });

  test('is rejected alone: the other tasks of its app are backends', async () => {
    const app = await read(web([task('web.1'), bad, task('web.3', { host: '10.0.0.3' })]));
    expect(served(app)).toEqual(['web.1 10.0.0.1:31000', 'web.3 10.0.0.3:31000']);
    expect(app.ports).toHaveLength(1);
    expect(app.rejected).toEqual([
      {
        app: '/web',
        at: `tasks[1].${at}`,
        value,
        reason: expect.stringMatching(/^expected .*: task web\.2 is left out$/),
      },
    ]);
    expect(app.rejected[0]?.reason).toContain(reason);
  });

  test('serves what it last served', async () => {
    const before = await read(web([task('web.1'), task('web.2', { host: '10.0.0.2' })]));
    const app = await read(web([bad, task('web.1', { host: '10.0.0.9' })]), before);
    expect(served(app)).toEqual(['web.1 10.0.0.9:31000', 'web.2 10.0.0.2:31000']);
    expect(app.rejected).toMatchObject([
      { at: `tasks[0].${at}`, reason: expect.stringMatching(/: task web\.2 serves what it last served$/) },
    ]);
    // And for as long as it cannot be read.
    expect(served(await read(web([bad]), app))).toEqual(['web.2 10.0.0.2:31000']);
    expect(served(await read(web([]), app))).toEqual([]);
  });
});

test.each<[string, unknown]>([
  ['no id', { host: '10.0.0.2', ports: [31000] }],
  ['an id that is a number', task('', { id: 5 })],
  ['no object', 'web.2'],
])('a task with %s may be any that is not listed: those serve on', async (_name, bad) => {
  const before = await read(web([task('web.1'), task('web.2', { host: '10.0.0.2' })]));
  const app = await read(web([task('web.1'), bad]), before);
  expect(served(app)).toEqual(['web.1 10.0.0.1:31000', 'web.2 10.0.0.2:31000']);
  expect(app.rejected).toMatchObject([{ app: '/web', at: expect.stringMatching(/^tasks\[1\]/) }]);
  expect(served(await read(web([task('web.1'), bad])))).toEqual(['web.1 10.0.0.1:31000']);
});

test('where the app itself is wrong too, all of it stays', async () => {
  const before = await read(web([task('web.1')]));
  const app = await read(web([task('web.1', { ports: ['x'] })], { portDefinitions: 'http' }), before);
  expect(served(app)).toEqual(['web.1 10.0.0.1:31000']);
  expect(app.rejected).toMatchObject([{ at: 'portDefinitions' }]);
});

test('of thousands of wrong tasks only the first are told one by one', async () => {
  const tasks = Array.from({ length: BOUNDS.rejections + 5 }, (_, i) => task(`web.${i}`, { ports: ['x'] }));
  const { rejected } = await read(web(tasks));
  expect(rejected).toHaveLength(BOUNDS.rejections + 1);
  expect(rejected.at(-1)).toEqual({
    app: '/web',
    at: 'tasks',
    value: '',
    reason: 'and 5 more tasks like these',
  });
});

describe('an instance of a pod', () => {
  const instance = (id: string, host: unknown, port: unknown = 31_000) => ({
    id,
    agentHostname: host,
    containers: [
      {
        name: 'c',
        status: 'TASK_RUNNING',
        containerId: `${id}.c`,
        endpoints: [{ name: 'e', allocatedHostPort: port }],
      },
    ],
  });
  const pod = (...instances: readonly unknown[]) => ({
    id: '/pod',
    spec: {
      id: '/pod',
      networks: [{ mode: 'host' }],
      containers: [{ name: 'c', endpoints: [{ name: 'e', hostPort: 0, protocol: ['tcp'] }] }],
    },
    instances,
  });

  test('that cannot be read is rejected alone, and serves what it last served', async () => {
    const bad = instance('pod.b', '10.0.0.2', 'x');
    const first = await read(pod(instance('pod.a', '10.0.0.1'), bad));
    expect(served(first)).toEqual(['pod.a.c 10.0.0.1:31000']);
    expect(first.rejected).toEqual([
      {
        app: '/pod',
        at: 'instances[1].containers[0].endpoints[0].allocatedHostPort',
        value: 'x',
        reason: 'expected a port number from 0 to 65535, got text: instance pod.b is left out',
      },
    ]);
    const before = await read(pod(instance('pod.a', '10.0.0.1'), instance('pod.b', '10.0.0.2')));
    expect(served(await read(pod(bad), before))).toEqual(['pod.b.c 10.0.0.2:31000']);
  });
});
