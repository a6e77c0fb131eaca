import { describe, expect, test } from '@jest/globals';
import { BOUNDS } from '../../../../controller/input/bounds.ts';
import type { App } from '../../../../controller/model/app.ts';
import { convertDocuments } from '../../../../controller/source/document/convert.ts';
import { readDocuments } from '../../../../controller/source/document/documents.ts';
import { defineApp } from '../../../../controller/source/document/ports.ts';
import { nothingRemembered, snapshot } from '../../../support/builders.ts';
import { translator } from '../../desired/support.ts';
import { anApp, namesOf, reached } from '../support.ts';

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

async function read(json: object, before?: App, resolver = namesOf()): Promise<App> {
  const documents = readDocuments(json, 'the document');
  if (documents === null) throw new Error('no known shape');
  const { apps } = await convertDocuments(documents, {
    framework: 'marathon',
    resolver,
    previous: (id) => (before?.id === id ? before : undefined),
  });
  const [app] = apps.values();
  if (app === undefined) throw new Error('no app');
  return app;
}

test('a pod without status whose definition cannot be read keeps its tasks, whatever its number of instances', async () => {
  const endpoint = { name: 'http', hostPort: 0, protocol: ['tcp'], labels: { VIP_0: 'web:80' } };
  const spec = { networks: [{ mode: 'host' }], containers: [{ name: 'c', endpoints: [endpoint] }] };
  const container = {
    name: 'c',
    status: 'TASK_RUNNING',
    endpoints: [{ name: 'http', allocatedHostPort: 31000 }],
  };
  const instances = [{ id: 'pod.instance-1', agentHostname: '10.0.0.1', containers: [container] }];
  const before = await read({ id: '/pod', spec, instances });
  const now = await read({ id: '/pod', containers: [{ endpoints: [] }], instances: 3 }, before);
  expect(now).toMatchObject({ kind: 'pod', ports: before.ports, tasks: before.tasks });
  expect(now.rejected.map(({ at }) => at)).toEqual(['containers[0].name']);
});

const served = ({ tasks }: App) => tasks.map((each) => `${each.id} ${reached(each)}`);

describe.each<[string, object, string, string, string]>([
  ['a version that is no text', { version: 7 }, 'version', '7', 'expected text, got a number'],
  ['a host that is no text', { host: 7 }, 'host', '7', 'expected text, got a number'],
  ['a state that is a list', { state: [] }, 'state', '[]', 'expected text, got a list'],
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
      { at: `tasks[0].${at}`, reason: expect.stringMatching(/: task web\.2 keeps its last known ports$/) },
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

test.each([
  ['TASK_FAILED', 'gone', 'is left out'],
  ['TASK_KILLING', 'killing', 'keeps its last known ports'],
])('the state of a task counts where another value of it is wrong: %s', async (state, expected, fate) => {
  const before = await read(web([task('web.1')]));
  const app = await read(web([task('web.1', { state, host: 7 })]), before);
  expect(app.tasks).toMatchObject([{ id: 'web.1', state: expected }]);
  expect(app.rejected[0]?.reason).toMatch(new RegExp(`: task web\\.1 ${fate}$`));
});

test('where the app itself is wrong too, all of it stays', async () => {
  const before = await read(web([task('web.1')]));
  const app = await read(web([task('web.1', { ports: ['x'] })], { portDefinitions: 'http' }), before);
  expect(served(app)).toEqual(['web.1 10.0.0.1:31000']);
  expect(app.rejected).toMatchObject([{ at: 'portDefinitions' }, { at: 'tasks[0].ports[0]' }]);
});

test('of thousands of invalid tasks only the first are reported one by one', async () => {
  const tasks = Array.from({ length: BOUNDS.rejections + 5 }, (_, i) => task(`web.${i}`, { host: 7 }));
  const { rejected } = await read(web(tasks));
  expect(rejected).toHaveLength(BOUNDS.rejections + 1);
  expect(rejected.at(-1)).toEqual({
    app: '/web',
    at: 'tasks',
    value: '',
    reason: 'and 5 more tasks like these',
  });
});

describe('a task of which one port is none', () => {
  const two = { portDefinitions: [{ labels: { VIP_0: 'web:80' } }, { labels: { VIP_0: 'admin:81' } }] };
  const NOWHERE = 'its address or port could not be read, and none is known from before';

  test.each<[string, unknown, string]>([
    ['text', 'x', 'expected a port number from 0 to 65535, got text'],
    ['a number over 65535', 70_000, 'expected a port number from 0 to 65535'],
    ['null', null, 'expected a port number from 0 to 65535, got null'],
  ])('serves its other ports, and that one where it last was: %s', async (_name, bad, reason) => {
    const now = (id: string) => task(id, { ports: [bad, 31_001] });
    const first = await read(web([now('web.1')], two));
    expect(served(first)).toEqual([`web.1 ${NOWHERE} 10.0.0.1:31001`]);
    expect(first.rejected).toEqual([
      {
        app: '/web',
        at: 'tasks[0].ports[0]',
        value: String(bad),
        reason: `${reason}: this port of task web.1 keeps its last known port number, if any`,
      },
    ]);
    // Still not known.
    expect(served(await read(web([now('web.1')], two), first))).toEqual(served(first));

    const before = await read(web([task('web.1', { ports: [31_000, 31_009] })], two));
    const after = await read(web([now('web.1'), now('web.2')], two), before);
    const serves = ['web.1 10.0.0.1:31000 10.0.0.1:31001', `web.2 ${NOWHERE} 10.0.0.1:31001`];
    expect(served(after)).toEqual(serves);
    // And for as long as it cannot be read.
    expect(served(await read(web([now('web.1'), now('web.2')], two), after))).toEqual(serves);
    expect(served(await read(web([task('web.1', { ports: [31_005, 31_001] })], two), after))).toEqual([
      'web.1 10.0.0.1:31005 10.0.0.1:31001',
    ]);
  });

  test.each<[string, unknown]>([
    ['a number', 31_000],
    ['a list that is too long', Array.from({ length: BOUNDS.ports + 1 }, () => 31_000)],
  ])('in place of whose ports is %s serves where it last was', async (_name, ports) => {
    const own = { networks: [{ mode: 'container', name: 'n' }], portDefinitions: undefined };
    const portMappings = [
      { containerPort: 80, hostPort: 0, labels: { VIP_0: 'web:80' } },
      { containerPort: 81, labels: { VIP_0: 'admin:81' } },
    ];
    const mixed = { ...own, container: { portMappings } };
    const ipAddresses = [{ ipAddress: '9.0.0.7' }];
    const first = await read(web([task('web.1', { ports, ipAddresses })], mixed));
    expect(served(first)).toEqual([`web.1 ${NOWHERE} 9.0.0.7:81`]);
    expect(first.rejected).toMatchObject([
      {
        at: 'tasks[0].ports',
        reason: expect.stringMatching(
          /: host ports of task web\.1 keep their last known port numbers, if any$/,
        ),
      },
    ]);
    const before = await read(web([task('web.1', { ports: [31_000], ipAddresses })], mixed));
    const now = task('web.1', { ports, ipAddresses: [{ ipAddress: '9.0.0.8' }], state: 'TASK_KILLING' });
    const after = await read(web([now], mixed), before);
    expect(served(after)).toEqual(['web.1 10.0.0.1:31000 9.0.0.8:81']);
    expect(after.tasks).toMatchObject([{ state: 'killing' }]);
  });

  test('keeps its number there, at the address that its agent has today', async () => {
    const at = (agent: string) => namesOf({ agent1: agent });
    const on = (ports: unknown) => web([task('web.1', { host: 'agent1', ports })], two);
    const before = await read(on([31_000, 31_001]), undefined, at('10.0.0.1'));
    const moved = await read(on(['x', 31_001]), before, at('10.0.0.9'));
    expect(served(moved)).toEqual(['web.1 10.0.0.9:31000 10.0.0.9:31001']);
    const all = await read(on(7), moved, at('10.0.0.5'));
    expect(served(all)).toEqual(['web.1 10.0.0.5:31000 10.0.0.5:31001']);
    // Where the name server does not answer, the agent is where it last was.
    expect(served(await read(on(7), all))).toEqual(served(all));
  });

  test('has the state and the health of today', async () => {
    const checks = { ...two, healthChecks: [{ protocol: 'TCP' }] };
    const at = (ports: readonly unknown[], alive: boolean, state = 'TASK_RUNNING') =>
      task('web.1', { ports, state, healthCheckResults: [{ alive }] });
    const before = await read(web([at([31_000, 31_001], true)], checks));
    const after = await read(web([at(['x', 31_001], false, 'TASK_KILLING')], checks), before);
    expect(after.tasks).toMatchObject([{ state: 'killing', health: 'unhealthy' }]);
    expect(served(after)).toEqual(served(before));
  });

  test('is reported once if its id is invalid too: as a task that cannot be read', async () => {
    const { tasks, rejected } = await read(web([task('', { ports: ['x', 'y'] })], two));
    expect(tasks).toEqual([]);
    expect(rejected).toMatchObject([{ at: 'tasks[0].id', reason: expect.stringMatching(/is left out$/) }]);
  });

  test('is only counted if there are thousands', async () => {
    const ports = Array.from({ length: BOUNDS.ports }, () => 'x');
    const { rejected } = await read(web([task('web.1', { ports }), task('web.2', { ports })], two));
    expect(rejected).toHaveLength(BOUNDS.rejections + 1);
    expect(rejected.at(-1)?.reason).toBe(
      `and ${2 * BOUNDS.ports - BOUNDS.rejections} more errors like these`,
    );
  });
});

describe('a task with an address that is none', () => {
  const bad = [{ ipAddress: '9.0.0.7' }, { ipAddress: 5 }];
  const mapped = (mode: string, hostPort?: number) => ({
    portDefinitions: undefined,
    networks: [{ mode, ...(mode === 'container' && { name: 'n' }) }],
    container: { portMappings: [{ containerPort: 80, hostPort, labels: { VIP_0: 'web:80' } }] },
  });
  const [host, bridge, own] = [{}, mapped('container/bridge', 0), mapped('container')];
  const where = (app: App) => app.tasks.map(({ ports: [port] }) => [port?.endpoints, port?.local]);
  const ON_AGENT = [{ address: '10.0.0.1', port: 31_000 }];
  const INSIDE = [{ address: '9.0.0.7', port: 80 }];

  test.each<[string, unknown, string]>([
    ['an address that is a number', bad, 'tasks[0].ipAddresses[1].ipAddress'],
    ['an element that is a number', [{ ipAddress: '9.0.0.7' }, 1], 'tasks[0].ipAddresses[1]'],
    ['no list', 5, 'tasks[0].ipAddresses'],
  ])('serves at host ports: %s', async (_name, ipAddresses, at) => {
    for (const fields of [host, bridge]) {
      const app = await read(web([task('web.1', { ipAddresses })], fields));
      expect(where(app)).toEqual([[ON_AGENT, undefined]]);
      expect(app.rejected).toEqual([
        {
          app: '/web',
          at,
          value: expect.any(String),
          reason: expect.stringMatching(
            /^expected .*: ports at the addresses of task web\.1 keep their last known addresses, if any$/,
          ),
        },
      ]);
    }
  });

  test('is reached by its agent where it last was, behind a host port', async () => {
    const before = await read(web([task('web.1', { ipAddresses: [{ ipAddress: '9.0.0.7' }] })], bridge));
    expect(where(before)).toEqual([[ON_AGENT, INSIDE]]);
    const after = await read(web([task('web.1', { ipAddresses: [{ ipAddress: 5 }] })], bridge), before);
    expect(where(after)).toEqual([[ON_AGENT, INSIDE]]);
  });

  test('is reached where it last was, at an address of its own', async () => {
    expect(served(await read(web([task('web.1', { ipAddresses: bad })], own)))).toEqual([
      'web.1 its address or port could not be read, and none is known from before',
    ]);
    const before = await read(web([task('web.1', { ipAddresses: [{ ipAddress: '9.0.0.7' }] })], own));
    const after = await read(web([task('web.1', { ipAddresses: 'x', state: 'TASK_KILLING' })], own), before);
    expect(where(after)).toEqual([[INSIDE, undefined]]);
    expect(after.tasks).toMatchObject([{ state: 'killing' }]);
  });

  test('keeps its addresses from VIPs: those that can be read, and those of before', async () => {
    const known = [{ ipAddress: '9.0.0.8' }];
    const before = await read(web([task('web.1', { ipAddresses: known })], host));
    const after = await read(web([task('web.1', { ipAddresses: bad })], host), before);
    expect(after.tasks[0]?.addresses).toEqual(['9.0.0.7', '9.0.0.8']);
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
    const bad = instance('pod.b', 7);
    const first = await read(pod(instance('pod.a', '10.0.0.1'), bad));
    expect(served(first)).toEqual(['pod.a.c 10.0.0.1:31000']);
    expect(first.rejected).toEqual([
      {
        app: '/pod',
        at: 'instances[1].agentHostname',
        value: '7',
        reason: 'expected text, got a number: instance pod.b is left out',
      },
    ]);
    const before = await read(pod(instance('pod.a', '10.0.0.1'), instance('pod.b', '10.0.0.2')));
    expect(served(await read(pod(bad), before))).toEqual(['pod.b.c 10.0.0.2:31000']);
  });

  describe.each<[string, unknown, string, string]>([
    [
      'a host port',
      [{ name: 'e', allocatedHostPort: 'x' }],
      '[0].allocatedHostPort',
      'this port of task pod.a.c keeps its last known port number',
    ],
    ['an endpoint', ['x'], '[0]', 'host ports of task pod.a.c keep their last known port numbers'],
    [
      'the name of an endpoint',
      [{ name: 7 }],
      '[0].name',
      'host ports of task pod.a.c keep their last known port numbers',
    ],
    ['all endpoints', 7, '', 'host ports of task pod.a.c keep their last known port numbers'],
  ])('of which one container has something else in place of %s', (_name, wrong, at, what) => {
    const two = (id: string, host: string, endpoints: unknown, status = 'TASK_RUNNING') => {
      const container = (name: string, own: unknown) => ({
        name,
        status,
        containerId: `${id}.${name}`,
        endpoints: own,
      });
      return {
        id,
        agentHostname: host,
        containers: [container('c', endpoints), container('d', [{ name: 'e', allocatedHostPort: 31_001 }])],
      };
    };
    const podOf = (...instances: readonly unknown[]) => ({
      id: '/pod',
      spec: {
        id: '/pod',
        networks: [{ mode: 'host' }],
        containers: ['c', 'd'].map((name) => ({
          name,
          endpoints: [{ name: 'e', hostPort: 0, protocol: ['tcp'] }],
        })),
      },
      instances,
    });

    test('serves by its other containers, and there where it last was', async () => {
      const first = await read(podOf(two('pod.a', '10.0.0.1', wrong)));
      expect(served(first)).toEqual([
        'pod.a.c its address or port could not be read, and none is known from before',
        'pod.a.d 10.0.0.1:31001',
      ]);
      const reason = `: ${what}, if any`;
      expect(first.rejected).toMatchObject([
        {
          at: `instances[0].containers[0].endpoints${at}`,
          reason: expect.stringContaining(reason),
        },
      ]);
      const good = [{ name: 'e', allocatedHostPort: 31_000 }];
      const before = await read(podOf(two('pod.a', '10.0.0.1', good)));
      const after = await read(podOf(two('pod.a', '10.0.0.1', wrong, 'TASK_KILLING')), before);
      expect(served(after)).toEqual(['pod.a.c 10.0.0.1:31000', 'pod.a.d 10.0.0.1:31001']);
      expect(after.tasks).toMatchObject([{ state: 'killing' }, { state: 'killing' }]);
    });
  });
});

describe('what else is wrong costs what depends on it', () => {
  const UNSET = { value: expect.any(String), reason: expect.stringMatching(/^expected /) };
  const vips = ({ ports }: App) => ports.flatMap(({ labels }) => Object.values(labels));
  const second = (port: unknown) => ({ portDefinitions: [{ labels: { VIP_0: 'web:80' } }, port] });
  const good = { protocol: 'udp', labels: { VIP_1: 'other:53' } };
  const both = (id: string) => task(id, { ports: [31000, 31001] });

  test.each<[string, object, string]>([
    ['a version', { version: 5 }, 'version'],
    ['the time of a change', { versionInfo: { lastConfigChangeAt: 5 } }, 'versionInfo.lastConfigChangeAt'],
    ['health checks that are no list', { healthChecks: {} }, 'healthChecks'],
    ['a port number that is not used', { portDefinitions: undefined, ports: ['x'] }, 'ports[0]'],
    ['the type of the container', { container: { type: 5 } }, 'container.type'],
    ['labels of the app', { labels: 'x' }, 'labels'],
  ])('nothing: %s', async (_name, fields, at) => {
    const app = await read(web([task('web.1')], fields));
    expect(served(app)).toEqual(['web.1 10.0.0.1:31000']);
    expect(app.tasks[0]?.health).toBe('unchecked');
    expect(app.rejected).toEqual([{ app: '/web', at, ...UNSET }]);
  });

  test.each([
    ['the region of a task', { region: 5 }, 'tasks[0].region'],
    ['the start of one that has a state', { startedAt: 5 }, 'tasks[0].startedAt'],
    [
      'health that nobody asked for',
      { healthCheckResults: [{ alive: 'true' }] },
      'tasks[0].healthCheckResults[0].alive',
    ],
  ])('nothing: %s', async (_name, fields, at) => {
    const app = await read(web([task('web.1', fields)]));
    expect(served(app)).toEqual(['web.1 10.0.0.1:31000']);
    expect(app.rejected).toEqual([{ app: '/web', at, ...UNSET }]);
  });

  test('no effect and no report: a label of another program, however long', async () => {
    const labels = { DESC: 'x'.repeat(100_000) };
    const app = await read(
      web([task('web.1')], { labels, portDefinitions: [{ labels: { ...labels, VIP_0: 'web:80' } }] }),
    );
    expect([served(app), vips(app), app.rejected]).toEqual([['web.1 10.0.0.1:31000'], ['web:80'], []]);
  });

  test('the verdict on a task: it keeps its last one', async () => {
    const checks = { healthChecks: [{ protocol: 'TCP' }] };
    const bad = task('web.1', { healthCheckResults: [{ alive: 'true' }] });
    const first = await read(web([bad], checks));
    expect(first.tasks).toMatchObject([{ health: 'unknown' }]);
    const before = await read(web([task('web.1', { healthCheckResults: [{ alive: true }] })], checks));
    expect((await read(web([bad], checks), before)).tasks).toMatchObject([{ health: 'healthy' }]);
  });

  test.each<[string, unknown, string]>([
    ['a protocol', { ...good, protocol: 7 }, 'portDefinitions[1].protocol'],
    ['labels', { ...good, labels: 7 }, 'portDefinitions[1].labels'],
    ['all of it', 'x', 'portDefinitions[1]'],
  ])('a port: %s', async (_name, port, at) => {
    const bad = (...tasks: object[]) => web(tasks, second(port));
    const first = await read(bad(both('web.1')));
    expect(vips(first)).toEqual(['web:80']);
    expect(first.tasks[0]?.ports[0]?.endpoints).toEqual([{ address: '10.0.0.1', port: 31000 }]);
    expect(first.rejected).toEqual([
      {
        app: '/web',
        at,
        value: expect.any(String),
        reason: expect.stringMatching(/: this port is left out$/),
      },
    ]);

    const before = await read(web([both('web.1'), both('web.2'), both('web.3')], second(good)));
    const after = await read(bad({ ...both('web.2'), state: 'TASK_KILLING' }, both('web.3')), before);
    expect(vips(after)).toEqual(['web:80', 'other:53']);
    expect(after.tasks.map(({ id, state }) => `${id} ${state}`)).toEqual(['web.2 killing', 'web.3 running']);
    expect(after.tasks[1]?.ports).toMatchObject([
      { endpoints: [{ port: 31000 }] },
      { protocols: ['udp'], labels: good.labels, endpoints: [{ port: 31001 }] },
    ]);
    expect(after.rejected).toMatchObject([
      { at, reason: expect.stringMatching(/: this port keeps its last known state$/) },
    ]);
  });

  test('a port of a container: the others keep their host ports', async () => {
    const mapped = (first: object) => ({
      portDefinitions: undefined,
      networks: [{ mode: 'container', name: 'n' }],
      container: {
        portMappings: [
          { containerPort: 80, hostPort: 0, ...first },
          { containerPort: 81, hostPort: 0, labels: { VIP_0: 'web:80' } },
        ],
      },
    });
    for (const first of [{ hostPort: 'x' }, { containerPort: 'x' }, { networkNames: 5 }]) {
      const app = await read(web([both('web.1')], mapped(first)));
      expect(app.tasks[0]?.ports[1]?.endpoints).toEqual([{ address: '10.0.0.1', port: 31001 }]);
      expect(app.rejected).toHaveLength(1);
    }
  });

  test('all ports: tasks serve what they last served, in the state of today', async () => {
    const before = await read(web([task('web.1'), task('web.2'), task('web.3')]));
    const today = [task('web.2', { state: 'TASK_KILLING' }), task('web.3'), task('web.4')];
    const app = await read(web(today, { networks: 'x' }), before);
    expect(app.ports).toEqual(before.ports);
    expect(app.tasks.map(({ id, state, ports }) => `${id} ${state} ${ports.length}`)).toEqual([
      'web.2 killing 1',
      'web.3 running 1',
      'web.4 running 0',
    ]);
    expect(app.rejected).toMatchObject([{ at: 'networks', reason: 'expected a list, got text' }]);
  });

  test('a list of tasks that is none: they all stay', async () => {
    const before = await read(web([task('web.1')]));
    const app = await read({ ...web([]), tasks: 'x' }, before);
    expect(served(app)).toEqual(['web.1 10.0.0.1:31000']);
    expect(app.rejected).toMatchObject([{ at: 'tasks', reason: 'expected a list, got text' }]);
  });

  test('an older version: its other ports serve', () => {
    const { ports } = defineApp(anApp(second({ ...good, protocol: 7 })));
    expect(ports.map(({ port }) => port.protocols)).toEqual([['tcp'], []]);
  });

  test('a VIP label whose key is too long: it is rejected, and the others work on', async () => {
    const labels = { VIP_0: 'web:80', [`VIP_${'1'.repeat(BOUNDS.nameLength)}`]: 'other:80' };
    const app = await read(web([task('a')], { portDefinitions: [{ port: 80, labels }] }));
    expect(app.ports[0]?.labels).toEqual({ VIP_0: 'web:80' });
    expect(served(app)).toEqual(['a 10.0.0.1:31000']);
    expect(app.rejected).toMatchObject([
      {
        at: 'portDefinitions[0].labels',
        reason: expect.stringContaining('expected keys of at most 1024 characters'),
      },
    ]);
  });

  test('a VIP label that is too long: it keeps its last VIP, and the others work on', async () => {
    const label = (text: string) => ({ portDefinitions: [{ labels: { VIP_0: 'web:80', VIP_1: text } }] });
    const update = translator();
    const valid = await read(web([task('web.1')], label('old:81')));
    const { memory } = update(snapshot(valid), nothingRemembered);
    const { declared, rejected } = update(
      snapshot(await read(web([task('web.1')], label('x'.repeat(70_000))))),
      memory,
    );
    expect(declared.map(({ name, port }) => `${name}:${port}`)).toEqual(['web:80', 'old:81']);
    expect(rejected).toMatchObject([
      {
        at: 'portDefinitions[0].labels.VIP_1',
        reason: expect.stringMatching(/^expected at most 65536 characters/),
      },
    ]);
  });

  test('an endpoint of a pod, and a condition that is none', async () => {
    const endpoint = (name: string, fields: object = {}) => ({
      name,
      hostPort: 0,
      protocol: ['tcp'],
      labels: { VIP_0: `${name}:80` },
      ...fields,
    });
    const pod = {
      id: '/pod',
      spec: { containers: [{ name: 'c', endpoints: [endpoint('a'), endpoint('b', { protocol: [5] })] }] },
      instances: [
        {
          id: 'pod.a',
          agentHostname: '10.0.0.1',
          agentRegion: 5,
          containers: [
            {
              name: 'c',
              status: 'TASK_RUNNING',
              conditions: [null],
              endpoints: [{ name: 'a', allocatedHostPort: 31000 }],
            },
          ],
        },
      ],
    };
    const app = await read(pod);
    expect(vips(app)).toEqual(['a:80']);
    expect(app.tasks).toMatchObject([{ health: 'unchecked', ports: [{ endpoints: [{ port: 31000 }] }, {}] }]);
    expect(app.rejected.map(({ at }) => at).toSorted()).toEqual([
      'instances[0].agentRegion',
      'spec.containers[0].endpoints[1].protocol',
    ]);
  });
});

test.each<[string, object]>([
  ['id', { id: 'x'.repeat(100_000) }],
  ['host', { host: 'x'.repeat(100_000) }],
  ['version', { version: 'x'.repeat(100_000) }],
  ['zone', { zone: 'x'.repeat(100_000) }],
  ['ipAddress', { ipAddresses: [{ ipAddress: 'x'.repeat(100_000) }] }],
  ['state', { state: 'x'.repeat(100_000) }],
])('a task with a %s of endless length makes no endless message', async (_name, fields) => {
  const now = await read(web([task('web.1', fields)]));
  expect(now.rejected).toHaveLength(1);
  expect(JSON.stringify(now).length).toBeLessThan(5_000);
});

test.each([
  [null, 'null'],
  ['http', 'text'],
  [7, 'a number'],
])('a health check that is %j is reported and counts as one', async (check, type) => {
  const now = await read(web([task('web.1')], { healthChecks: [{ protocol: 'TCP' }, check] }));
  expect(
    now.tasks.map(({ health, ports }) => [health, ports.map(({ endpoints }) => endpoints.length)]),
  ).toEqual([['unknown', [1]]]);
  const value = check === null ? 'null' : String(check);
  expect(now.rejected).toEqual([
    {
      app: '/web',
      at: 'healthChecks[1]',
      value,
      reason: `expected an object, got ${type}: it still counts as a health check`,
    },
  ]);
});
