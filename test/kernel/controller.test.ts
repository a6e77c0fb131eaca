import { readFile, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { command, eventually, IN_LAB, ipvsadm, shell, TestHost } from '../support/host.ts';
import { createNetwork, HOST_AND_CONTAINER, type Network } from '../support/network.ts';
import { nodeArguments } from '../support/program.ts';

const VIP = '11.134.217.55:5555';
// A process starts in seconds there, and each test starts several.
const inLab = IN_LAB ? describe : describe.skip;
if (!IN_LAB)
  console.warn('kernel tests skipped: they change the IPVS table, run them with `npm test` (in the lab)');

/** Two instances of the documentation's example on this host. */
function myService(...ports: readonly number[]) {
  return {
    id: '/my-service',
    portDefinitions: [{ protocol: 'tcp', port: 5555, labels: { VIP_0: '/my-service:5555' }, name: 'my-vip' }],
    tasks: ports.map((port) => ({
      id: `my-service.${port}`,
      host: '10.9.0.1',
      ports: [port],
      state: 'TASK_RUNNING',
      startedAt: '2026-01-01T00:00:00.000Z',
    })),
  };
}

function literal(...ports: readonly number[]) {
  return {
    ...myService(...ports),
    id: '/literal',
    portDefinitions: [{ port: 80, labels: { VIP_0: '192.168.77.7:80' } }],
  };
}

inLab('the controller on a real kernel', () => {
  let network: Network;
  let host: TestHost;
  const servers: Server[] = [];

  beforeAll(async () => {
    network = await createNetwork(HOST_AND_CONTAINER);
    for (const port of [31000, 31001, 31002]) {
      const server = createServer((request, response) =>
        response.end(`${port} ${request.socket.remoteAddress}\n`),
      );
      await new Promise<void>((resolve) => server.listen(port, '10.9.0.1', resolve));
      servers.push(server);
    }
  });
  afterAll(async () => {
    for (const server of servers) server.close();
    await network.remove();
  });
  beforeEach(async () => {
    host = await TestHost.open();
  });
  afterEach(() => host.close());

  async function apps(...all: readonly unknown[]): Promise<string> {
    const path = host.path('apps.json');
    await writeFile(`${path}.new`, JSON.stringify({ apps: all }));
    await shell(`mv ${path}.new ${path}`);
    return `file=${path}`;
  }

  const asDesired = [
    `-A -t ${VIP} -s wlc`,
    `-a -t ${VIP} -r 10.9.0.1:31000 -m -w 1`,
    `-a -t ${VIP} -r 10.9.0.1:31001 -m -w 1`,
  ];

  test('a diff says what would be done and changes nothing; a pass does it; the next finds nothing to do', async () => {
    const source = await apps(myService(31000, 31001));
    const args = ['--source', source, ...host.places()];
    const before = await host.marathonIpvs('diff', '-o', 'ipvsadm', ...args);
    expect(before).toMatchObject({ status: 1, stderr: '' });
    // The order of the two is this host's own.
    expect(before.stdout.trim().split('\n').sort()).toEqual(asDesired);
    expect(await ipvsadm()).toEqual([]);

    expect(await host.marathonIpvs('run', '--once', ...args)).toMatchObject({ status: 0, stderr: '' });
    expect(await ipvsadm()).toEqual(asDesired);

    const after = await host.marathonIpvs('diff', '-o', 'json', ...args);
    expect(after.status).toBe(0);
    expect(JSON.parse(after.stdout)).toMatchObject({
      summary: { add: 0, change: 0, remove: 0, keep: 1 },
      steps: [],
    });
  });

  test('clients on this host and in a container reach every backend of a named VIP and of an IP VIP', async () => {
    const source = await apps(myService(31000, 31001), literal(31002));
    expect(await host.marathonIpvs('run', '--once', '--source', source, ...host.places())).toMatchObject({
      status: 0,
      stderr: '',
    });
    const ask = async (from: readonly string[], vip: string) =>
      (await command('env', ...from, 'curl', '-s', '-m', '5', `http://${vip}/`)).stdout;
    const container = ['ip', 'netns', 'exec', 'client'];

    const fromHost = [await ask([], VIP), await ask([], VIP)].sort();
    expect(fromHost).toEqual(['31000 10.9.0.1\n', '31001 10.9.0.1\n']);
    const fromContainer = [await ask(container, VIP), await ask(container, VIP)].sort();
    expect(fromContainer).toEqual(['31000 10.8.0.2\n', '31001 10.8.0.2\n']);
    expect(await ask([], '192.168.77.7:80')).toBe('31002 10.9.0.1\n');
    expect(await ask(container, '192.168.77.7:80')).toBe('31002 10.8.0.2\n');

    await apps(myService(31000));
    expect(await host.marathonIpvs('run', '--once', '--source', source, ...host.places())).toMatchObject({
      status: 0,
    });
    expect(await shell('ip route show table local dev vip0')).not.toContain('192.168.77.7');
  });

  test('a mass removal is not done by one pass, which does the rest and ends with 2, unless it is allowed (rule 4)', async () => {
    const args = ['--source', await apps(myService(31000, 31001), literal(31002)), ...host.places()];
    expect(await host.marathonIpvs('run', '--once', ...args)).toMatchObject({ status: 0 });
    const before = await ipvsadm();
    await apps({
      ...myService(31005),
      id: '/other',
      portDefinitions: [{ port: 1, labels: { VIP_0: '/other:80' } }],
    });

    const { status, stdout, stderr } = await host.marathonIpvs('run', '--once', ...args);
    expect(status).toBe(2);
    expect(stderr).toContain(
      'not done: 2 of 2 VIPs and 3 of 3 backends in rotation would be removed at once',
    );
    expect(stdout).toContain('held: no source mentions it any more');
    const after = await ipvsadm();
    expect(after).toEqual(expect.arrayContaining(before));
    expect(after).toHaveLength(before.length + 2);

    expect(await host.marathonIpvs('run', '--once', '--allow-mass-removal', ...args)).toMatchObject({
      status: 0,
    });
    expect(await ipvsadm()).toHaveLength(2);
  });

  test('services of other programs stay as they are: not removed, not changed, not flushed by cleanup (rule 1)', async () => {
    await shell('ipvsadm -A -t 172.16.5.5:443 -s rr; ipvsadm -a -t 172.16.5.5:443 -r 172.16.5.6:443 -g -w 7');
    await shell('ipvsadm -A -t 192.168.77.7:80 -s sh; ipvsadm -A -f 9 -s rr');
    const foreign = await ipvsadm();
    const args = ['--source', await apps(myService(31000), literal(31000)), ...host.places()];

    const { status, stderr } = await host.marathonIpvs('run', '--once', ...args);
    expect(status).toBe(2);
    expect(stderr).toContain('tcp/192.168.77.7:80: another program created this service');
    expect(await ipvsadm()).toEqual([...foreign, ...asDesired.slice(0, 2)].sort());

    expect(await host.marathonIpvs('cleanup', '--ledger', host.path('ledger.json'))).toMatchObject({
      status: 0,
      stderr: '',
    });
    expect(await ipvsadm()).toEqual(foreign);
    expect((await command('ip', 'link', 'show', 'vip0')).status).not.toBe(0);
  });

  test('a service that dcos-net left in the pool is adopted and brought to the desired state', async () => {
    await shell(`ipvsadm -A -t ${VIP} -s rr -p 60; ipvsadm -a -t ${VIP} -r 10.9.0.1:9 -m -w 1`);
    const args = ['--source', await apps(myService(31000, 31001)), ...host.places()];
    const diff = await host.marathonIpvs('diff', '-o', 'json', ...args);
    expect(JSON.parse(diff.stdout).services).toMatchObject([{ op: 'change', adopted: true }]);
    expect(await host.marathonIpvs('run', '--once', ...args)).toMatchObject({ status: 0 });
    expect(await ipvsadm()).toEqual(asDesired);
  });

  test('what someone changes with ipvsadm or ip is put back on request and counted by field', async () => {
    const controller = await host.start('--source', await apps(myService(31000, 31001)));
    await controller.ready();
    expect(await ipvsadm()).toEqual(asDesired);

    await shell(
      `ipvsadm -E -t ${VIP} -s rr; ipvsadm -d -t ${VIP} -r 10.9.0.1:31000; ipvsadm -e -t ${VIP} -r 10.9.0.1:31001 -m -w 50`,
    );
    controller.signal('SIGHUP');
    await eventually(async () => (await ipvsadm()).join() === asDesired.join());
    for (const field of ['scheduler', 'weight', 'removed']) {
      expect(
        await eventually(() => controller.metric(`marathon_ipvs_drift_repaired_total{field="${field}"}`)),
      ).toBe(1);
    }

    for (const taking of ['ip link del vip0', 'ip link set vip0 down']) {
      await shell(taking);
      await eventually(
        async () =>
          (await shell('ip -br link show dev vip0')).includes('UP') &&
          (await shell('ip route show table local dev vip0')).includes('local 11.0.0.0/8'),
      );
    }
    expect(await controller.end()).toBe(0);
  });

  test('neither stop nor SIGKILL takes anything away, and a start that finds the kernel as desired writes nothing (rule 5)', async () => {
    const source = await apps(myService(31000, 31001));
    const first = await host.start('--source', source);
    await first.ready();
    const ledger = await readFile(host.path('ledger.json'), 'utf8');
    await first.end('SIGKILL');
    expect(await ipvsadm()).toEqual(asDesired);

    const second = await host.start('--source', source);
    await second.ready();
    expect(await second.metric('marathon_ipvs_steps_total{op="add-service"}')).toBe(0);
    expect(await second.metric('marathon_ipvs_steps_total{op="add-backend"}')).toBe(0);
    expect(await second.end('SIGTERM')).toBe(0);
    expect(await ipvsadm()).toEqual(asDesired);
    expect(await readFile(host.path('ledger.json'), 'utf8')).toBe(ledger);
  });

  test('a source that breaks changes nothing, while it runs and over a restart (rule 3)', async () => {
    const source = await apps(myService(31000, 31001));
    const controller = await host.start('--source', source);
    await controller.ready();
    await eventually(async () => (await shell(`ls ${host.path('state')}`)).includes('source-'));

    await writeFile(host.path('apps.json'), '{"apps":[');
    await eventually(() => controller.metric(`marathon_ipvs_source_failures_total{source="${source}"}`));
    controller.signal('SIGHUP');
    expect(await ipvsadm()).toEqual(asDesired);
    expect((await controller.get('/readyz?verbose')).status).toBe(200);
    await controller.end();

    await shell('ipvsadm -C');
    const restarted = await host.start('--source', source);
    await eventually(async () => (await ipvsadm()).join() === asDesired.join());
    await restarted.end();
  });

  test('a file that changes reaches the kernel without a resync', async () => {
    const controller = await host.start('--source', await apps(myService(31000)), '--resync-seconds', '3600');
    await controller.ready();
    await apps(myService(31000, 31001), literal(31001));
    await eventually(async () => (await ipvsadm()).length === 5);
    await apps(myService(31001));
    await eventually(async () => (await ipvsadm()).join() === [asDesired[0], asDesired[2]].join());
    await controller.end();
  });

  test('without CAP_NET_ADMIN one line says so and what mends it', async () => {
    const source = await apps(myService(31000));
    await shell(`chmod -R a+rX ${host.directory}`);
    const { status, stderr } = await command(
      'setpriv',
      '--reuid=65534',
      '--regid=65534',
      '--clear-groups',
      '--inh-caps=-all',
      process.execPath,
      ...nodeArguments(),
      'diff',
      '--source',
      source,
      ...host.places(),
    );
    expect(status).toBe(2);
    expect(
      stderr
        .trim()
        .split('\n')
        .filter((line) => line.startsWith('marathon-ipvs:')),
    ).toHaveLength(1);
    expect(stderr).toContain('CAP_NET_ADMIN');
  });
});
