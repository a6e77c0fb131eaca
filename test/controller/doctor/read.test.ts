import { chmod, copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { readBridges } from '../../../controller/doctor/read/bridges.ts';
import { readCapabilities, readPortRange, readSysctls } from '../../../controller/doctor/read/kernel.ts';
import { readManagers, readProcesses } from '../../../controller/doctor/read/managers.ts';
import { readModules } from '../../../controller/doctor/read/modules.ts';
import { readRoutes } from '../../../controller/doctor/read/networks.ts';

let root: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'doctor-'));
});
afterEach(() => rm(root, { recursive: true }));

async function file(path: string, text: string): Promise<string> {
  const full = join(root, path);
  await mkdir(dirname(full), { recursive: true });
  await writeFile(full, text);
  return full;
}

const NOTHING: ReadonlySet<string> = new Set();

describe('modules', () => {
  const statesOf = async (schedulers: readonly string[] = [], atWork = NOTHING) =>
    Object.fromEntries(
      (await readModules(schedulers, atWork, '6.1', root)).map(({ name, state }) => [name, state]),
    );

  test('are told apart by where they are listed, whatever their files are called', async () => {
    await file('proc/modules', 'ip_vs 180224 2 ip_vs_wlc, Live 0x0\nnf_tables 1 0 - Live 0x0\n');
    await file('lib/modules/6.1/modules.builtin', 'kernel/drivers/net/dummy.ko\n');
    await file(
      'lib/modules/6.1/modules.dep',
      'kernel/net/netfilter/nf-nat.ko.xz: kernel/net/netfilter/nf_conntrack.ko.xz\nkernel/net/netfilter/ipvs/ip_vs_mh.ko:\n',
    );
    expect(await statesOf(['mh', 'rr'])).toMatchObject({
      ip_vs: 'loaded',
      dummy: 'built in',
      nf_nat: 'loadable',
      nf_conntrack: 'missing',
      ip_vs_mh: 'loadable',
      ip_vs_rr: 'missing',
    });
  });

  test('are unknown where neither list is here, unless they were seen at work', async () => {
    expect(await statesOf([], new Set(['ip_vs']))).toMatchObject({ ip_vs: 'built in', dummy: 'unknown' });
  });
});

describe('settings', () => {
  const sysctl = { name: 'net.ipv4.vs.conntrack', value: '1', why: 'so' };

  test('are read as they are; one that is not there has the reason, and is no failure', async () => {
    await file('proc/sys/net/ipv4/vs/conntrack', '0\n');
    const missing = { ...sysctl, name: 'net.ipv4.vs.none' };
    expect(await readSysctls([sysctl, missing], root)).toMatchObject([
      { name: 'net.ipv4.vs.conntrack', wanted: '1', value: '0', error: null, writable: true },
      { value: null, error: expect.stringContaining('there is no such file'), writable: false },
    ]);
  });

  (process.getuid?.() === 0 ? test.skip : test)('that may not be written are told apart', async () => {
    await chmod(await file('proc/sys/net/ipv4/vs/conntrack', '0\n'), 0o444);
    expect(await readSysctls([sysctl], root)).toMatchObject([{ writable: false }]);
  });

  test('capabilities are the bits of CapEff', async () => {
    await file('proc/self/status', 'Name:\tnode\nCapPrm:\t0000000000000000\nCapEff:\t0000000000001400\n');
    expect(await readCapabilities(root)).toEqual(new Set([10, 12]));
    await file('proc/self/status', 'nothing of the kind');
    expect(await readCapabilities(root)).toBeNull();
  });

  test('the range of local ports comes with those that are reserved', async () => {
    await file('proc/sys/net/ipv4/ip_local_port_range', '32768\t60999\n');
    await file('proc/sys/net/ipv4/ip_local_reserved_ports', '8080,9148-9150\n');
    expect(await readPortRange(root)).toEqual({ low: 32_768, high: 60_999, reserved: '8080,9148-9150' });
    expect(await readPortRange(join(root, 'absent'))).toBeNull();
  });
});

test('routes of both families are read as networks; unreachable, multicast and link-local ones are none', async () => {
  await file(
    'proc/self/net/route',
    'Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\neth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\neth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n',
  );
  const gateway = '0'.repeat(32);
  const line = (destination: string, prefix: string, flags: string, name: string) =>
    `${destination.padEnd(32, '0')} ${prefix} ${gateway} 00 ${gateway} 00000100 00000001 00000000 ${flags} ${name}\n`;
  await file(
    'proc/self/net/ipv6_route',
    line('fd010c', '30', '00000001', 'eth0') +
      line('fe80', '40', '00000001', 'eth0') +
      line('ff00', '08', '00000001', 'eth0') +
      line('fd02', '40', '00000200', 'lo') +
      line('fd030000000000000000000000000001', '80', '80200001', 'eth0'),
  );
  expect(await readRoutes(root)).toEqual([
    { interfaceName: 'eth0', network: '0.0.0.0/0' },
    { interfaceName: 'eth0', network: '192.0.2.0/24' },
    { interfaceName: 'eth0', network: 'fd01:c00::/48' },
  ]);
});

describe('network managers', () => {
  const DROP_IN = {
    NetworkManager: ['networkmanager.conf', 'etc/NetworkManager/conf.d/90-marathon-ipvs.conf'],
    'systemd-networkd': ['networkd.network', 'etc/systemd/network/05-marathon-ipvs.network'],
  } as const;
  const alone = async (interfaceName = 'vip0') =>
    Object.fromEntries(
      (await readManagers(interfaceName, NOTHING, root)).map(({ name, leavesOursAlone }) => [
        name,
        leavesOursAlone,
      ]),
    );

  test.each(['NetworkManager', 'systemd-networkd'] as const)(
    '%s leaves our interface alone with the drop-in that we ship',
    async (name) => {
      expect((await alone())[name]).toBe(false);
      const [shipped, place] = DROP_IN[name];
      await mkdir(dirname(join(root, place)), { recursive: true });
      await copyFile(new URL(`../../../deploy/systemd/${shipped}`, import.meta.url), join(root, place));
      expect((await alone())[name]).toBe(true);
      expect((await alone('vip1'))[name]).toBe(false);
    },
  );

  test('are understood in the other ways of saying so', async () => {
    await file(
      'etc/NetworkManager/NetworkManager.conf',
      '[keyfile]\nunmanaged-devices = interface-name:docker0;interface-name:vip*\n',
    );
    await file(
      'usr/lib/systemd/network/80-vips.network',
      '[Match]\nName=eth9 vip*\n[Link]\nUnmanaged = true\n',
    );
    expect(await alone('vip7')).toEqual({ NetworkManager: true, 'systemd-networkd': true });
    expect(await alone('eth0')).toEqual({ NetworkManager: false, 'systemd-networkd': false });
  });

  test('run when a process of their name does', async () => {
    await file('proc/1/comm', 'systemd\n');
    await file('proc/42/comm', 'NetworkManager\n');
    await file('proc/net/comm', 'nobody\n');
    const processes = await readProcesses(root);
    expect(processes).toEqual(new Set(['systemd', 'NetworkManager']));
    expect((await readManagers('vip0', processes, root)).map(({ running }) => running)).toEqual([
      true,
      false,
    ]);
  });
});

describe('bridges', () => {
  const port = async (name: string, hairpin: string, index: string, link: string) => {
    await file(`sys/class/net/${name}/brport/hairpin_mode`, `${hairpin}\n`);
    await file(`sys/class/net/${name}/ifindex`, `${index}\n`);
    await file(`sys/class/net/${name}/iflink`, `${link}\n`);
  };

  test('are read with the ports whose other end is in another namespace', async () => {
    await port('veth1', '0', '7', '2');
    await port('veth2', '1', '8', '2');
    await port('eth0', '0', '3', '3');
    await file('sys/class/net/lo/ifindex', '1\n');
    await file('proc/sys/net/bridge/bridge-nf-call-iptables', '1\n');
    await file('proc/sys/net/bridge/bridge-nf-call-ip6tables', '0\n');
    const { filtered, containerPorts } = await readBridges(root);
    expect(filtered).toBe(true);
    expect(containerPorts.toSorted((a, b) => (a.name < b.name ? -1 : 1))).toEqual([
      { name: 'veth1', hairpin: false },
      { name: 'veth2', hairpin: true },
    ]);
  });

  test('are not filtered where br_netfilter is not loaded', async () => {
    await port('veth1', '0', '7', '2');
    expect(await readBridges(root)).toEqual({
      filtered: false,
      containerPorts: [{ name: 'veth1', hairpin: false }],
    });
  });
});
