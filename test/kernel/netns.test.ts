/** VIPs in a network namespace that is not the controller's own: by its helper, on a real kernel. */

import { spawn } from 'node:child_process';
import { statSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Step } from '../../controller/model/kernel.ts';
import { enterNamespace } from '../../controller/netns/enter.ts';
import { readNamespaceFile } from '../../controller/netns/namespace-file.ts';
import type { RemoteNamespace } from '../../controller/netns/remote.ts';
import { backendFields, serviceFields } from '../../controller/settings/settings.ts';
import { systemClock } from '../../controller/time.ts';
import { command, eventually, IN_LAB, ipvsadm, shell } from '../support/host.ts';

const inLab = IN_LAB ? describe : describe.skip;
const HELPER_MAIN = new URL('../../controller/netns-helper.ts', import.meta.url).pathname;
const ENTER = new URL('../../controller/netns/enter.ts', import.meta.url).pathname;
const HELPER = [process.execPath, '--conditions=ipvs-source', HELPER_MAIN];
const OPTIONS = {
  interface: 'vip0',
  poolIpv4: '11.0.0.0/8',
  poolIpv6: null,
  dnsListen: [],
  hostAddress: null,
  writeSysctls: true,
  packetFilter: 'none',
};

const service = {
  protocol: 'tcp',
  address: '11.1.2.3',
  port: 80,
  ...serviceFields.unset,
  scheduler: 'wlc',
} as const;
const backend = { address: '10.0.0.1', port: 31000, ...backendFields.unset, weight: 1 };
const STEPS: readonly Step[] = [
  { op: 'add-service', service },
  { op: 'add-backend', service, backend },
];

function enter(id: string, path = `/run/netns/${id}`): RemoteNamespace {
  const inode = statSync(path, { bigint: true, throwIfNoEntry: false })?.ino ?? 0n;
  return enterNamespace({ id, path, inode }, { helper: HELPER, options: OPTIONS, clock: systemClock });
}

const there = async () => (await shell('ip netns exec pod ipvsadm -Sn')).trim().split('\n').filter(Boolean);
const helpers = async () => (await shell('ip netns pids pod')).trim().split('\n').filter(Boolean);

inLab('a network namespace with a helper in it', () => {
  let remote: RemoteNamespace;

  beforeAll(async () => {
    await shell('ip netns add pod && ip -n pod link set lo up');
    remote = enter('pod');
  });
  afterAll(async () => {
    remote.end('the test is over');
    await shell('ip netns del pod');
  });

  test('a file of `ip netns` is a namespace itself', async () => {
    expect(await readNamespaceFile('/run/netns/pod')).toMatchObject({ kind: 'namespace' });
  });

  test('a namespace of another kind is told as one, wherever it is mounted', async () => {
    await shell('touch /run/other && mount --bind /proc/self/ns/uts /run/other');
    const other = await readNamespaceFile('/run/other').finally(() => shell('umount /run/other'));
    expect(other).toMatchObject({
      kind: 'unusable',
      reason: expect.stringMatching(/^it is a namespace of another kind: uts:\[\d+\]$/),
    });
  });

  test('its IPVS table is written there and nowhere else, and read back', async () => {
    expect(await remote.table.apply(STEPS)).toEqual([]);
    expect(await there()).toEqual([
      '-A -t 11.1.2.3:80 -s wlc',
      '-a -t 11.1.2.3:80 -r 10.0.0.1:31000 -m -w 1',
    ]);
    expect(await ipvsadm()).toEqual([]);
    const read = await remote.table.observe();
    expect([...read.keys()]).toEqual(['tcp/11.1.2.3:80']);
    expect(await remote.table.observeInBackground((one) => one)).toEqual(read);
  });

  test('interface, route and kernel settings are made there and nowhere else', async () => {
    const own = 'cat /proc/sys/net/ipv4/vs/conntrack; ip -br link show vip0 2>&1 || true';
    const before = await shell(own);
    const { changed } = await remote.reachability.ensure([]);
    expect(changed).toEqual(expect.arrayContaining(['interface vip0 added', 'route local 11.0.0.0/8 added']));
    expect(await shell('ip -n pod route show table local 11.0.0.0/8')).toContain('dev vip0');
    expect(await shell('ip netns exec pod cat /proc/sys/net/ipv4/vs/conntrack')).toBe('1\n');
    expect(await shell(own)).toBe(before);
  });

  test('a helper that is killed leaves the namespace as it is, and another one goes on from there', async () => {
    const before = await there();
    const [pid] = await helpers();
    process.kill(Number(pid), 'SIGKILL');
    const ended = await eventually(async () => {
      try {
        await remote.table.observe();
        return false;
      } catch (error) {
        return String(error);
      }
    });
    expect(ended).toContain('the helper in network namespace pod (/run/netns/pod) ended');
    expect(await there()).toEqual(before);
    remote = enter('pod');
    expect((await remote.table.observe()).size).toBe(1);
  });

  test('no helper stays once the program that asks it has ended, however that ended', async () => {
    const script = `const { spawn } = await import('node:child_process');
      const inode = (await import('node:fs')).statSync('/run/netns/pod').ino;
      spawn('nsenter', ${JSON.stringify(['--net=/run/netns/pod', '--', ...HELPER, JSON.stringify(OPTIONS)])}.concat(String(inode)));
      setInterval(() => undefined, 1_000);`;
    const before = await helpers();
    const program = spawn(process.execPath, ['--input-type=module', '-e', script]);
    await eventually(async () => (await helpers()).length > before.length);
    program.kill('SIGKILL');
    await eventually(async () => (await helpers()).length === before.length);
  });
});

inLab('a namespace that cannot be entered', () => {
  test('is told with its name and the reason', async () => {
    await expect(enter('lost').table.observe()).rejects.toThrow(
      /^the helper in network namespace lost \(\/run\/netns\/lost\) ended: nsenter: .*No such file/,
    );
  });

  test('is told with the capability that is lacking', async () => {
    const script = `const { enterNamespace } = await import('${ENTER}');
      const options = { helper: ['true'], options: {}, clock: { sleep: () => new Promise(() => undefined) } };
      const remote = enterNamespace({ id: 'own', path: '/proc/self/ns/net', inode: 0n }, options);
      await remote.table.observe().catch(({ message }) => console.log(message));`;
    const without = ['--bounding-set=-sys_admin', '--inh-caps=-sys_admin', process.execPath];
    const node = ['--conditions=ipvs-source', '--input-type=module', '-e', script];
    expect((await command('setpriv', ...without, ...node)).stdout).toMatch(
      /Operation not permitted \(CAP_SYS_ADMIN is needed: run as root, or give the unit or container SYS_ADMIN\)\n$/,
    );
  });
});
