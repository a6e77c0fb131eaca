import { describe, expect, test } from '@jest/globals';
import { converted, convertedPod, reached } from '../support.ts';

const NETWORKS = [
  { mode: 'container', name: 'front' },
  { mode: 'container', name: 'back' },
];

/** Where the port of an app on these networks is reached when its task has these addresses. */
function appOn(
  addresses: readonly string[],
  networkNames?: readonly string[],
  networks: readonly object[] = NETWORKS,
): string {
  const mapping = { containerPort: 80, labels: { VIP_0: '/web:80' }, ...(networkNames && { networkNames }) };
  const app = converted({
    networks,
    container: { type: 'MESOS', portMappings: [mapping] },
    tasks: [
      {
        id: 'web.1',
        host: '10.0.0.1',
        state: 'TASK_RUNNING',
        ipAddresses: addresses.map((ipAddress) => ({ ipAddress })),
      },
    ],
  });
  const [port] = app.tasks[0]?.ports ?? [];
  const doubt = port?.unresolved !== undefined && port.endpoints.length > 0 ? ` (${port.unresolved})` : '';
  return `${reached(app.tasks[0])}${doubt}`;
}

describe('a port mapping that names a network is reached by the address there alone', () => {
  test.each<[string, string[], string[] | undefined, string]>([
    ['the first of two', ['172.20.0.5', '172.30.0.7'], ['front'], '172.20.0.5:80'],
    ['the second of two', ['172.20.0.5', '172.30.0.7'], ['back'], '172.30.0.7:80'],
    [
      'both families of the first, network by network',
      ['172.20.0.5', 'fd01::5', '172.30.0.7', 'fd01::7'],
      ['front'],
      '172.20.0.5:80,fd01::5:80',
    ],
    [
      'both families of the second, family by family',
      ['172.20.0.5', '172.30.0.7', 'fd01::5', 'fd01::7'],
      ['back'],
      '172.30.0.7:80,fd01::7:80',
    ],
    [
      'both networks, when it names both',
      ['172.20.0.5', '172.30.0.7'],
      ['back', 'front'],
      '172.20.0.5:80,172.30.0.7:80',
    ],
    [
      'both networks, when it names none',
      ['172.20.0.5', '172.30.0.7'],
      undefined,
      '172.20.0.5:80,172.30.0.7:80',
    ],
    [
      'both networks, when its list is empty',
      ['172.20.0.5', '172.30.0.7'],
      [],
      '172.20.0.5:80,172.30.0.7:80',
    ],
    ['nowhere before it has an address', [], ['front'], 'it has no IP address yet'],
  ])('%s', (_rule, addresses, networkNames, expected) => {
    expect(appOn(addresses, networkNames)).toBe(expected);
  });
});

describe('if it is unknown which address is on the network, none is guessed', () => {
  test.each<[string, string[], string]>([
    [
      'one address for two networks',
      ['172.20.0.5'],
      'cannot determine whether 172.20.0.5 is on network front',
    ],
    [
      'three addresses for two networks',
      ['172.20.0.5', '172.20.0.6', '172.30.0.7'],
      'cannot determine whether 172.20.0.5, 172.20.0.6, 172.30.0.7 is on network front',
    ],
    [
      'one address of each family, which may be one network or two',
      ['172.20.0.5', 'fd01::7'],
      'cannot determine whether 172.20.0.5, fd01::7 is on network front',
    ],
    [
      'an IPv6 address beside one IPv4 address for each: only that one is left out',
      ['172.20.0.5', '172.30.0.7', 'fd01::7'],
      '172.20.0.5:80 (cannot determine whether fd01::7 is on network front)',
    ],
  ])('%s', (_rule, addresses, expected) => {
    expect(appOn(addresses, ['front'])).toBe(expected);
  });
});

test('the address of a network without a name is no doubt where the wanted network has one of its own', () => {
  const networks = [{ mode: 'container', name: 'front' }, { mode: 'container' }];
  expect(appOn(['172.20.0.5', '172.30.0.7'], ['front'], networks)).toBe('172.20.0.5:80');
});

test.each<[string, object[], string[], string]>([
  ['one network is the only one that can be meant', [{ mode: 'container' }], ['front'], '172.20.0.5:80'],
  [
    'a network that the app is not on gives no address',
    [{ mode: 'container', name: 'back' }],
    ['front'],
    'it has no address on network front, only on back',
  ],
])('of one network: %s', (_rule, networks, names, expected) => {
  expect(appOn(['172.20.0.5'], names, networks)).toBe(expected);
});

test('behind a host port the agent itself reaches the address on the network that the mapping names', () => {
  const mapping = (networkNames: string[]) => ({ containerPort: 80, hostPort: 0, networkNames });
  const app = converted({
    networks: NETWORKS,
    container: { portMappings: [mapping(['back']), mapping([])] },
    tasks: [
      {
        id: 'web.1',
        host: '10.0.0.1',
        state: 'TASK_RUNNING',
        ports: [31000, 31001],
        ipAddresses: [{ ipAddress: '172.20.0.5' }, { ipAddress: '172.30.0.7' }],
      },
    ],
  });
  expect(reached(app.tasks[0])).toBe('10.0.0.1:31000 10.0.0.1:31001');
  expect(app.tasks[0]?.ports.map(({ local }) => local)).toEqual([
    [{ address: '172.30.0.7', port: 80 }],
    undefined,
  ]);
});

test.each<[string, object[], string]>([
  [
    'by the names in its status',
    [
      { name: 'back', addresses: ['172.30.0.8'] },
      { name: 'front', addresses: ['172.20.0.6', 'fd01::6'] },
    ],
    '172.20.0.6:80,fd01::6:80',
  ],
  [
    'by its definition, where the status has as many networks without names',
    [{ addresses: ['172.20.0.6'] }, { addresses: ['172.30.0.8'] }],
    '172.20.0.6:80',
  ],
  [
    'nowhere, where that is not known',
    [{ addresses: ['172.20.0.6'] }, { addresses: ['172.30.0.8'] }, { addresses: ['172.40.0.8'] }],
    'cannot determine whether 172.20.0.6, 172.30.0.8, 172.40.0.8 is on network front',
  ],
  [
    'nowhere, where it has no address there',
    [{ name: 'back', addresses: ['172.30.0.8'] }],
    'it has no address on network front, only on back',
  ],
])('a pod’s endpoint that names a network is reached there: %s', (_rule, networks, expected) => {
  const endpoint = { name: 'http', containerPort: 80, protocol: ['tcp'], networkNames: ['front'] };
  const pod = convertedPod({
    spec: { networks: NETWORKS, containers: [{ name: 'c', endpoints: [endpoint] }] },
    instances: [{ id: 'pod.1', networks, containers: [{ name: 'c', status: 'TASK_RUNNING' }] }],
  });
  expect(reached(pod.tasks[0])).toBe(expected);
});
