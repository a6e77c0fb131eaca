/** Apps as Marathon gives them with `embed=apps.tasks`: one for each way in which a backend can be reached. */

import {
  type Addresses,
  BRIDGE,
  CONTAINER_PORT,
  type Family,
  HOST,
  HOST_PORT,
  LITERAL,
  OTHER,
  OWN,
  PUBLISHED,
  PUBLISHED_PORT,
  VIP_PORT,
} from './cluster.ts';

/** Ways in which a backend is reached; each has VIPs of its own. */
export const BACKENDS = ['host', 'published', 'own', 'other'] as const;
export type BackendName = (typeof BACKENDS)[number];

/** The IP VIP in front of that backend. */
export function literalVip(backend: BackendName, family: Family): string {
  return `${LITERAL[family]}${BACKENDS.indexOf(backend) + 1}`;
}

function labels(backend: BackendName, families: readonly Family[]): Readonly<Record<string, string>> {
  const values = [
    `/${backend}:${VIP_PORT}`,
    ...families.map((family) => `${literalVip(backend, family)}:80`),
  ];
  return Object.fromEntries(values.map((value, index) => [`VIP_${index}`, value]));
}

/** What every task has, running on the agent of that name. */
function task(app: string, host: string) {
  return {
    id: `${app.slice(1).replaceAll('/', '_')}.c9e1f0c2-0001-11e8-a6fa-e2d3821ae5ef`,
    appId: app,
    host,
    slaveId: '2fe1bab0-d44b-4665-8ac0-29196e6980c5-S1',
    state: 'TASK_RUNNING',
    stagedAt: '2026-01-01T00:00:00.000Z',
    startedAt: '2026-01-01T00:00:01.000Z',
    version: '2026-01-01T00:00:00.000Z',
    healthCheckResults: [],
    localVolumes: [],
  };
}

const ipAddresses = ({ ipv4, ipv6 }: Addresses) => [
  { ipAddress: ipv4, protocol: 'IPv4' },
  { ipAddress: ipv6, protocol: 'IPv6' },
];

/** On the network of its agent, which Marathon knows by an address of that family. */
function hostNetworkApp(backend: BackendName, agent: Addresses, family: Family) {
  const id = `/${backend}-${family}`;
  return {
    id,
    networks: [{ mode: 'host' }],
    portDefinitions: [{ port: 10_000, protocol: 'tcp,udp', name: 'main', labels: labels(backend, [family]) }],
    tasks: [
      {
        ...task(id, agent[family]),
        ports: [HOST_PORT],
        ipAddresses: [{ ipAddress: agent[family], protocol: family === 'ipv4' ? 'IPv4' : 'IPv6' }],
      },
    ],
  };
}

/** In a container behind the runtime's bridge, with a port of its agent. */
function publishedApp(id: string, family: Family, vips = labels('published', [family])) {
  return {
    id,
    networks: [{ mode: 'container/bridge' }],
    container: {
      type: 'DOCKER',
      docker: { image: 'web', forcePullImage: false, privileged: false, parameters: [] },
      volumes: [],
      portMappings: [
        {
          containerPort: CONTAINER_PORT,
          hostPort: 0,
          protocol: 'tcp,udp',
          servicePort: 10_001,
          name: 'main',
          labels: vips,
        },
      ],
    },
    portDefinitions: null,
    tasks: [{ ...task(id, HOST[family]), ports: [PUBLISHED_PORT], ipAddresses: ipAddresses(PUBLISHED) }],
  };
}

/** In a container that has an address of its own in the cluster's network. */
function ownAddressApp() {
  const id = '/own';
  return {
    id,
    networks: [{ mode: 'container', name: 'overlay' }],
    container: {
      type: 'MESOS',
      volumes: [],
      portMappings: [
        {
          containerPort: CONTAINER_PORT,
          protocol: 'tcp,udp',
          servicePort: 10_002,
          name: 'main',
          labels: labels('own', ['ipv4', 'ipv6']),
        },
      ],
    },
    portDefinitions: null,
    tasks: [{ ...task(id, HOST.ipv4), ports: [], ipAddresses: ipAddresses(OWN) }],
  };
}

/** VIPs of a family that the agent's address does not have: the kernel cannot translate between families. */
export const IMPOSSIBLE: readonly { readonly app: string; readonly vip: string; readonly agent: Family }[] = [
  { app: '/mixed-ipv4', vip: `${LITERAL.ipv6}9`, agent: 'ipv4' },
  { app: '/mixed-ipv6', vip: `${LITERAL.ipv4}9`, agent: 'ipv6' },
];

/** Addresses that belong to someone: this host, its bridge, a known agent. */
export const TAKEN: readonly string[] = [
  HOST.ipv4,
  HOST.ipv6,
  BRIDGE.ipv4,
  BRIDGE.ipv6,
  OTHER.ipv4,
  OTHER.ipv6,
];

/** Asks for those addresses as IP VIPs. */
export const GREEDY_APP = publishedApp(
  '/greedy',
  'ipv4',
  Object.fromEntries(TAKEN.map((address, index) => [`VIP_${index}`, `${address}:${VIP_PORT}`])),
);

/** One app or two for each of the backends, and those that cannot work. */
export const APPS: readonly unknown[] = [
  hostNetworkApp('host', HOST, 'ipv4'),
  hostNetworkApp('host', HOST, 'ipv6'),
  publishedApp('/published-ipv4', 'ipv4'),
  publishedApp('/published-ipv6', 'ipv6'),
  ownAddressApp(),
  hostNetworkApp('other', OTHER, 'ipv4'),
  hostNetworkApp('other', OTHER, 'ipv6'),
  ...IMPOSSIBLE.map(({ app, vip, agent }) => publishedApp(app, agent, { VIP_0: `${vip}:${VIP_PORT}` })),
];
