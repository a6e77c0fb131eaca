import { writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { whyDocument } from '../../controller/why/document.ts';
import { IN_LAB, shell, TestHost } from '../support/host.ts';
import { type Breakage, DECLARED, TABLE } from './why-breakages.ts';

const inLab = IN_LAB ? describe : describe.skip;

interface TaskGiven {
  readonly port: number;
  readonly state?: string;
  readonly alive?: boolean;
}

/** An app of which each task listens on this host. */
function app(id: string, label: string, tasks: readonly TaskGiven[], more: Record<string, string> = {}) {
  const checked = tasks.some(({ alive }) => alive !== undefined) || id === '/young';
  return {
    id,
    portDefinitions: [{ protocol: 'tcp', port: 0, labels: { VIP_0: label, ...more } }],
    ...(checked && { healthChecks: [{ protocol: 'MESOS_TCP', portIndex: 0 }] }),
    tasks: tasks.map(({ port, state = 'TASK_RUNNING', alive }) => ({
      id: `${id.slice(1)}.${port}`,
      host: '10.9.0.1',
      ports: [port],
      state,
      startedAt: '2026-01-01T00:00:00.000Z',
      ...(alive !== undefined && { healthCheckResults: [{ alive }] }),
    })),
  };
}

const APPS = [
  app('/my-service', '/my-service:5555', [{ port: 31000 }, { port: 31001 }]),
  app('/literal', '192.168.77.7:80', [{ port: 31000 }]),
  app('/same-port', '/same-port:31000', [{ port: 31000 }]),
  app('/idle', '/idle:80', []),
  app('/bad', 'nocolon', []),
  app('/sick', '/sick:80', [{ port: 31000, alive: false }]),
  app('/young', '/young:80', [{ port: 31000 }]),
  app('/resting', '/resting:80', [{ port: 31000 }], { IPVS_WEIGHT: '0' }),
  app('/ending', '/ending:80', [{ port: 31000, state: 'TASK_KILLING' }]),
];

inLab('why, on a real kernel', () => {
  let host: TestHost;
  const servers: Server[] = [];

  beforeAll(async () => {
    await shell('ip link add agent type dummy && ip addr add 10.9.0.1/24 dev agent && ip link set agent up');
    for (const port of [31000, 31001]) {
      const server = createServer((_request, response) => response.end(`${port}\n`));
      await new Promise<void>((resolve) => server.listen(port, '10.9.0.1', resolve));
      servers.push(server);
    }
    host = await TestHost.open();
    await writeFile(host.path('apps.json'), JSON.stringify({ apps: APPS }));
    const { status, stderr } = await host.marathonIpvs('run', '--once', ...options());
    expect({ status, stderr: status === 0 ? '' : stderr }).toEqual({ status: 0, stderr: '' });
  });
  afterAll(async () => {
    for (const server of servers) server.close();
    await host.close();
    await shell('ip link del agent');
  });

  const options = () => [
    ...host.places(),
    ...['--source', `file=${host.path('apps.json')}`, '--dns-listen', 'off'],
  ];

  async function why(asked: string, ...args: readonly string[]) {
    const { status, stdout, stderr } = await host.marathonIpvs(
      'why',
      asked,
      '-o',
      'json',
      ...options(),
      ...args,
    );
    if (stdout === '') throw new Error(stderr);
    return { status, ...whyDocument.parse(JSON.parse(stdout)) };
  }

  async function namesTheCause({
    cause,
    ask = 'my-service',
    breaks = 'true',
    mends = 'true',
    proof,
    options: more = [],
  }: Breakage) {
    await shell(breaks);
    try {
      const { status, ways } = await why(ask, ...more);
      const [way] = ways;
      expect({ status, cause: way?.cause, steps: way?.steps }).toMatchObject({ status: 1, cause });
      const last = way?.steps.at(-1);
      expect(last?.fix).not.toBeNull();
      expect(last?.found).toMatch(proof ?? /./);
    } finally {
      await shell(mends);
    }
  }

  test('a VIP that works is said to work', async () => {
    const { status, ways, from } = await why('my-service');
    expect({ status, from, ways }).toMatchObject({
      status: 0,
      from: 'sources',
      ways: [{ verdict: 'works' }],
    });
  });

  test.each(DECLARED)('$cause: $by', namesTheCause);
  test.each(TABLE)('$cause: $by', namesTheCause);
});
