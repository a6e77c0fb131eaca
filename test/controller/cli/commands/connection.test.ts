import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { command, type Outcome } from '../../../support/host.ts';
import { startMarathon } from '../../../support/marathon/start-marathon.ts';
import { startMesos, type TestMesos } from '../../../support/mesos/start-mesos.ts';

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));
const UUID = '0ef76549-2630-11e8-af52-70b3d5800001';
let mesos: TestMesos;

beforeEach(async () => {
  mesos = await startMesos();
  const { cluster } = mesos;
  cluster.addFramework('f-1', 'marathon');
  cluster.addFramework('f-2', 'kafka');
  const brokers = [
    ['10.0.0.214', 9689, 2],
    ['10.0.0.211', 9843, 0],
    ['10.0.0.217', 10056, 1],
  ] as const;
  for (const [host, number, index] of brokers) {
    cluster.addAgent(`S${index}`, host);
    cluster.addTask({
      id: `broker-${index}__${UUID}`,
      name: `broker-${index}`,
      framework: 'f-2',
      agent: `S${index}`,
      addresses: [host],
      ports: [{ number, labels: { VIP_1: 'broker:9092' } }],
    });
  }
});

afterEach(() => mesos.close());

async function marathonIpvs(...args: readonly string[]): Promise<Outcome> {
  return await command(join(ROOT, 'controller', 'marathon-ipvs'), ...args);
}

const connection = (...args: readonly string[]) =>
  marathonIpvs('connection', ...args, '--source', `mesos=${mesos.urls[0]}`);

describe('connection', () => {
  const FIXTURE = new URL('../../../../../shared/fixtures/kafka-connection-1.8.json', import.meta.url);
  const expected = existsSync(FIXTURE)
    ? JSON.parse(readFileSync(FIXTURE, 'utf8'))
    : { vip: 'broker.kafka.l4lb.thisdcos.directory:9092' };

  test('prints what `dcos kafka connection` printed, from the current state of Mesos', async () => {
    const { status, stdout, stderr } = await connection('kafka');
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(JSON.parse(stdout)).toMatchObject(expected);
    const named = await connection('/kafka', 'broker:9092', '-o', 'text');
    expect(named.stdout).toContain('address    10.0.0.211:9843 10.0.0.217:10056 10.0.0.214:9689\n');
  });

  test('without a service lists those that have VIPs', async () => {
    expect(await connection()).toEqual({ status: 0, stdout: '[\n    "kafka"\n]\n', stderr: '' });
    expect((await connection('-o', 'text')).stdout).toBe(
      'kafka  broker:9092  broker.kafka.l4lb.thisdcos.directory:9092  3 backends\n',
    );
  });

  test.each([
    [['cassandra'], 'connection: no service "cassandra" has a VIP, expected one of kafka'],
    [['kafka', 'admin'], 'connection: kafka has no endpoint "admin", expected one of broker:9092'],
    [
      ['kafka', '-o', 'ipvsadm'],
      '--output on the command line: "ipvsadm" is not accepted, expected one of json, text with connection',
    ],
  ])('%j is told in one line with what there is', async (args, message) => {
    const { status, stdout, stderr } = await connection(...args);
    expect({ status, stdout, stderr }).toEqual({
      status: 2,
      stdout: '',
      stderr: `marathon-ipvs: ${message}\n`,
    });
  });
});

test('with Marathon and Mesos both given a task is one backend, and Marathon’s verdict on it counts', async () => {
  const marathon = await startMarathon({
    processes: false,
    simulatedHealth: 'healthy',
    agents: [{ hostname: '10.0.0.9' }],
  });
  try {
    await marathon.addApp({
      id: '/shop/web',
      cmd: 'x',
      instances: 2,
      portDefinitions: [{ port: 0, labels: { VIP_0: '/web:80' } }],
      healthChecks: [{ protocol: 'HTTP', path: '/' }],
    });
    mesos.cluster.addAgent('S9', '10.0.0.9');
    for (const task of marathon.tasks('/shop/web')) {
      const [number] = task['ports'] as readonly number[];
      const ports = [{ number: number ?? 0, labels: { VIP_0: '/web:80' } }];
      const common = { framework: 'f-1', agent: 'S9', addresses: ['10.0.0.9'], name: 'web.shop' };
      mesos.cluster.addTask({ ...common, id: String(task['id']), ports });
    }
    const [first] = marathon.tasks('/shop/web');
    marathon.setHealth(String(first?.['id']), false);

    const sources = ['--source', `mesos=${mesos.urls[0]}`, '--source', `marathon=${marathon.url}`];
    const { stdout, stderr } = await marathonIpvs('diff', ...sources, '--against', 'none', '-o', 'json');
    expect(stderr).toBe('');
    const { services, declared, warnings } = JSON.parse(stdout);
    expect(services.map(({ fqdn }: { fqdn: string }) => fqdn)).toEqual([
      'broker.kafka.l4lb.thisdcos.directory',
      'web.marathon.l4lb.thisdcos.directory',
    ]);
    expect(services[1]).toMatchObject({ apps: ['/shop/web'] });
    expect(services[1].backends.map(({ weight }: { weight: number }) => weight).sort()).toEqual([0, 1]);
    expect(declared.filter(({ app }: { app: string }) => app === '/shop/web')).toHaveLength(1);
    expect(warnings).toEqual([]);
  } finally {
    await marathon.close();
  }
});
