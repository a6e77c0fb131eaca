import { describe, expect, test } from '@jest/globals';
import { BOUNDS } from '../../../controller/input/bounds.ts';
import type { App } from '../../../controller/model/app.ts';
import { convertApp } from '../../../controller/source/document/apps.ts';
import { convertDocuments } from '../../../controller/source/document/convert.ts';
import { readDocuments } from '../../../controller/source/document/documents.ts';
import { namesOf } from './support.ts';

const labels = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`VIP_${i}`, `/bomb:${i + 1}`]));
const tasks = (count: number, fields: object = {}) =>
  Array.from({ length: count }, (_, i) => ({
    id: `bomb.${i}`,
    host: `10.1.${i >> 8}.${i & 255}`,
    state: 'TASK_RUNNING',
    ports: [31000],
    ...fields,
  }));
const bomb = (vips: number, count: number, fields: object = {}) => ({
  id: '/bomb',
  cmd: 'x',
  portDefinitions: [{ port: 80, protocol: 'udp,tcp', labels: labels(vips) }],
  tasks: tasks(count),
  ...fields,
});
const ok = {
  id: '/ok',
  cmd: 'x',
  portDefinitions: [{ port: 80, labels: { VIP_0: '/ok:80' } }],
  tasks: [{ id: 'ok.1', host: '10.0.0.1', state: 'TASK_RUNNING', ports: [31000] }],
};

async function read(
  json: readonly object[],
  before?: ReadonlyMap<string, App>,
  saved?: ReadonlyMap<string, App>,
) {
  const documents = readDocuments(json, 'the document');
  if (documents === null) throw new Error('no known shape');
  let recalled = false;
  const { apps } = await convertDocuments(documents, {
    framework: 'marathon',
    resolver: namesOf(),
    previous: (id) => before?.get(id) ?? (recalled ? saved?.get(id) : undefined),
    recall: async () => {
      recalled = true;
    },
  });
  return apps;
}

const placed = (app: App | undefined) => app?.tasks.filter(({ ports }) => ports.length > 0).length;
const REASON = new RegExp(`^expected at most ${BOUNDS.backends} backends in one app: `);

describe('an app whose VIPs would have more backends than one app may have', () => {
  test('is refused alone, with the numbers', async () => {
    const apps = await read([bomb(200, 251), ok]);
    expect(apps.get('/bomb')).toMatchObject({
      ports: [],
      rejected: [{ app: '/bomb', value: '400 VIPs on 251 tasks', reason: expect.stringMatching(REASON) }],
    });
    expect(placed(apps.get('/bomb'))).toBe(0);
    expect(placed(apps.get('/ok'))).toBe(1);
  });

  test('is an app as any other with as many as it may have', async () => {
    const app = (await read([bomb(200, 250)])).get('/bomb');
    expect([app?.rejected, placed(app)]).toEqual([[], 250]);
  });

  test('keeps what it last gave, and of that the tasks that still run', async () => {
    const before = await read([bomb(200, 3)]);
    const more = tasks(300).filter(({ id }) => id !== 'bomb.1');
    const app = (await read([bomb(200, 0, { tasks: more })], before)).get('/bomb');
    expect(app?.ports).toEqual(before.get('/bomb')?.ports);
    expect(app?.tasks.flatMap(({ id, ports }) => (ports.length > 0 ? id : []))).toEqual(['bomb.0', 'bomb.2']);
    expect(app?.rejected).toHaveLength(1);
    // At the first read after a start that is what was saved.
    expect((await read([bomb(200, 0, { tasks: more })], undefined, before)).get('/bomb')).toEqual(app);
    // And it is an app as any other as soon as it is within the bound.
    expect((await read([bomb(200, 2)], new Map([['/bomb', app as App]]))).get('/bomb')?.rejected).toEqual([]);
  });

  test('is refused for the addresses of its tasks too', async () => {
    const ipAddresses = Array.from({ length: 500 }, (_, i) => ({ ipAddress: `9.0.${i >> 8}.${i & 255}` }));
    const json = bomb(101, 1, {
      portDefinitions: undefined,
      networks: [{ mode: 'container', name: 'dcos' }],
      container: { portMappings: [{ containerPort: 80, protocol: 'udp,tcp', labels: labels(101) }] },
      tasks: tasks(1, { ipAddresses }),
    });
    expect((await read([json])).get('/bomb')?.rejected).toMatchObject([
      { reason: expect.stringMatching(REASON) },
    ]);
  });

  test('does not take the memory of what is refused: no more ports are made once it is over', async () => {
    const ports = Array.from({ length: 1_000 }, () => ({ port: 0, labels: { VIP_0: '/bomb:80' } }));
    const documents = readDocuments(
      bomb(0, 300, { portDefinitions: ports, tasks: tasks(300, { ports: [] }) }),
      'it',
    );
    const [json] = documents?.apps ?? [];
    const app = convertApp(json as NonNullable<typeof json>, {
      framework: 'marathon',
      agentAddress: () => null,
    });
    expect(placed(app)).toBe(101);
  });
});

describe('ports without a VIP', () => {
  const ports = (count: number) =>
    Array.from({ length: count }, (_, i) => ({ port: 0, labels: i === 7 ? { VIP_0: '/bomb:80' } : {} }));
  const kept = async (count: number, running: number) => {
    const app = (await read([bomb(0, running, { portDefinitions: ports(count) })])).get('/bomb');
    expect(app?.rejected).toEqual([]);
    expect(app?.ports).toHaveLength(count);
    return app?.tasks.map((task) => task.ports.map(({ at }) => at));
  };

  test('are kept with each task: one whose label was removed drains', async () => {
    expect((await kept(10, 2))?.map(({ length }) => length)).toEqual([10, 10]);
  });

  test('are left out where an app has very many of them, and its VIPs work', async () => {
    const all = await kept(1_000, 101);
    expect(new Set(all?.flat())).toEqual(new Set(['portDefinitions[7]']));
    expect(all).toHaveLength(101);
  });

  test('count with the addresses that each task has', async () => {
    const ipAddresses = Array.from({ length: 1_000 }, (_, i) => ({ ipAddress: `9.0.${i >> 8}.${i & 255}` }));
    const json = bomb(0, 1, {
      portDefinitions: undefined,
      networks: [{ mode: 'container', name: 'dcos' }],
      container: { portMappings: Array.from({ length: 101 }, () => ({ containerPort: 80 })) },
      tasks: tasks(1, { ipAddresses }),
    });
    expect((await read([json])).get('/bomb')?.tasks).toMatchObject([{ ports: [] }]);
  });
});
