import { describe, expect, test } from '@jest/globals';
import type { App } from '../../../../controller/model/app.ts';
import type { MarathonSourceOptions } from '../../../../controller/source/marathon/source.ts';
import { namesOf, reached, sendJson, until } from '../support.ts';
import {
  app,
  changed,
  followed,
  marathon,
  never,
  on,
  source,
  status,
  task,
  useStubMarathon,
  V1,
  V2,
  version,
} from './source-setup.ts';

useStubMarathon();

/** What an earlier process saved of the Marathon as it is now, and how often it was loaded since. */
async function savedNow(options: Partial<MarathonSourceOptions> = {}) {
  const { apps } = await source(options).read(never);
  const loads: string[] = [];
  const saved = async (of: string) => {
    loads.push(of);
    return { apps };
  };
  return { saved, loads };
}

const read = async (options: Partial<MarathonSourceOptions>): Promise<readonly App[]> =>
  (await source(options).read(never)).apps;
const served = (apps: readonly App[]) =>
  apps.flatMap(({ id, ports, tasks }) =>
    tasks.map((each) => `${id} ${ports[0]?.labels['VIP_0']} ${each.id} ${reached(each)}`),
  );
const A = '/a a:80 task.31000 10.0.0.1:31000';
const running = (fields: object = {}, vip = 'a:80') => ({
  cmd: 'x',
  portDefinitions: [{ labels: { VIP_0: vip } }],
  tasks: [task(31000, fields)],
});

test.each<[string, object, string]>([
  ['without a framework name keeps the saved one', { marathon_config: null }, 'dev'],
  ['with another framework name takes that one', { marathon_config: { framework_name: 'other' } }, 'other'],
])('the first read %s', async (_name, config, expected) => {
  marathon.info = { version: '1.6.0', marathon_config: { framework_name: 'dev' } };
  const { saved } = await savedNow();
  marathon.info = { version: '1.6.0', ...config };
  expect((await read({ saved })).map(({ framework }) => framework)).toEqual([expected, expected]);
});

describe('what the first read after a restart cannot read is what it was before', () => {
  test.each<[string, object]>([
    ['a task with a wrong port', running({ ports: ['x'] })],
    ['a task with a host that is no text', running({ host: 7 })],
    ['a list of tasks that is none', { ...running(), tasks: 7 }],
    ['an app without its tasks although some run', { ...running(), tasks: undefined, tasksRunning: 1 }],
    ['labels that are no object', { ...running(), portDefinitions: [{ labels: 7 }] }],
    ['ports that are declared as no list', { ...running(), portDefinitions: 7 }],
  ])('%s, in the list of all apps', async (_what, now) => {
    marathon.apps.set('/a', running());
    const { saved, loads } = await savedNow();
    marathon.apps.set('/a', now);
    expect(served(await read({ saved }))).toEqual([A]);
    expect(loads).toEqual([`marathon=${marathon.url}`]);
  });

  test('an app that is read by itself later keeps it too', async () => {
    marathon.apps.set('/a', running());
    const { saved, loads } = await savedNow();
    marathon.apps.set('/a', running({ ports: ['x'] }));
    const listener = await followed({ saved });
    expect(served(listener.last.apps)).toEqual([A]);
    marathon.apps.set('/a', running({ ports: [-1] }));
    changed('/a');
    await until('its new reason', () => listener.app('/a')?.rejected[0]?.value === '-1');
    expect(served(listener.last.apps)).toEqual([A]);
    expect(loads).toHaveLength(1);
  });

  test('an instance of a pod', async () => {
    const pod = (ports: unknown) => ({
      id: '/pod',
      spec: {
        id: '/pod',
        networks: [{ mode: 'host' }],
        containers: [
          { name: 'c', endpoints: [{ name: 'http', protocol: ['tcp'], labels: { VIP_0: 'p:80' } }] },
        ],
      },
      instances: [
        {
          id: 'pod.1',
          status: 'STABLE',
          agentHostname: '10.0.0.1',
          containers: [
            { name: 'c', status: 'TASK_RUNNING', endpoints: [{ name: 'http', allocatedHostPort: ports }] },
          ],
        },
      ],
    });
    let port: unknown = 31000;
    marathon.intercept = on('/v2/pods', (_request, response) => sendJson(response, [pod(port)]));
    const { saved } = await savedNow();
    port = 'x';
    const [found] = (await read({ saved })).filter(({ kind }) => kind === 'pod');
    expect(found?.tasks.map(reached)).toEqual(['10.0.0.1:31000']);
    expect(found?.rejected).toHaveLength(1);
  });

  test('where an agent is of which the name cannot be resolved', async () => {
    marathon.apps.set('/a', running({ host: 'agent-1' }));
    const { saved } = await savedNow({ resolver: namesOf({ 'agent-1': '10.0.0.1' }) });
    marathon.apps.set('/a', {
      ...running({ host: 'agent-1' }),
      tasks: [task(31000, { host: 'agent-1' }), task(31001, { host: 'agent-1' })],
    });
    expect(served(await read({ saved }))).toEqual([A, '/a a:80 task.31001 10.0.0.1:31001']);
  });

  test('what a task serves of which the version cannot be read', async () => {
    const now = { ...app('a:80'), ...version(V1), tasks: [task(31000)] };
    marathon.apps.set('/a', now);
    const { saved } = await savedNow();
    marathon.apps.set('/a', { ...app('b:80'), ...version(V2), tasks: [task(31000)] });
    marathon.intercept = on('/v2/apps/a/versions/', status(500));
    const [found] = await read({ saved });
    expect(found?.tasks.map(({ ports }) => [ports[0]?.labels['VIP_0'], ports[0]?.endpoints])).toEqual([
      ['a:80', [{ address: '10.0.0.1', port: 31000 }]],
    ]);
  });
});

test('readable apps, and those no longer listed, follow the source, without a read of the saved state', async () => {
  marathon.apps.set('/a', running());
  const { saved, loads } = await savedNow();
  marathon.apps.set('/a', running({ ports: [31009], id: 'task.new' }, 'new:80'));
  marathon.apps.delete('/b');
  expect(served(await read({ saved }))).toEqual(['/a new:80 task.new 10.0.0.1:31009']);
  expect(loads).toEqual([]);
});

test('an app that is gone does not come back because of another one that cannot be read', async () => {
  marathon.apps.set('/a', running());
  const { saved } = await savedNow();
  marathon.apps.delete('/a');
  marathon.apps.set('/c', running({ host: 7 }, 'c:80'));
  expect(served(await read({ saved }))).toEqual([]);
});

describe('without saved state, an app is unknown of which the first read cannot read', () => {
  test.each<[string, object]>([
    ['a task', running({ ports: ['x'] })],
    ['the list of tasks', { ...running(), tasks: 7 }],
    ['the labels', { ...running(), portDefinitions: [{ labels: 7 }] }],
    ['the ports', { ...running(), portDefinitions: 7 }],
  ])('%s; and no more once it can be read, or where what was saved lacks it', async (_what, now) => {
    marathon.apps.set('/a', now);
    const unknown = async (options: Partial<MarathonSourceOptions> = {}) =>
      (await read(options)).flatMap((each) => (each.unknown === undefined ? [] : each.id));
    expect(await unknown()).toEqual(['/a']);
    expect(await unknown({ saved: async () => ({ apps: [] }) })).toEqual([]);
    const before = await read({});
    expect(await unknown({ saved: async () => ({ apps: before }) })).toEqual(['/a']);
    marathon.apps.set('/a', running());
    expect(await unknown({ saved: async () => ({ apps: before }) })).toEqual([]);
  });

  test('the address of its agent', async () => {
    marathon.apps.set('/a', running({ host: 'agent-1' }));
    expect((await read({ resolver: namesOf() }))[0]?.unknown).toBe('agent agent-1 cannot be resolved');
    expect((await read({ resolver: namesOf({ 'agent-1': '10.0.0.1' }) }))[0]?.unknown).toBeUndefined();
  });
});
