import { writeFile } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { unusableAsBackend } from '../../controller/address.ts';
import { eventually, IN_LAB, ipvsadm, shell, TestHost } from '../support/host.ts';
import { createNetwork, type Network } from '../support/network.ts';

const inLab = IN_LAB ? describe : describe.skip;

const USABLE = [
  ...['10.9.0.5', '10.9.0.1', '100.64.0.1', '192.0.2.1', '198.18.0.1', '240.0.0.1', '255.255.255.254'],
  ...['fd09::5', 'fd09::1', '2001:db8::1', '2002:a00:1::1', '64:ff9b::a09:5', 'fec0::1'],
];
/** What the kernel itself takes for no destination. */
const REFUSED = [
  ...['0.0.0.0', '224.0.0.5', '239.1.1.1', '255.255.255.255'],
  ...['::', '::ffff:10.9.0.5', 'fe80::1', 'ff02::1'],
];
/** What it takes although nobody, or somebody else, is there. */
const DANGEROUS = ['0.1.2.3', '127.0.0.1', '127.0.1.1', '169.254.7.7', '::1', '::a09:5', '100::1'];

/** An app with a task in a container at each address, the first of which can be reached. */
const appAt = (id: string, ...addresses: readonly string[]) => ({
  id,
  networks: [{ mode: 'container', name: 'n' }],
  container: { portMappings: [{ containerPort: 80, labels: { VIP_0: `${id}:80` } }] },
  tasks: addresses.map((ipAddress, index) => ({
    id: `${id.slice(1)}.${index}`,
    host: '10.9.0.1',
    state: 'TASK_RUNNING',
    ports: [],
    ipAddresses: [{ ipAddress }],
  })),
});

inLab('addresses, as the kernel of this host takes them', () => {
  let network: Network;
  let host: TestHost;

  beforeAll(async () => {
    network = await createNetwork({
      here: {
        bridges: { agents: ['10.9.0.1/24', 'fd09::1/64'] },
        routes: ['default via 10.9.0.2', 'default via fd09::2'],
      },
    });
  });
  afterAll(() => network.remove());
  beforeEach(async () => {
    host = await TestHost.open();
  });
  afterEach(() => host.close());

  async function apps(...all: readonly unknown[]): Promise<string> {
    await writeFile(host.path('apps.json'), JSON.stringify({ apps: all }));
    return `file=${host.path('apps.json')}`;
  }

  /** Those of the addresses that the kernel takes as a destination, all in one process: each costs a second here. */
  async function taken(addresses: readonly string[]): Promise<string[]> {
    const tries = addresses.map((address) => {
      const v6 = address.includes(':');
      const [vip, at] = v6 ? ['[fd01:c::1]:80', `[${address}]:80`] : ['11.0.0.1:80', `${address}:80`];
      return `ipvsadm -a -t ${vip} -r ${at} -m 2>/dev/null && echo ${address}`;
    });
    const services = 'ipvsadm -A -t 11.0.0.1:80 -s wlc; ipvsadm -A -t [fd01:c::1]:80 -s wlc';
    return (await shell(`${services}; ${tries.join('; ')}; true`)).split('\n').filter(Boolean);
  }

  test('it takes every address that can be a backend, and of those that can be none only some, which are dangerous', async () => {
    expect(await taken([...USABLE, ...REFUSED, ...DANGEROUS])).toEqual([...USABLE, ...DANGEROUS]);
    expect(USABLE.map(unusableAsBackend).filter((reason) => reason !== null)).toEqual([]);
    expect([...REFUSED, ...DANGEROUS].filter((address) => unusableAsBackend(address) === null)).toEqual([]);
  });

  test('a pass over an app with all of them has nothing to complain of, and leaves no service without a backend', async () => {
    const unusable = [...REFUSED, ...DANGEROUS, '10.9.0.255', '198.51.100.4', '11.0.0.9'];
    const source = await apps(appAt('/web', '10.9.0.5', ...unusable), appAt('/none', ...unusable));
    const done = await host.marathonIpvs(
      'run',
      '--once',
      '--source',
      source,
      '--packet-filter',
      'none',
      ...host.places(),
    );
    expect(done).toMatchObject({ status: 0 });
    const table = await ipvsadm();
    expect(table).toHaveLength(2);
    expect(table[1]).toContain('-r 10.9.0.5:80');
    for (const address of unusable) expect(done.stdout).toContain(` ${address} is `);
  });

  test('what the kernel refuses for reasons of its own is an exception of /readyz, and its service has no backend', async () => {
    // Only the kernel knows of this broadcast address.
    await shell('ip addr add 10.9.7.1/24 broadcast 10.9.7.77 dev agents');
    const source = await apps(appAt('/web', '10.9.0.5'), appAt('/none', '10.9.7.77'));
    const controller = await host.start('--source', source, '--packet-filter', 'none', '--dns-listen', 'off');
    await controller.ready();
    const { body } = await eventually(async () => {
      const answer = await controller.get('/readyz?verbose');
      if (answer.status !== 200 || !answer.body.includes('10.9.7.77')) throw new Error(answer.body);
      return answer;
    }, 'the kernel has refused it');
    expect(body).toContain('[+]kernel ok: 1 backend address left out');
    expect(await ipvsadm()).toHaveLength(3);
    await shell('ip addr del 10.9.7.1/24 dev agents');
  });

  test('a host that a VIP has cut off from its source finds back, without ever having read it', async () => {
    const taker = {
      id: '/taker',
      cmd: 'x',
      portDefinitions: [{ port: 0, labels: { VIP_0: '10.77.0.9:9' } }],
      tasks: [{ id: 'taker.1', host: '10.9.0.5', state: 'TASK_RUNNING', ports: [31000] }],
    };
    const options = ['--packet-filter', 'none', ...host.places()];
    await host.marathonIpvs('run', '--once', '--source', await apps(taker), ...options);
    expect(await shell('ip route get 10.77.0.9')).toMatch(/^local /);

    await writeFile(host.path('hosts'), '127.0.0.1 localhost\n10.77.0.9 marathon.test\n');
    await shell(`mount --bind ${host.path('hosts')} /etc/hosts`);
    try {
      const controller = await host.start(
        ...[
          '--source',
          'marathon=http://marathon.test:8080',
          '--packet-filter',
          'none',
          '--dns-listen',
          'off',
        ],
      );
      await eventually(async () => {
        const route = await shell('ip route get 10.77.0.9');
        if (route.startsWith('local')) throw new Error(`${route}\n${controller.log}`);
        return true;
      }, 'the source can be reached again');
      await eventually(async () => (await ipvsadm()).length === 0, 'the table is empty');
      expect(controller.log).toContain('"VIP withdrawn"');
      await controller.end();
    } finally {
      await shell('umount /etc/hosts');
    }
  });
});
