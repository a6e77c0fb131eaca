import { expect, test } from '@jest/globals';
import { defineApp } from '../../../../controller/source/document/ports.ts';
import { anApp } from '../support.ts';

/** Each port as `where mode address reach protocols`. */
function declared(json: object): string[] {
  return defineApp(anApp(json)).ports.map(({ port, reach }) => {
    const by = reach.by === 'host port' ? `ports[${reach.index}]` : `:${reach.containerPort}`;
    return `${port.at} ${port.mode} ${port.backendAddress} ${by} ${port.protocols.join('+')}`;
  });
}

const docker = (fields: object) => ({ container: { type: 'DOCKER', docker: fields } });

test.each<[string, object, string[]]>([
  ['no networks', { portDefinitions: [{ port: 80 }] }, ['portDefinitions[0] host agent ports[0] tcp']],
  [
    'an empty list of networks',
    { networks: [], portDefinitions: [{ port: 0 }, { port: 0, protocol: 'udp' }] },
    ['portDefinitions[0] host agent ports[0] tcp', 'portDefinitions[1] host agent ports[1] udp'],
  ],
  [
    'host',
    { networks: [{ mode: 'host' }], portDefinitions: [{}] },
    ['portDefinitions[0] host agent ports[0] tcp'],
  ],
  ['no port definitions', { portDefinitions: null, cmd: 'x' }, []],
  [
    'bridge, where a missing host port is allocated',
    {
      networks: [{ mode: 'container/bridge' }],
      container: { portMappings: [{ containerPort: 80 }, { containerPort: 81, hostPort: 0 }] },
    },
    [
      'container.portMappings[0] container/bridge agent ports[0] tcp',
      'container.portMappings[1] container/bridge agent ports[1] tcp',
    ],
  ],
  [
    'container, where only a mapping with a host port takes one of the task’s ports',
    {
      networks: [{ mode: 'container', name: 'dcos' }],
      container: {
        portMappings: [
          { containerPort: 80 },
          { containerPort: 81, hostPort: 0 },
          { containerPort: 82, hostPort: null },
          { containerPort: 83, hostPort: 8083 },
        ],
      },
    },
    [
      'container.portMappings[0] container container :80 tcp',
      'container.portMappings[1] container agent ports[0] tcp',
      'container.portMappings[2] container container :82 tcp',
      'container.portMappings[3] container agent ports[1] tcp',
    ],
  ],
  [
    'a network without mode is a container network',
    { networks: [{ name: 'dcos' }], container: { portMappings: [{ containerPort: 80 }] } },
    ['container.portMappings[0] container container :80 tcp'],
  ],
  [
    'host with port mappings, which are dropped',
    {
      networks: [{ mode: 'host' }],
      portDefinitions: [{}],
      container: { portMappings: [{ containerPort: 80 }] },
    },
    ['portDefinitions[0] host agent ports[0] tcp'],
  ],
  [
    'bridge with port definitions, which are dropped',
    {
      networks: [{ mode: 'container/bridge' }],
      portDefinitions: [{}, {}],
      container: { portMappings: [{ containerPort: 80 }] },
    },
    ['container.portMappings[0] container/bridge agent ports[0] tcp'],
  ],
])('ports of an app with %s', (_name, json, expected) => {
  expect(declared(json)).toEqual(expected);
});

test.each<[string, object, string[]]>([
  ['ports', { ports: [0, 8080] }, ['ports[0] host agent ports[0] tcp', 'ports[1] host agent ports[1] tcp']],
  [
    'ports beside portDefinitions',
    { ports: [0, 1], portDefinitions: [{}] },
    ['portDefinitions[0] host agent ports[0] tcp'],
  ],
  [
    'docker.network HOST',
    { ...docker({ network: 'HOST' }), portDefinitions: [{}] },
    ['portDefinitions[0] host agent ports[0] tcp'],
  ],
  [
    'docker.network BRIDGE with docker.portMappings',
    docker({ network: 'BRIDGE', portMappings: [{ containerPort: 80 }] }),
    ['container.docker.portMappings[0] container/bridge agent ports[0] tcp'],
  ],
  [
    'docker.network USER',
    {
      ...docker({
        network: 'USER',
        portMappings: [{ containerPort: 80 }, { containerPort: 81, hostPort: 0 }],
      }),
      ipAddress: { networkName: 'n' },
    },
    [
      'container.docker.portMappings[0] container container :80 tcp',
      'container.docker.portMappings[1] container agent ports[0] tcp',
    ],
  ],
  [
    'ipAddress with discovery ports',
    {
      ipAddress: { networkName: 'dcos', discovery: { ports: [{ number: 80, name: 'h', protocol: 'tcp' }] } },
    },
    ['ipAddress.discovery.ports[0] container container :80 tcp'],
  ],
  [
    'ipAddress on the Mesos bridge',
    { ipAddress: { networkName: 'mesos-bridge', discovery: { ports: [{ number: 80, protocol: 'udp' }] } } },
    ['ipAddress.discovery.ports[0] container/bridge agent ports[0] udp'],
  ],
  [
    'discovery ports of a Docker app, which never counted',
    { ...docker({ network: 'BRIDGE' }), ipAddress: { discovery: { ports: [{ number: 80 }] } } },
    [],
  ],
  [
    'ipAddress null, as Marathon 1.x replies',
    { ipAddress: null, portDefinitions: [{}] },
    ['portDefinitions[0] host agent ports[0] tcp'],
  ],
])('legacy field: %s', (_name, json, expected) => {
  expect(declared(json)).toEqual(expected);
});

test.each<[string, object, string]>([
  [
    'docker.network NONE',
    docker({ network: 'NONE', portMappings: [{ containerPort: 80 }] }),
    'container.docker.network',
  ],
  [
    'networks with docker.network',
    { ...docker({ network: 'HOST' }), networks: [{ mode: 'host' }] },
    'container.docker.network',
  ],
  [
    'a container network beside the host',
    { networks: [{ mode: 'host' }, { mode: 'container', name: 'n' }] },
    'networks',
  ],
  [
    'a container network beside the bridge',
    { networks: [{ mode: 'container/bridge' }, { name: 'n' }] },
    'networks',
  ],
  ['networks with ipAddress', { networks: [{ mode: 'host' }], ipAddress: { networkName: 'n' } }, 'ipAddress'],
  [
    'both kinds of port mappings',
    {
      networks: [{ mode: 'container/bridge' }],
      container: { portMappings: [{}], docker: { portMappings: [{}] } },
    },
    'container.docker.portMappings',
  ],
])('what Marathon refuses is rejected with its path: %s', (_name, json, at) => {
  expect(defineApp(anApp(json)).rejected).toMatchObject([{ app: '/web', at }]);
});

test.each([
  [undefined, ['tcp']],
  [null, ['tcp']],
  ['udp', ['udp']],
  ['udp,tcp', ['udp', 'tcp']],
  ['tcp, udp', ['tcp', 'udp']],
  ['TCP', ['TCP']],
  ['http', ['http']],
])('protocol %j of an app means %j', (protocol, expected) => {
  expect(defineApp(anApp({ portDefinitions: [{ protocol }] })).ports[0]?.port.protocols).toEqual(expected);
});

test('a VIP label on a port list that the mode does not use is warned of', () => {
  const bridge = {
    networks: [{ mode: 'container/bridge' }],
    portDefinitions: [{ labels: { VIP_0: '/a:1', other: 'x' } }],
  };
  expect(defineApp(anApp(bridge)).warnings).toEqual([
    expect.stringContaining('portDefinitions[0].labels.VIP_0 is not used'),
  ]);
});

test('an old task label is a VIP on the task’s n-th host port, with the protocol of its scheme alone', () => {
  const labels = { vip_PORT1: 'tcp:///web:80', VIP_port0: 'udp://1.2.3.4:53', HAPROXY_GROUP: 'external' };
  const { ports } = defineApp(anApp({ portDefinitions: [], labels }));
  expect(ports).toMatchObject([
    {
      port: {
        at: 'labels.vip_PORT1',
        protocols: ['tcp'],
        labels: { VIP_PORT1: '/web:80' },
        mode: 'host',
        backendAddress: 'agent',
      },
      reach: { by: 'host port', index: 1 },
    },
    {
      port: {
        at: 'labels.VIP_port0',
        protocols: ['udp'],
        labels: { VIP_PORT0: '1.2.3.4:53' },
        mode: 'host',
        backendAddress: 'agent',
      },
      reach: { by: 'host port', index: 0 },
    },
  ]);
});

test.each(['web:80', 'http://web:80', 'TCP://web:80', 80, null])(
  'a task label with the value %j is no VIP',
  (value) => {
    expect(defineApp(anApp({ portDefinitions: [], labels: { vip_PORT0: value } })).ports).toEqual([]);
  },
);

test.each(['vip_PORT', 'vip_PORTx', 'vip_PORT-1', 'xvip_PORT0'])('a task label %s is no VIP', (key) => {
  expect(defineApp(anApp({ portDefinitions: [], labels: { [key]: 'tcp://web:80' } })).ports).toEqual([]);
});

test('a label that is no text is handed on as JSON, and null is no label', () => {
  const labels = { VIP_0: 80, VIP_1: { a: 1 }, VIP_2: null, VIP_3: 'x:1' };
  expect(defineApp(anApp({ portDefinitions: [{ labels }] })).ports[0]?.port.labels).toEqual({
    VIP_0: '80',
    VIP_1: '{"a":1}',
    VIP_3: 'x:1',
  });
});

test('an app without a network gets a reason for its unused VIP labels', () => {
  const json = { ...docker({ network: 'NONE' }), portDefinitions: [{ labels: { VIP_0: '/web:80' } }] };
  expect(defineApp(anApp(json)).warnings).toEqual([
    'portDefinitions[0].labels.VIP_0 is not used: the app has no network, since container.docker.network is NONE',
  ]);
});

test('a VIP label that is null is warned of', () => {
  expect(defineApp(anApp({ portDefinitions: [{ labels: { VIP_0: null, team: null } }] })).warnings).toEqual([
    'portDefinitions[0].labels.VIP_0 is null, which is the same as no label',
  ]);
});
