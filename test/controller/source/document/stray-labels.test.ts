import { describe, expect, test } from '@jest/globals';
import { checkDefinition } from '../../../../controller/source/document/definition.ts';
import { converted, convertedPod, reached } from '../support.ts';

const VIP = { VIP_0: '/web:80' };
const ON_PORT = 'a VIP label belongs on a port, portDefinitions[].labels or container.portMappings[].labels';
const ON_ENDPOINT = 'a VIP label belongs on an endpoint, containers[].endpoints[].labels';
const OPTION =
  'an IPVS label belongs next to the VIP label, on a port, portDefinitions[].labels or container.portMappings[].labels';
const BRIDGE = { networks: [{ mode: 'container/bridge' }] };
const IN_MAPPINGS = (mode: string) => `an app in ${mode} mode declares its ports in container.portMappings`;

test.each<[string, object, string]>([
  ['labels of the app', { labels: VIP }, `labels.VIP_0 is not used: ${ON_PORT}`],
  ['in small letters', { labels: { vip_0: '/web:80' } }, `labels.vip_0 is not used: ${ON_PORT}`],
  ['in any case', { labels: { Vip0: '/web:80' } }, `labels.Vip0 is not used: ${ON_PORT}`],
  [
    'with a Cyrillic letter',
    { labels: { 'V\u0406P_0': '/web:80' } },
    `labels.V\u0406P_0 is not used: ${ON_PORT}; it has U+0406, which is not ASCII`,
  ],
  [
    'with a digit for a letter',
    { labels: { V1P_0: '/web:80' } },
    `labels.V1P_0 is not used: ${ON_PORT}; it has "1" in place of "I"`,
  ],
  [
    'with letters swapped',
    { labels: { VPI_0: '/web:80' } },
    `labels.VPI_0 is not used: ${ON_PORT}; it has "VPI" in place of "VIP"`,
  ],
  ['with a dash', { labels: { 'VIP-0': '/web:80' } }, `labels.VIP-0 is not used: ${ON_PORT}`],
  ['without number', { labels: { VIP: '/web:80' } }, `labels.VIP is not used: ${ON_PORT}`],
  ['at the top', VIP, `VIP_0 is not used: ${ON_PORT}`],
  [
    'labels of the container',
    { container: { labels: VIP } },
    `container.labels.VIP_0 is not used: ${ON_PORT}`,
  ],
  [
    'labels of docker',
    { container: { docker: { labels: VIP } } },
    `container.docker.labels.VIP_0 is not used: ${ON_PORT}`,
  ],
  [
    'a label for Docker',
    { container: { docker: { parameters: [{ key: 'label', value: 'VIP_0=/web:80' }] } } },
    `container.docker.parameters[0].value is not used: ${ON_PORT}`,
  ],
  ['the environment', { env: VIP }, `env.VIP_0 is not used: ${ON_PORT}`],
  ['labels of ipAddress', { ipAddress: { labels: VIP } }, `ipAddress.labels.VIP_0 is not used: ${ON_PORT}`],
  [
    'labels of a network',
    { networks: [{ mode: 'container', name: 'n', labels: VIP }] },
    `networks[0].labels.VIP_0 is not used: ${ON_PORT}`,
  ],
  ['a port, not its labels', { portDefinitions: [VIP] }, `portDefinitions[0].VIP_0 is not used: ${ON_PORT}`],
  [
    'elsewhere in a port',
    { portDefinitions: [{ meta: VIP }] },
    `portDefinitions[0].meta.VIP_0 is not used: ${ON_PORT}`,
  ],
  [
    'labels of a task',
    { tasks: [{ id: 'web.1', labels: VIP }] },
    `tasks[0].labels.VIP_0 is not used: ${ON_PORT}`,
  ],
  [
    'portDefinitions beside a bridge',
    { ...BRIDGE, portDefinitions: [{ labels: VIP }] },
    `portDefinitions[0].labels.VIP_0 is not used: ${IN_MAPPINGS('container/bridge')}`,
  ],
  [
    'portDefinitions beside a bridge, in any case',
    { ...BRIDGE, portDefinitions: [{ labels: { vIP_0: '/web:80' } }] },
    `portDefinitions[0].labels.vIP_0 is not used: ${IN_MAPPINGS('container/bridge')}`,
  ],
  [
    'portMappings on the host network',
    { container: { portMappings: [{ labels: VIP }] } },
    'container.portMappings[0].labels.VIP_0 is not used: an app on the host network declares its ports in portDefinitions',
  ],
  [
    'ipAddress.discovery on the bridge',
    {
      container: { docker: { network: 'BRIDGE' } },
      ipAddress: { discovery: { ports: [{ number: 80, labels: VIP }] } },
    },
    'ipAddress.discovery.ports[0].labels.VIP_0 is not used: Marathon rejects discovery ports in a Docker app in container/bridge mode; use container.portMappings',
  ],
  [
    'ipAddress.discovery beside port mappings',
    {
      container: { portMappings: [{ containerPort: 80 }] },
      ipAddress: { networkName: 'n', discovery: { ports: [{ number: 80, labels: VIP }] } },
    },
    'ipAddress.discovery.ports[0].labels.VIP_0 is not used: the ports of this app are those in container.portMappings',
  ],
  [
    'an option of the app',
    { labels: { IPVS_SCHEDULER: 'rr' } },
    `labels.IPVS_SCHEDULER is not used: ${OPTION}`,
  ],
  [
    'an option in small letters',
    { labels: { ipvs_weight: '3' } },
    `labels.ipvs_weight is not used: ${OPTION}`,
  ],
  [
    'the old form without a scheme',
    { labels: { vip_PORT0: '/web:80' } },
    `labels.vip_PORT0 is not used: ${ON_PORT}; the old form is vip_PORT0 with the value tcp://NAME:PORT or udp://NAME:PORT`,
  ],
])('a label that has no effect where it stands is reported: %s', (_where, json, warning) => {
  expect(converted({ cmd: 'x', ...json }).warnings).toEqual([warning]);
});

const MAPPED = { container: { portMappings: [{ containerPort: 80, Labels: VIP }] } };

test.each<[string, object, string, string]>([
  [
    'Labels of a portDefinition',
    { portDefinitions: [{ port: 80 }, { Labels: VIP }] },
    'portDefinitions[1].Labels.VIP_0',
    'portDefinitions[1].labels',
  ],
  [
    'lables',
    { portDefinitions: [{ lables: VIP }] },
    'portDefinitions[0].lables.VIP_0',
    'portDefinitions[0].labels',
  ],
  [
    'label',
    { portDefinitions: [{ label: { ipvs_weight: '2' } }] },
    'portDefinitions[0].label.ipvs_weight',
    'portDefinitions[0].labels',
  ],
  [
    'the list of ports',
    { PortDefinition: [{ labels: VIP }] },
    'PortDefinition[0].labels.VIP_0',
    'portDefinitions[0].labels',
  ],
  [
    'Labels of a portMapping',
    { ...BRIDGE, ...MAPPED },
    'container.portMappings[0].Labels.VIP_0',
    'container.portMappings[0].labels',
  ],
  [
    'a list of mappings',
    { ...BRIDGE, container: { port_mappings: [{ labels: VIP }] } },
    'container.port_mappings[0].labels.VIP_0',
    'container.portMappings[0].labels',
  ],
  [
    'Labels of Docker’s portMapping',
    { container: { docker: { network: 'BRIDGE', portMappings: [{ LABELS: VIP }] } } },
    'container.docker.portMappings[0].LABELS.VIP_0',
    'container.docker.portMappings[0].labels',
  ],
  [
    'Labels of a discovery port',
    { ipAddress: { networkName: 'n', discovery: { ports: [{ number: 80, Labels: VIP }] } } },
    'ipAddress.discovery.ports[0].Labels.VIP_0',
    'ipAddress.discovery.ports[0].labels',
  ],
  [
    'labels of the app, in the old form',
    { Labels: { vip_PORT0: 'tcp://web:80' } },
    'Labels.vip_PORT0',
    'labels',
  ],
])(
  'a key that is misspelt on the way to a label is reported with what was meant: %s',
  (_what, json, at, meant) => {
    expect(converted({ cmd: 'x', ...json }).warnings).toEqual([`${at} is not used: did you mean ${meant}?`]);
  },
);

test('labels that would have no effect either if they were spelt right are reported why', () => {
  const warnings = (json: object) => converted({ cmd: 'x', ...json }).warnings;
  expect(warnings(MAPPED)).toEqual([
    'container.portMappings[0].Labels.VIP_0 is not used: an app on the host network declares its ports in portDefinitions',
  ]);
  expect(warnings({ ...BRIDGE, portDefinitions: [{ Labels: VIP }] })).toEqual([
    `portDefinitions[0].Labels.VIP_0 is not used: ${IN_MAPPINGS('container/bridge')}`,
  ]);
});

test.each<[string, object]>([
  [
    'a Docker app on the host network',
    { container: { type: 'DOCKER', docker: { network: 'HOST' } }, portDefinitions: [{ labels: VIP }] },
  ],
  ['VIP labels on ports', { portDefinitions: [{ labels: { ...VIP, IPVS_WEIGHT: '2' } }] }],
  [
    'the old form',
    { portDefinitions: [], labels: { vip_PORT0: 'tcp:///web:80', VIP_port1: 'udp://web:53' } },
  ],
  ['labels of others', { labels: { VIPER: 'yes', HAPROXY_0_VHOST: 'a:80', team: 'vip', IPAM: 'x' } }],
  [
    'the environment of others',
    { env: { VIP_CUSTOMERS: 'true', VIP1: '10.0.0.1', IPVS_ENABLED: '1', IPV6: 'x' } },
  ],
  ['parameters of others', { container: { docker: { parameters: [{ key: 'label', value: 'team=a:80' }] } } }],
])('nothing is reported of %s', (_what, json) => {
  expect(converted({ cmd: 'x', ...json }).warnings).toEqual([]);
});

test.each<[string, object, string]>([
  ['labels of the pod', { labels: VIP }, `labels.VIP_0 is not used: ${ON_ENDPOINT}`],
  [
    'labels of its container',
    { containers: [{ name: 'c', labels: VIP }] },
    `containers[0].labels.VIP_0 is not used: ${ON_ENDPOINT}`,
  ],
  [
    'environment of its container',
    { containers: [{ name: 'c', environment: VIP }] },
    `containers[0].environment.VIP_0 is not used: ${ON_ENDPOINT}`,
  ],
  [
    'portDefinitions',
    { portDefinitions: [{ labels: VIP }] },
    `portDefinitions[0].labels.VIP_0 is not used: ${ON_ENDPOINT}`,
  ],
  [
    'a misspelt key of an endpoint',
    { containers: [{ name: 'c', endpoints: [{ name: 'e', Labels: VIP }] }] },
    'containers[0].endpoints[0].Labels.VIP_0 is not used: did you mean containers[0].endpoints[0].labels?',
  ],
])('of a pod too, with and without its status: %s', (_where, json, warning) => {
  const pod = { containers: [{ name: 'c' }], ...json };
  expect(convertedPod(pod).warnings).toEqual([warning]);
  expect(convertedPod({ spec: pod, instances: [] }).warnings).toEqual([warning]);
});

test('a definition that is about to be sent is read in the same way', () => {
  const read = checkDefinition({ id: '/web', cmd: 'x', labels: VIP }, 'app', {
    where: 'f',
    framework: 'marathon',
  });
  expect('app' in read && read.app.warnings).toEqual([`labels.VIP_0 is not used: ${ON_PORT}`]);
});

test('of many such labels some are reported, in lines of bounded length', () => {
  const labels = Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`VIP_${i}`, '/web:80']));
  const { warnings } = converted({ cmd: 'x', labels, ['x'.repeat(9_000)]: { labels: VIP } });
  expect(warnings).toHaveLength(11);
  expect(warnings.at(-1)).toBe('291 more labels that look like VIP labels are not used');
  const long = converted({ cmd: 'x', ['x'.repeat(9_000)]: { labels: VIP } }).warnings;
  expect(long).toHaveLength(1);
  expect(long[0]?.length).toBeLessThan(300);
});

test('a definition is checked even with thousands of tasks', () => {
  const tasks = Array.from({ length: 3_000 }, (_, i) => ({
    id: `web.${i}`,
    host: 'a',
    ports: [1],
    state: 'TASK_RUNNING',
  }));
  expect(converted({ tasks, cmd: 'x', labels: VIP }).warnings).toEqual([
    `labels.VIP_0 is not used: ${ON_PORT}`,
  ]);
});

describe('VIP labels in ipAddress.discovery.ports', () => {
  const discovery = { ports: [{ number: 80, name: 'http', protocol: 'tcp', labels: VIP }] };
  const tasks = [
    {
      id: 'web.1',
      host: '10.0.0.1',
      state: 'TASK_RUNNING',
      ports: [31000],
      ipAddresses: [{ ipAddress: '9.0.0.5' }],
    },
  ];
  test.each<[string, object]>([
    [
      'on the host network, which a parameter for Docker exchanges',
      { type: 'DOCKER', docker: { network: 'HOST' } },
    ],
    ['with USER', { type: 'DOCKER', docker: { network: 'USER' } }],
    ['without a network of its own', { type: 'DOCKER', docker: { image: 'x' } }],
  ])(
    'of a Docker app %s are those of the container’s own ports, and a newer Marathon’s refusal is reported',
    (_rule, container) => {
      const app = converted({ container, ipAddress: { networkName: 'n', discovery }, tasks });
      expect(app.ports).toMatchObject([
        { at: 'ipAddress.discovery.ports[0]', labels: VIP, mode: 'container' },
      ]);
      expect(reached(app.tasks[0])).toBe('9.0.0.5:80');
      expect(app.warnings).toEqual([
        'ipAddress.discovery.ports: Marathon 1.5 and later reject these ports in a Docker app; use container.portMappings instead',
      ]);
    },
  );

  test('of an app without Docker work as they always did, without a warning', () => {
    const app = converted({ cmd: 'x', ipAddress: { networkName: 'n', discovery }, tasks });
    expect(reached(app.tasks[0])).toBe('9.0.0.5:80');
    expect(app.warnings).toEqual([]);
  });

  test('a Docker app on the host network without any has the ports of its definition', () => {
    const docker = { container: { docker: { network: 'HOST' } }, ipAddress: {} };
    const app = converted({ ...docker, portDefinitions: [{ labels: VIP }], tasks });
    expect(reached(app.tasks[0])).toBe('10.0.0.1:31000');
  });
});
