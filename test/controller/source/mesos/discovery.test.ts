import { describe, expect, test } from '@jest/globals';
import { factsOf, type TaskFacts, updated } from '../../../../controller/source/mesos/facts.ts';
import { portsOf } from '../../../../controller/source/mesos/ports.ts';
import { statusSchema, taskSchema } from '../../../../controller/source/mesos/schema.ts';

const AGENT = { host: '10.0.0.1', address: '10.0.0.1' };
const MAPPING = { host_port: 31000, container_port: 80, protocol: 'tcp' };
const ID = { task_id: { value: 'web.1' }, framework_id: { value: 'f' }, agent_id: { value: 's' } };

type Network = { name?: string; ip?: string; ips?: readonly string[]; port_mappings?: readonly object[] };

function networkInfos(networks: readonly Network[]) {
  return networks.map(({ ip, ips = ip === undefined ? [] : [ip], ...network }) => ({
    ...network,
    ip_addresses: ips.map((ip_address) => ({ ip_address })),
  }));
}

function status(...networks: readonly Network[]) {
  return {
    state: 'TASK_RUNNING',
    timestamp: 1,
    container_status: { network_infos: networkInfos(networks) },
  };
}

const pairs = (...labels: readonly (readonly [string, string])[]) => ({
  labels: labels.map(([key, value]) => ({ key, value })),
});

function taskWith(json: object): TaskFacts {
  return factsOf(taskSchema.parse({ ...ID, name: 'web', state: 'TASK_RUNNING', ...json }));
}

function discovering(...ports: readonly object[]) {
  return { discovery: { ports: { ports } } };
}

function webOn(...labels: readonly (readonly [string, string])[]) {
  return discovering({ number: 80, protocol: 'tcp', labels: pairs(['VIP_0', '/web:80'], ...labels) });
}

function reachedBy(facts: TaskFacts): string[] {
  return portsOf(facts, AGENT).map(({ endpoints, unresolved }) =>
    endpoints.length > 0
      ? endpoints.map(({ address, port }) => `${address}:${port}`).join(',')
      : (unresolved ?? 'nowhere'),
  );
}

describe('a container’s port on a named network is reached by the address there alone', () => {
  const front = webOn(['network-scope', 'container'], ['network-name', 'front']);
  const both = { container: { type: 'MESOS', network_infos: [{ name: 'front' }, { name: 'back' }] } };
  const docker = { container: { type: 'DOCKER', docker: {}, network_infos: [{ name: 'front' }] } };
  test.each<[string, object, Network[], string]>([
    [
      'by the names in the status',
      {},
      [
        { name: 'back', ip: '9.0.1.1' },
        { name: 'front', ip: '9.0.0.1' },
      ],
      '9.0.0.1:80',
    ],
    [
      'with both families',
      {},
      [
        { name: 'front', ips: ['9.0.0.1', 'fd01::1'] },
        { name: 'back', ips: ['9.0.1.1', 'fd01:1::1'] },
      ],
      '9.0.0.1:80,fd01::1:80',
    ],
    ['by the order of the container’s networks', both, [{ ip: '9.0.0.1' }, { ip: '9.0.1.1' }], '9.0.0.1:80'],
    ['on the only network, which nobody names', {}, [{ ip: '9.0.0.1' }], '9.0.0.1:80'],
    ['on the only network of a Docker task', docker, [{ ip: '9.0.0.1' }], '9.0.0.1:80'],
    ['nowhere without an address', both, [], 'it has no IP address yet'],
    [
      'nowhere, where one network of two has no name',
      both,
      [{ ip: '9.0.0.1' }],
      'cannot determine whether 9.0.0.1 is on network front',
    ],
    [
      'nowhere, where the task is on another network',
      {},
      [{ name: 'back', ip: '9.0.1.1' }],
      'it has no address on network front, only on back',
    ],
    [
      'nowhere, where nothing has a name',
      {},
      [{ ip: '9.0.0.1' }, { ip: '9.0.1.1' }],
      'cannot determine whether 9.0.0.1, 9.0.1.1 is on network front',
    ],
  ])('%s', (_rule, container, networks, expected) => {
    expect(reachedBy(taskWith({ ...container, ...front, statuses: [status(...networks)] }))).toEqual([
      expected,
    ]);
    const later = updated(
      taskWith({ ...container, ...front }),
      'TASK_RUNNING',
      statusSchema.parse(status(...networks)),
    );
    expect(reachedBy(later)).toEqual([expected]);
  });

  test('behind a host port the agent reaches the network of the mapping', () => {
    const container = {
      type: 'MESOS',
      network_infos: [{ name: 'front' }, { name: 'back', port_mappings: [MAPPING] }],
    };
    const statuses = [status({ name: 'front', ip: '9.0.0.1' }, { name: 'back', ip: '9.0.1.1' })];
    const facts = taskWith({ container, ...webOn(), statuses });
    expect(reachedBy(facts)).toEqual(['10.0.0.1:31000']);
    expect(portsOf(facts, AGENT)[0]?.local).toEqual([{ address: '9.0.1.1', port: 80 }]);
  });
});

describe('a mapping that only the status has', () => {
  const statuses = [status({ ip: '9.0.0.1', port_mappings: [MAPPING] })];
  test.each<[string, object, string]>([
    [
      'is none where the container has networks without mappings',
      { type: 'MESOS', network_infos: [{ name: 'n' }] },
      '9.0.0.1:80',
    ],
    [
      'is none of a Docker task without mappings',
      { type: 'DOCKER', docker: { network: 'BRIDGE', port_mappings: [] } },
      '9.0.0.1:80',
    ],
    [
      'counts where the container has no networks of its own, as in a pod',
      { type: 'MESOS', mesos: {} },
      '10.0.0.1:31000',
    ],
  ])('%s, in a state and in an event', (_rule, container, expected) => {
    expect(reachedBy(taskWith({ container, ...webOn(), statuses }))).toEqual([expected]);
    const later = updated(
      taskWith({ container, ...webOn() }),
      'TASK_RUNNING',
      statusSchema.parse(statuses[0]),
    );
    expect(reachedBy(later)).toEqual([expected]);
  });

  test('counts where the task has no container', () => {
    expect(reachedBy(taskWith({ ...webOn(), statuses }))).toEqual(['10.0.0.1:31000']);
  });

  test('with an invalid host port gives no backend, and reports it', () => {
    const container = {
      type: 'MESOS',
      network_infos: [{ port_mappings: [{ ...MAPPING, host_port: 70_000 }] }],
    };
    const facts = taskWith({ container, ...webOn(), statuses: [status({ ip: '9.0.0.1' })] });
    expect(reachedBy(facts)).toEqual(['its host port 70000 is not a port number']);
  });
});

test.each<[string, object, string, string, string]>([
  [
    'above 65535',
    { number: 70_000 },
    'discovery.ports.ports[0].number',
    '70000',
    'expected a port number from 0 to 65535',
  ],
  [
    'below 0',
    { number: -1 },
    'discovery.ports.ports[0].number',
    '-1',
    'expected a port number from 0 to 65535',
  ],
  [
    'that is text',
    { number: '80' },
    'discovery.ports.ports[0].number',
    '80',
    'expected a port number from 0 to 65535, got text',
  ],
  ['missing', {}, 'discovery.ports.ports[0].number', 'nothing', 'expected a port number from 0 to 65535'],
])('a discovery port with a number %s is rejected alone', (_rule, port, at, value, reason) => {
  const facts = taskWith({
    ...discovering(port, { number: 80, protocol: 'tcp', labels: pairs(['VIP_0', '/web:80']) }),
    statuses: [status({ ip: '10.0.0.1' })],
  });
  expect(reachedBy(facts)).toEqual(['10.0.0.1:80']);
  expect(facts.rejected).toEqual([{ at, value, reason }]);
});

test('a label may have any key, and hides none after it', () => {
  const labels = pairs(['__proto__', '/a:80'], ['constructor', 'x'], ['toString', 'y'], ['VIP_0', '/b:80']);
  const [port] = taskWith(discovering({ number: 80, labels })).ports;
  expect(Object.entries(port?.labels ?? {})).toEqual([
    ['__proto__', '/a:80'],
    ['constructor', 'x'],
    ['toString', 'y'],
    ['VIP_0', '/b:80'],
  ]);
});

describe('two labels with one key', () => {
  test('are two VIPs of the port, unless they are alike', () => {
    const labels = pairs(
      ['VIP_0', '/a:80'],
      ['VIP_0', '/b:80'],
      ['VIP_0', '/a:80'],
      ['vip', '/c:80'],
      ['vip', '/d:80'],
    );
    const [port] = taskWith(discovering({ number: 80, labels })).ports;
    expect(port?.labels).toEqual({ VIP_0: '/a:80', 'VIP_0#2': '/b:80', vip: '/c:80', 'vip#2': '/d:80' });
  });

  test('of the task are two ports at one host port', () => {
    const facts = taskWith({
      labels: pairs(['vip_PORT0', 'tcp:///a:80'], ['vip_PORT0', 'tcp:///b:80']),
      resources: [{ name: 'ports', ranges: { range: [{ begin: 31000, end: 31000 }] } }],
      statuses: [status({ ip: '10.0.0.1' })],
    });
    expect(portsOf(facts, AGENT)).toMatchObject([
      { at: 'labels.vip_PORT0', labels: { VIP_PORT0: '/a:80' } },
      { at: 'labels.vip_PORT0#2', labels: { VIP_PORT0: '/b:80' } },
    ]);
    expect(reachedBy(facts)).toEqual(['10.0.0.1:31000', '10.0.0.1:31000']);
  });

  test('that are no VIPs are one, the last', () => {
    const labels = pairs(['IPVS_WEIGHT', '1'], ['IPVS_WEIGHT', '2']);
    expect(taskWith(discovering({ number: 80, labels })).ports[0]?.labels).toEqual({ IPVS_WEIGHT: '2' });
  });
});

test.each<[string, object, string[]]>([
  ['labels of the task', { labels: pairs(['VIP_0', '/web:80'], ['team', 'x']) }, ['labels.VIP_0']],
  ['the old form without a scheme', { labels: pairs(['vip_PORT0', '/web:80']) }, ['labels.vip_PORT0']],
  [
    'labels of the discovery data',
    { discovery: { labels: pairs(['Vip_0', '/web:80']) } },
    ['discovery.labels.Vip_0'],
  ],
  [
    'a port with number 0',
    discovering({ number: 0, labels: pairs(['VIP_0', '/w:80']) }),
    ['discovery.ports.ports[0].labels.VIP_0'],
  ],
  ['nothing of ours', { labels: pairs(['vip_PORT0', 'tcp:///web:80'], ['VIPER', 'x']) }, []],
])('a VIP label of a task without effect is reported: %s', (_where, json, paths) => {
  expect(taskWith(json).warnings.map((warning) => warning.split(' is not used: ')[0])).toEqual(paths);
});

test('a VIP label next to a list of labels is reported with its value, and the list counts', () => {
  const beside = { ...pairs(['VIP_0', '/web:80']), VIP_1: '/web:81', IPVS_SCHEDULER: ['rr'], other: 'x' };
  const { ports, warnings } = taskWith({
    ...discovering({ number: 80, protocol: 'tcp', labels: beside }),
    labels: { labels: [], vip_PORT0: 'tcp://web:82' },
  });
  const expected = (place: string) => `is not used: expected {"key": …, "value": …} in ${place}.labels`;
  expect(ports.map(({ labels }) => labels)).toEqual([{ VIP_0: '/web:80' }]);
  const place = 'discovery.ports.ports[0].labels';
  expect(warnings).toEqual([
    `labels.vip_PORT0, tcp://web:82, ${expected('labels')}`,
    `${place}.VIP_1, /web:81, ${expected(place)}`,
    `${place}.IPVS_SCHEDULER, ["rr"], ${expected(place)}`,
  ]);
});
