import { writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Breakage, FROM_CLIENT, VIP } from '../kernel/why-breakages.ts';
import { WhyProcess } from '../kernel/why-process.ts';
import { IN_LAB, shell, TestHost } from '../support/host.ts';
import { createNetwork, HOST_AND_CONTAINER, type Network } from '../support/network.ts';
import { BROKEN, HEALTHY } from './why-rules.ts';

const inLab = IN_LAB ? describe : describe.skip;

const PORTS = [31000, 31001];
const APP = {
  id: '/my-service',
  portDefinitions: [{ protocol: 'tcp', port: 5555, labels: { VIP_0: '/my-service:5555' } }],
  tasks: PORTS.map((port) => ({
    id: `my-service.${port}`,
    host: '10.9.0.1',
    ports: [port],
    state: 'TASK_RUNNING',
    startedAt: '2026-01-01T00:00:00.000Z',
  })),
};

inLab('why, where other programs filter with nftables', () => {
  let network: Network;
  let host: TestHost;
  let walking: WhyProcess;
  const servers: Server[] = [];

  beforeAll(async () => {
    network = await createNetwork(HOST_AND_CONTAINER);
    for (const port of PORTS) {
      const server = createServer((_request, response) => response.end(`${port}\n`));
      await new Promise<void>((resolve) => server.listen(port, '10.9.0.1', resolve));
      servers.push(server);
    }
    host = await TestHost.open();
    await writeFile(host.path('apps.json'), JSON.stringify({ apps: [APP] }));
    const { status, stderr } = await host.marathonIpvs('run', '--once', ...options());
    if (status !== 0) throw new Error(stderr);
    walking = new WhyProcess();
  });
  afterAll(async () => {
    await walking?.end();
    for (const server of servers) server.close();
    await host?.close();
    await network?.remove();
  });

  const options = () => [
    '--source',
    `file=${host.path('apps.json')}`,
    '--dns-listen',
    'off',
    ...host.places(),
  ];

  /** What `why` says of the VIP while the rules are there. */
  async function walked({ breaks = 'true', mends = 'true', options: more = [] }: Partial<Breakage>) {
    await shell(breaks);
    try {
      return await walking.ask(`${VIP}:5555`, [...options(), ...more]);
    } finally {
      await shell(mends);
    }
  }

  test.each(BROKEN)('$cause: $by', async (breakage) => {
    const { verdict, ways } = await walked(breakage);
    const [way] = ways;
    const { cause, proof = /./ } = breakage;
    expect({ verdict, cause: way?.cause, steps: way?.steps }).toMatchObject({ verdict: 'broken', cause });
    expect(way?.steps.find((step) => step.state === 'broken')?.found).toMatch(proof);
  });

  test.each(HEALTHY)('no cause is named where connections work: $by', async (healthy) => {
    const { verdict, ways } = await walked(healthy);
    const named = ways.flatMap(({ steps }) => steps.filter(({ cause }) => cause !== null));
    expect({ verdict, named }).toEqual({ verdict: 'works', named: [] });
  });

  test('a container is a client too', async () => {
    expect(await walked({ options: FROM_CLIENT })).toMatchObject({ verdict: 'works', client: 'client' });
  });
});
