import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { readSlice } from '../../../controller/kubernetes/endpoint-slice.ts';
import type { App } from '../../../controller/model/app.ts';
import type { Desired } from '../../../controller/model/desired.ts';
import { createFileSource } from '../../../controller/source/file/source.ts';
import { readDeclaration } from '../../../controller/source/kubernetes/declaration.ts';
import { tasksOf } from '../../../controller/source/kubernetes/tasks.ts';
import { app, nothingRemembered, snapshot } from '../../support/builders.ts';
import { lines, translator } from '../desired/support.ts';
import { namesOf, silent } from './support.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'addresses-'));
});
afterEach(() => rm(directory, { recursive: true }));

/** What follows from these documents, each a file of its own; agents' host names are looked up in `names`. */
async function desiredOf(documents: readonly object[], names: Record<string, string> = {}): Promise<Desired> {
  for (const [index, json] of documents.entries())
    await writeFile(join(directory, `${index}.json`), JSON.stringify(json));
  const source = createFileSource({ path: directory, resolver: namesOf(names), log: silent });
  return translator()(await source.read(new AbortController().signal), nothingRemembered);
}

const running = { state: 'TASK_RUNNING' };
const GOOD = '172.20.0.5';

/** An app with a container at each address, by the API of each source. */
const SOURCES: Readonly<Record<string, (addresses: readonly string[]) => Promise<Desired>>> = {
  'an app of Marathon': (addresses) =>
    desiredOf([
      {
        id: '/web',
        networks: [{ mode: 'container', name: 'n' }],
        container: { portMappings: [{ containerPort: 80, labels: { VIP_0: '/web:80' } }] },
        tasks: addresses.map((ipAddress, index) => ({
          ...running,
          id: `web.${index}`,
          host: '10.0.0.1',
          ports: [],
          ipAddresses: [{ ipAddress }],
        })),
      },
    ]),
  'a pod of Marathon': (addresses) =>
    desiredOf([
      {
        id: '/web',
        spec: {
          networks: [{ mode: 'container', name: 'n' }],
          containers: [
            {
              name: 'c',
              endpoints: [{ name: 'h', containerPort: 80, protocol: ['tcp'], labels: { VIP_0: '/web:80' } }],
            },
          ],
        },
        instances: addresses.map((address, index) => ({
          id: `i${index}`,
          agentHostname: '10.0.0.1',
          networks: [{ name: 'n', addresses: [address] }],
          containers: [{ name: 'c', status: running.state, containerId: `c${index}` }],
        })),
      },
    ]),
  Mesos: (addresses) =>
    desiredOf([
      mesos(
        addresses.map((address, index) => ({
          id: `web.${index}`,
          discovery: {
            ports: {
              ports: [
                {
                  number: 80,
                  protocol: 'tcp',
                  labels: {
                    labels: [
                      { key: 'VIP_0', value: '/web:80' },
                      { key: 'network-scope', value: 'container' },
                    ],
                  },
                },
              ],
            },
          },
          statuses: [
            {
              ...running,
              timestamp: 1,
              container_status: { network_infos: [{ ip_addresses: [{ ip_address: address }] }] },
            },
          ],
        })),
      ),
    ]),
  'EndpointSlices of Kubernetes': async (addresses) =>
    translated(
      inKubernetes(
        {
          id: '/web',
          networks: [{ mode: 'container', name: 'n' }],
          container: { portMappings: [{ containerPort: 80, labels: { VIP_0: '/web:80' } }] },
        },
        addresses,
      ),
    ),
};

/** The app of a MarathonApp whose EndpointSlices have these addresses. */
function inKubernetes(definition: object, addresses: readonly string[]): App {
  const declaration = readDeclaration(
    {
      metadata: { name: 'web', namespace: 'shop', resourceVersion: '1' },
      spec: { endpoints: { service: 'web' }, app: definition },
    },
    'shop/web',
  );
  if (!('selector' in declaration)) throw new Error(declaration.reason);
  const slices = addresses.map((address, index) =>
    readSlice({
      metadata: { name: `web-${index}`, namespace: 'shop', resourceVersion: '1' },
      addressType: address.includes(':') ? 'IPv6' : 'IPv4',
      ports: [{ protocol: 'TCP', port: 80 }],
      endpoints: [{ addresses: [address] }],
    }),
  );
  const tasks = tasksOf(declaration, slices, undefined);
  return app(declaration.id, { ports: declaration.ports.map(({ port }) => port), tasks });
}

function translated(...apps: readonly App[]): Desired {
  return translator()(snapshot(...apps), nothingRemembered);
}

/** The old state of a Mesos master, with an agent on which nothing runs. */
function mesos(tasks: readonly object[]): object {
  const common = { ...running, name: 'web', framework_id: 'F0', slave_id: 'S0' };
  return {
    id: 'm',
    slaves: [
      { id: 'S0', hostname: '10.0.0.1' },
      { id: 'S1', hostname: 'idle' },
    ],
    frameworks: [{ id: 'F0', name: 'marathon', tasks: tasks.map((task) => ({ ...common, ...task })) }],
  };
}

describe.each(Object.entries(SOURCES))('by the word of %s', (_, desiredFor) => {
  test.each([
    '127.0.0.1',
    '0.0.0.0',
    '169.254.7.7',
    '224.0.0.5',
    '255.255.255.255',
    '11.0.0.9',
    '::',
    '::1',
    'FE80::1',
    'ff02::1',
    '::ffff:10.1.2.3',
    'fd01:c::9',
  ])('a task at %s is no backend and is reported, and the other one is', async (address) => {
    const { services, warnings, rejected } = await desiredFor([address, GOOD]);
    expect([...services.values()].flatMap(({ backends }) => [...backends.keys()])).toEqual([`${GOOD}:80`]);
    expect(warnings).toMatchObject([expect.stringMatching(/^\/web \S+\[0\]: task \S+ is not a backend: /)]);
    expect(rejected).toEqual([]);
  });
});

test.each(['fe80::1%eth0', '010.0.0.1', '10.0.0.256'])(
  'a container whose address is reported as %s is reported, since that is no IP address',
  async (address) => {
    const { services, warnings } = (await SOURCES['an app of Marathon']?.([address, GOOD])) ?? raise();
    expect([...services.values()].flatMap(({ backends }) => [...backends.keys()])).toEqual([`${GOOD}:80`]);
    expect(warnings).toEqual([
      `/web container.portMappings[0]: task web.0 is not a backend: expected IP addresses without a zone, got ${address}`,
    ]);
  },
);

function raise(): never {
  throw new Error('no such source');
}

const VIP_PORT = { labels: { VIP_0: '/web:80' } };

describe('no VIP takes an address that a source reports', () => {
  const taker = (address: string) => ({
    id: '/taker',
    cmd: 'x',
    portDefinitions: [{ port: 0, labels: { VIP_0: `${address}:80` } }],
    tasks: [{ ...running, id: 'taker.1', host: '10.20.0.9', ports: [31000] }],
  });
  const reasons = ({ rejected }: Desired) => rejected.map(({ app: id, reason }) => `${id}: ${reason}`);

  test('that of an agent where a task without ports runs, given by name', async () => {
    const batch = {
      id: '/batch',
      cmd: 'x',
      portDefinitions: [],
      tasks: [{ ...running, id: 'batch.1', host: 'agent8', ports: [] }],
    };
    const desired = await desiredOf([taker('10.20.0.8'), batch], { agent8: '10.20.0.8' });
    expect(reasons(desired)).toEqual(['/taker: it is the address of an agent']);
    expect(lines(desired)).toEqual([]);
  });

  test('that of an agent whose task is reached in its container', async () => {
    const inside = {
      id: '/web',
      networks: [{ mode: 'container', name: 'overlay' }],
      container: { portMappings: [{ containerPort: 8080 }] },
      tasks: [
        { ...running, id: 'web.1', host: '10.20.0.7', ports: [], ipAddresses: [{ ipAddress: '9.0.7.2' }] },
      ],
    };
    expect(reasons(await desiredOf([taker('10.20.0.7'), inside]))).toEqual([
      '/taker: it is the address of an agent',
    ]);
    expect(reasons(await desiredOf([taker('9.0.7.2'), inside]))).toEqual([
      '/taker: it is the address of task web.1, which runs in a container',
    ]);
  });

  test("that of a pod's instance without endpoints, and of its agent", async () => {
    const pod = {
      id: '/pod',
      spec: { networks: [{ mode: 'container', name: 'n' }], containers: [{ name: 'c' }] },
      instances: [
        {
          id: 'i',
          agentHostname: '10.20.0.7',
          networks: [{ name: 'n', addresses: ['9.0.7.3'] }],
          containers: [{ name: 'c', status: 'TASK_RUNNING', containerId: 'pod.1' }],
        },
      ],
    };
    expect(reasons(await desiredOf([taker('10.20.0.7'), pod]))).toEqual([
      '/taker: it is the address of an agent',
    ]);
    expect(reasons(await desiredOf([taker('9.0.7.3'), pod]))).toEqual([
      '/taker: it is the address of task pod.1, which runs in a container',
    ]);
  });

  test.each([
    ['in bridge mode', { networks: [{ mode: 'container/bridge' }], container: { portMappings: [VIP_PORT] } }],
    ['on the host network', { portDefinitions: [VIP_PORT] }],
  ])('that of a pod of Kubernetes, whose app is defined %s', (_, definition) => {
    const web = inKubernetes({ id: '/web', ...definition }, ['10.244.1.7']);
    const taking = inKubernetes(
      { id: '/taker', portDefinitions: [{ labels: { VIP_0: '10.244.1.7:80' } }] },
      [],
    );
    expect(reasons(translated(web, taking))).toEqual([
      '/taker: it is the address of task 10.244.1.7, which runs in a container',
    ]);
    const { warnings } = translated(inKubernetes({ id: '/web', ...definition }, ['127.0.0.1']));
    expect(warnings).toEqual([expect.stringMatching(/task 127\.0\.0\.1 is not a backend: its address 127/)]);
  });

  test('that of an agent of Mesos on which nothing runs', async () => {
    const desired = await desiredOf([taker('10.20.0.8'), mesos([])], { idle: '10.20.0.8' });
    expect(reasons(desired)).toEqual(['/taker: it is the address of an agent']);
  });
});
