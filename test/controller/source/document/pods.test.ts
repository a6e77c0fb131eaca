import { expect, test } from '@jest/globals';
import { convertPod, definePod } from '../../../../controller/source/document/pods.ts';
import { agentAddress, aPod, convertedPod, reached } from '../support.ts';

const spec = (network: object, ...endpoints: object[]) => ({
  version: '2020-01-01T00:00:00.000Z',
  networks: [network],
  containers: [{ name: 'c1', endpoints }],
});
const instance = (containers: object[], fields: object = {}) => ({
  id: 'pod.instance-1',
  agentHostname: '10.0.0.1',
  networks: [
    { name: 'dcos', addresses: ['9.0.7.5', 'fd01:b::5'] },
    { name: 'other', addresses: ['9.1.0.5'] },
  ],
  containers,
  ...fields,
});
const running = (fields: object = {}) => ({
  name: 'c1',
  status: 'TASK_RUNNING',
  containerId: 'pod.instance-1.c1',
  ...fields,
});
const bridge = { mode: 'container/bridge' };
const net = { mode: 'container', name: 'dcos' };

test.each<[string, object, object, string]>([
  [
    'host',
    spec({ mode: 'host' }, { name: 'h' }),
    { endpoints: [{ name: 'h', allocatedHostPort: 31007 }] },
    '10.0.0.1:31007',
  ],
  [
    'bridge',
    spec(bridge, { name: 'h', containerPort: 80 }),
    { endpoints: [{ name: 'h', allocatedHostPort: 31007 }] },
    '10.0.0.1:31007',
  ],
  [
    'container with host port',
    spec(net, { name: 'h', containerPort: 80, hostPort: 0 }),
    { endpoints: [{ name: 'h', allocatedHostPort: 31007 }] },
    '10.0.0.1:31007',
  ],
  [
    'container without: every address',
    spec(net, { name: 'h', containerPort: 80 }),
    {},
    '9.0.7.5:80,fd01:b::5:80,9.1.0.5:80',
  ],
  [
    'container without: only the networks named',
    spec(net, { name: 'h', containerPort: 80, networkNames: ['other'] }),
    {},
    '9.1.0.5:80',
  ],
  [
    'a network without mode is a container network',
    spec({ name: 'dcos' }, { name: 'h', containerPort: 80, networkNames: ['other'] }),
    {},
    '9.1.0.5:80',
  ],
  [
    'endpoints are paired by name, whatever their order',
    spec(bridge, { name: 'a' }, { name: 'b' }),
    {
      endpoints: [
        { name: 'b', allocatedHostPort: 2 },
        { name: 'a', allocatedHostPort: 1 },
      ],
    },
    '10.0.0.1:1 10.0.0.1:2',
  ],
  [
    'an endpoint that has no host port yet',
    spec(bridge, { name: 'a' }),
    { endpoints: [] },
    'Marathon gives no host port for it',
  ],
])('address table of pods: %s', (_name, definition, status, expected) => {
  const pod = convertedPod({ spec: definition, instances: [instance([running(status)])] });
  expect(reached(pod.tasks[0])).toBe(expected);
});

test('each container of an instance is a task of its own, with its own ports and health', () => {
  const pod = convertedPod({
    spec: {
      containers: [
        { name: 'c1', endpoints: [{ name: 'h' }] },
        { name: 'c2', endpoints: [{ name: 'h' }] },
        { name: 'c3' },
      ],
    },
    instances: [
      instance([
        running({
          endpoints: [{ name: 'h', allocatedHostPort: 1 }],
          conditions: [{ name: 'healthy', value: 'false', reason: 'health-reported-by-mesos' }],
        }),
        running({
          name: 'c2',
          containerId: 'pod.instance-1.c2',
          status: 'TASK_KILLING',
          endpoints: [{ name: 'h', allocatedHostPort: 2 }],
        }),
        running({ name: 'c3', containerId: undefined }),
      ]),
    ],
  });
  expect(
    pod.tasks.map((task) => [task.id, task.state, task.health, reached(task), task.ports[0]?.container]),
  ).toEqual([
    ['pod.instance-1.c1', 'running', 'unhealthy', '10.0.0.1:1', 'c1'],
    ['pod.instance-1.c2', 'killing', 'unchecked', '10.0.0.1:2', 'c2'],
    ['pod.instance-1.c3', 'running', 'unchecked', '', undefined],
  ]);
});

test('containers that share one containerId are still different tasks', () => {
  const status = { containerId: 'same' };
  const pod = convertedPod({
    spec: { containers: [] },
    instances: [instance([running(status), running({ ...status, name: 'c2' })])],
  });
  expect(pod.tasks.map(({ id }) => id)).toEqual(['same', 'pod.instance-1.c2']);
});

test.each<[unknown, string[]]>([
  [['tcp'], ['tcp']],
  [
    ['tcp', 'udp'],
    ['tcp', 'udp'],
  ],
  ['http', ['http']],
  [[], []],
  [undefined, []],
])('protocol %j of an endpoint means %j', (protocol, expected) => {
  const pod = convertedPod({ ...spec(bridge, { name: 'h', protocol }) });
  expect(pod.ports[0]?.protocols).toEqual(expected);
});

test('a pod without status declares its ports, at their paths in the definition', () => {
  expect(
    convertedPod(
      spec(bridge, { name: 'a' }, { name: 'h', protocol: ['tcp'], labels: { VIP_0: '/mqtt:1883' } }),
    ),
  ).toMatchObject({
    id: '/pod',
    kind: 'pod',
    ports: [
      { at: 'containers[0].endpoints[0]' },
      {
        at: 'containers[0].endpoints[1]',
        container: 'c1',
        labels: { VIP_0: '/mqtt:1883' },
        mode: 'container/bridge',
        backendAddress: 'agent',
      },
    ],
    tasks: [],
  });
});

test('a VIP label of a pod that is null is warned of', () => {
  const labels = { VIP_0: null, VIP_1: '/web:80', team: null };
  expect(convertedPod(spec(bridge, { name: 'a' }, { name: 'h', labels })).warnings).toEqual([
    'containers[0].endpoints[1].labels.VIP_0 is null, which is the same as no label',
  ]);
});

test('an instance has the labels of the version that its specReference names', () => {
  const old = definePod(aPod(spec(bridge, { name: 'h', labels: { VIP_0: 'old:80' } })).spec);
  const pod = aPod({
    spec: spec(bridge, { name: 'h', labels: { VIP_0: 'new:80' } }),
    instances: [
      instance([running()], { specReference: '/v2/pods/pod::versions/2019-01-01T00:00:00.000Z' }),
      instance([running()], {
        id: 'pod.instance-2',
        specReference: '/v2/pods/pod::versions/2020-01-01T00:00:00.000Z',
      }),
    ],
  });
  const versions = new Map([['2019-01-01T00:00:00.000Z', old]]);
  const { tasks } = convertPod(pod, { framework: 'marathon', agentAddress, versions });
  expect(tasks.map(({ ports }) => ports[0]?.labels['VIP_0'])).toEqual(['old:80', 'new:80']);
});

test('an instance that is not placed yet has no tasks', () => {
  expect(
    convertedPod({ spec: spec(bridge), instances: [{ id: 'pod.instance-1', status: 'PENDING' }] }).tasks,
  ).toEqual([]);
});

test.each<[string, object, string | undefined]>([
  ['container with host port, on the network that it names', net, '9.1.0.5:80'],
  ['host network: there is nothing behind a host port', { mode: 'host' }, undefined],
])(
  'where the agent itself reaches an endpoint that others reach by a host port: %s',
  (_name, network, expected) => {
    const endpoint = { name: 'h', containerPort: 80, hostPort: 0, networkNames: ['other'] };
    const status = running({ endpoints: [{ name: 'h', allocatedHostPort: 31007 }] });
    const pod = convertedPod({ spec: spec(network, endpoint), instances: [instance([status])] });
    const local = pod.tasks[0]?.ports[0]?.local;
    expect(local?.map(({ address, port }) => `${address}:${port}`).join(' ')).toBe(expected);
  },
);

test('of addresses in one list without a name it is not known on which network each is', () => {
  const networks = [
    { mode: 'container', name: 'a' },
    { mode: 'container', name: 'b' },
  ];
  const reachedOn = (networkNames?: string[]) => {
    const endpoint = {
      name: 'h',
      containerPort: 80,
      protocol: ['tcp'],
      ...(networkNames && { networkNames }),
    };
    const instances = [instance([running()], { networks: [{ addresses: ['9.1.1.1', '9.2.1.1'] }] })];
    const pod = { spec: { networks, containers: [{ name: 'c1', endpoints: [endpoint] }] }, instances };
    return reached(convertedPod(pod).tasks[0]);
  };
  expect(reachedOn(['a'])).toBe('cannot determine whether 9.1.1.1, 9.2.1.1 is on network a');
  expect(reachedOn()).toBe('9.1.1.1:80,9.2.1.1:80');
});

test('an instance without containers has its agent and its addresses', () => {
  const instances = [instance([], { networks: [{ name: 'n', addresses: ['9.1.1.1'] }] })];
  expect(convertedPod({ spec: spec(net), instances }).tasks).toEqual([
    {
      id: 'pod.instance-1',
      state: 'staging',
      health: 'unchecked',
      ports: [],
      agent: { host: '10.0.0.1', address: '10.0.0.1' },
      addresses: ['9.1.1.1'],
    },
  ]);
});
