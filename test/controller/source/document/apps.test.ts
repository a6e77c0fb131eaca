import { expect, test } from '@jest/globals';
import { convertApp, isOutdated } from '../../../../controller/source/document/apps.ts';
import { defineApp } from '../../../../controller/source/document/ports.ts';
import { agentAddress, anApp, converted, reached } from '../support.ts';

const ipv4 = { ipAddress: '9.0.0.5', protocol: 'IPv4' };
const ipv6 = { ipAddress: 'fd01:B:0:0:0:0:0:2', protocol: 'IPv6' };
const task = (fields: object = {}) => ({
  id: 'web.1',
  host: '10.0.0.1',
  state: 'TASK_RUNNING',
  ports: [31000, 31001],
  ...fields,
});
const host = { portDefinitions: [{ port: 80 }, { port: 81 }] };
const bridge = {
  networks: [{ mode: 'container/bridge' }],
  container: { portMappings: [{ containerPort: 80 }] },
};
const container = (...portMappings: object[]) => ({
  networks: [{ mode: 'container', name: 'dcos' }],
  container: { portMappings },
});

test.each<[string, object, object, string]>([
  [
    'host: agent and its own port by index',
    host,
    task({ ipAddresses: [ipv4] }),
    '10.0.0.1:31000 10.0.0.1:31001',
  ],
  [
    'bridge: agent and host port, never the private address',
    bridge,
    task({ ipAddresses: [{ ipAddress: '172.17.0.2' }] }),
    '10.0.0.1:31000',
  ],
  [
    'container with host port: agent',
    container({ containerPort: 80, hostPort: 0 }),
    task({ ipAddresses: [ipv4] }),
    '10.0.0.1:31000',
  ],
  [
    'container without: every own address, both families',
    container({ containerPort: 80 }),
    task({ ports: [], ipAddresses: [ipv4, ipv6] }),
    '9.0.0.5:80,fd01:b::2:80',
  ],
  [
    'container with both kinds: ports are counted over mappings with a host port',
    container(
      { containerPort: 80 },
      { containerPort: 81, hostPort: 0 },
      { containerPort: 82 },
      { containerPort: 83, hostPort: 9 },
    ),
    task({ ipAddresses: [ipv4] }),
    '9.0.0.5:80 10.0.0.1:31000 9.0.0.5:82 10.0.0.1:31001',
  ],
  ['one address twice', container({ containerPort: 80 }), task({ ipAddresses: [ipv4, ipv4] }), '9.0.0.5:80'],
  [
    'an address that is none',
    container({ containerPort: 80 }),
    task({ ipAddresses: [{ ipAddress: 'soon' }, null, ipv4] }),
    '9.0.0.5:80',
  ],
  [
    'a link-local address with its zone',
    container({ containerPort: 80 }),
    task({ ipAddresses: [{ ipAddress: 'fe80::1%eth0' }, ipv4] }),
    '9.0.0.5:80',
  ],
])('address table: %s', (_name, app, of, expected) => {
  expect(reached(converted({ ...app, tasks: [of] }).tasks[0])).toBe(expected);
});

test.each<[string, object, object, string]>([
  [
    'no host port was allocated',
    host,
    task({ ports: [31000] }),
    '10.0.0.1:31000 Marathon gives no host port for it',
  ],
  ['no agent is named', bridge, task({ host: undefined }), 'Marathon names no agent host for it'],
  [
    'the agent’s name is not resolved',
    bridge,
    task({ host: 'unknown.example' }),
    "the agent's host name unknown.example has no known IPv4 address",
  ],
  ['no address yet', container({ containerPort: 80 }), task({ ipAddresses: [] }), 'it has no IP address yet'],
  [
    'no port at all',
    container({ containerPort: 0 }),
    task({ ipAddresses: [ipv4] }),
    'containerPort is 0 and there is no hostPort: nothing to connect to',
  ],
  [
    'the old label counts past the end',
    { portDefinitions: [], labels: { vip_PORT7: 'tcp://a:1' } },
    task(),
    'Marathon gives no host port for it',
  ],
])('a running task whose port is not reached says why: %s', (_name, app, of, expected) => {
  expect(reached(converted({ ...app, tasks: [of] }).tasks[0])).toBe(expected);
});

test('a task that does not serve yet needs no reason', () => {
  const app = converted({ ...bridge, tasks: [{ id: 'web.1', host: '10.0.0.1', state: 'TASK_STAGING' }] });
  expect(app.tasks[0]?.ports[0]).not.toHaveProperty('unresolved');
});

test('what a definition declares is there without any task', () => {
  expect(converted({ ...bridge, cmd: 'x' })).toMatchObject({
    id: '/web',
    kind: 'app',
    ports: [{ at: 'container.portMappings[0]' }],
    tasks: [],
  });
});

test('a port without any host port and a mapping with host port 0 and container port 0 is reached at the agent', () => {
  const app = converted({ ...container({ containerPort: 0, hostPort: 0 }), tasks: [task()] });
  expect(reached(app.tasks[0])).toBe('10.0.0.1:31000');
});

const versions = {
  version: '2020-03-03T00:00:00.000Z',
  versionInfo: { lastConfigChangeAt: '2020-02-02T00:00:00.000Z' },
};

test.each([
  ['2020-02-02T00:00:00.000Z', false],
  ['2020-02-20T00:00:00.000Z', false],
  ['2020-03-03T00:00:00.000Z', false],
  ['2020-02-01T23:59:59.999Z', true],
  [undefined, false],
])('a task of version %s runs an old configuration: %s (scaling makes versions too)', (version, expected) => {
  const app = anApp({ ...host, ...versions, tasks: [task({ version })] });
  expect(app.tasks?.map((one) => isOutdated(one, app))).toEqual([expected]);
});

test('without versionInfo any other version than the app’s is an old one', () => {
  const app = anApp({ ...host, version: 'b', tasks: [task({ version: 'a' }), task({ version: 'b' })] });
  expect(app.tasks?.map((one) => isOutdated(one, app))).toEqual([true, false]);
});

test('during a deployment a task has the ports, labels and checks of the version that it runs', () => {
  const old = defineApp(
    anApp({ portDefinitions: [{ labels: { VIP_0: 'old:80' } }, {}], healthChecks: [{}] }),
  );
  const app = anApp({
    portDefinitions: [{}, { labels: { VIP_0: 'new:80' } }],
    tasks: [task({ version: 'v1' }), task({ id: 'web.2', version: 'v2' })],
  });
  const { tasks } = convertApp(app, {
    framework: 'marathon',
    agentAddress,
    versions: new Map([['v1', old]]),
  });
  expect(
    tasks.map(({ health, ports }) => [health, ports.map(({ labels }) => labels['VIP_0'] ?? '-')]),
  ).toEqual([
    ['unknown', ['old:80', '-']],
    ['unchecked', ['-', 'new:80']],
  ]);
});

test('a task of a version that Marathon dropped keeps what it was known to serve', () => {
  const before = converted({
    portDefinitions: [{ labels: { VIP_0: 'old:80' } }],
    tasks: [task({ version: 'v1' })],
  });
  const app = anApp({ portDefinitions: [{ labels: { VIP_0: 'new:80' } }], tasks: [task({ version: 'v1' })] });
  for (const state of ['gone', 'unreadable'] as const) {
    const next = convertApp(app, {
      framework: 'marathon',
      agentAddress,
      versions: new Map([['v1', state]]),
      previous: before,
    });
    expect(next.tasks[0]?.ports[0]?.labels).toEqual({ VIP_0: 'old:80' });
    expect(next.warnings).toEqual([]);
  }
});

test('a task that was never seen, of a version that Marathon dropped, counts as the newest, with a warning', () => {
  const app = anApp({ ...host, tasks: [task({ version: 'v1' })] });
  const next = convertApp(app, {
    framework: 'marathon',
    agentAddress,
    versions: new Map([['v1', 'gone' as const]]),
  });
  expect(reached(next.tasks[0])).toBe('10.0.0.1:31000 10.0.0.1:31001');
  expect(next.warnings).toEqual([
    expect.stringContaining('task web.1 runs version v1, which Marathon has deleted'),
  ]);
});

test('a task that was never seen, of a version that cannot be read for now, has no backend', () => {
  const app = anApp({ ...bridge, tasks: [task({ version: 'v1' })] });
  const next = convertApp(app, {
    framework: 'marathon',
    agentAddress,
    versions: new Map([['v1', 'unreadable' as const]]),
  });
  expect(reached(next.tasks[0])).toBe('the definition of version v1 could not be read');
});

test.each<[string, object, object, string | undefined]>([
  ['bridge: at the container port', bridge, { ipAddresses: [{ ipAddress: '172.17.0.2' }] }, '172.17.0.2:80'],
  [
    'container port 0: at the number of the host port',
    { ...bridge, container: { portMappings: [{ containerPort: 0 }] } },
    { ipAddresses: [{ ipAddress: '172.17.0.2' }] },
    '172.17.0.2:31000',
  ],
  [
    'one address of each family',
    container({ containerPort: 80, hostPort: 0 }),
    { ipAddresses: [ipv4, ipv6] },
    'fd01:b::2:80 9.0.0.5:80',
  ],
  [
    'two networks: it is not known which one the host port leads to',
    bridge,
    { ipAddresses: [{ ipAddress: '172.17.0.2' }, { ipAddress: '9.0.0.5' }] },
    undefined,
  ],
  ['no address yet', bridge, {}, undefined],
  ['host network: there is nothing behind a host port', host, { ipAddresses: [ipv4] }, undefined],
])(
  'where the agent itself reaches a port that others reach by a host port: %s',
  (_name, definition, of, expected) => {
    const local = converted({ ...definition, tasks: [task(of)] }).tasks[0]?.ports[0]?.local;
    expect(local?.map(({ address, port }) => `${address}:${port}`).join(' ')).toBe(expected);
  },
);
