import { execFileSync } from 'node:child_process';
import { lstatSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { examine } from '../../../controller/doctor/examine.ts';
import type { Facts } from '../../../controller/doctor/facts.ts';
import { controller, findings, healthy, only } from './healthy.ts';

describe('the network', () => {
  const vip = (address: string, name: string | null = null): Partial<Facts> => ({
    controller: {
      ...controller,
      vips: [{ id: `tcp/${address}:80`, name, address, scheduler: 'wlc', backends: [] }],
    },
  });

  test('an address of this host as a VIP is a problem; one of a network that it is in a warning', () => {
    expect(only(vip('10.0.0.5'))).toMatchObject({
      check: 'VIP tcp/10.0.0.5:80',
      state: 'problem',
      found: 'this host has it on eth0',
    });
    expect(only(vip('10.0.0.99'))).toMatchObject({
      state: 'warning',
      found: 'in 10.0.0.0/24, which is routed to eth0',
    });
    expect(findings(vip('192.0.2.9'))).toEqual([]);
    expect(findings(vip('11.5.5.5', 'web'))).toEqual([]);
  });

  test.each([['11.5.0.0/16'], ['11.0.0.0/8'], ['10.0.0.0/7']])(
    'a pool that overlaps the route %s is a problem',
    (network) => {
      const routes = [...healthy.routes, { interfaceName: 'eth1', network }];
      expect(only({ routes })).toMatchObject({
        check: 'pool 11.0.0.0/8',
        state: 'problem',
        found: `overlaps ${network} dev eth1`,
      });
    },
  );

  test('containers behind a bridge that is filtered need hairpin mode to reach themselves', () => {
    const ports = (...names: readonly string[]) => names.map((name) => ({ name, hairpin: false }));
    const filtered = (containerPorts: Facts['bridges']['containerPorts']) => ({
      bridges: { filtered: true, containerPorts },
    });
    expect(only(filtered([...ports('veth2'), { name: 'veth1', hairpin: true }]))).toMatchObject({
      check: 'bridges',
      state: 'warning',
      found: 'br_netfilter, and 1 of 2 ports that lead to containers not in hairpin mode (veth2)',
      command: expect.stringContaining('bridge link set dev veth2 hairpin on'),
    });
    expect(only(filtered(ports('a', 'b', 'c', 'd', 'e'))).found).toContain('(a, b, c, 2 more)');
    expect(findings(filtered([{ name: 'veth1', hairpin: true }]))).toEqual([]);
    expect(findings(filtered([]))).toEqual([]);
    expect(findings({ bridges: { filtered: false, containerPorts: ports('veth1') } })).toEqual([]);
  });

  test('other programs that write IPVS tables are named by what betrays them', () => {
    expect(only({ interfaces: ['kube-ipvs0'] })).toMatchObject({
      check: 'kube-proxy in IPVS mode',
      state: 'warning',
    });
    expect(only({ interfaces: ['minuteman'] })).toMatchObject({
      check: 'dcos-net',
      found: 'interface minuteman',
    });
    expect(only({ processes: new Set(['keepalived']) })).toMatchObject({
      check: 'keepalived',
      found: 'process keepalived',
    });
    expect(findings({ processes: new Set(['kube-proxy']) })).toEqual([]);
  });

  test('their services are counted: by the ledger of the controller, else by the pools', () => {
    const countOf = (differs: Partial<Facts>) =>
      examine({ ...healthy, ...differs }, 0).findings.find(({ check }) => check === 'other services')?.found;
    expect(countOf({ controller: { ...controller, foreignServices: 3 } })).toBe(
      '3 of other programs, left alone',
    );
    const ipvs = {
      services: ['11.0.0.1', '172.16.0.1', 'fd01:c::7', 'fd02::1'],
      timeouts: { tcp: 7_260, tcpFin: 120, udp: 300 },
    };
    expect(countOf({ controller: null, ipvs })).toBe('2 outside the pools');
  });

  test('a network manager that runs and may take over the interface is a warning, with the drop-in', () => {
    const managers = [{ name: 'NetworkManager', running: true, leavesOursAlone: false }] as const;
    expect(only({ managers }).command).toBe(
      "mkdir -p /etc/NetworkManager/conf.d && printf '[device-marathon-ipvs]\\nmatch-device=interface-name:vip0\\nmanaged=0\\n' > /etc/NetworkManager/conf.d/90-marathon-ipvs.conf && systemctl reload NetworkManager",
    );
    const wanted = { ...healthy.wanted, interfaceName: 'vips' };
    expect(only({ managers, wanted, routes: [] }).command).toContain('match-device=interface-name:vips');
  });
});

describe('limits', () => {
  test('connection tracking warns at four fifths and is a problem when it is about to overflow', () => {
    expect(findings({ conntrack: { count: 799, max: 1_000 } })).toEqual([]);
    expect(only({ conntrack: { count: 800, max: 1_000 } })).toMatchObject({
      state: 'warning',
      found: '800 of 1000 entries (80 %)',
      command: expect.stringMatching(/^sysctl -w net\.netfilter\.nf_conntrack_max=2000 && /),
    });
    expect(only({ conntrack: { count: 950, max: 1_000 } }).state).toBe('problem');
    expect(findings({ conntrack: null })).toEqual([]);
  });

  test('few local ports are a warning, and so are ports of tasks among them that are not reserved', () => {
    expect(only({ portRange: { low: 50_000, high: 50_999, reserved: '' } })).toMatchObject({
      check: 'local ports',
      command: expect.stringMatching(/^sysctl -w net\.ipv4\.ip_local_port_range="32768 60999" && /),
    });
    expect(only({ portRange: { low: 30_000, high: 60_999, reserved: '8080' } })).toMatchObject({
      command: expect.stringMatching(/^sysctl -w net\.ipv4\.ip_local_reserved_ports=8080,31000 && /),
    });
    expect(findings({ portRange: { low: 30_000, high: 60_999, reserved: '8080,30990-31010' } })).toEqual([]);
    expect(findings({ portRange: { low: 30_000, high: 60_999, reserved: '' }, addresses: [] })).toEqual([]);
  });
});

describe('names', () => {
  const unknown = { servers: ['127.0.0.53'], link: null, zone: { known: false, answer: 'ENOTFOUND' } };

  test('a host whose name servers do not know the zone is a warning, with what mends it', () => {
    const found = only({ names: unknown });
    expect(found).toMatchObject({ check: 'zone l4lb.thisdcos.directory', state: 'warning' });
    expect(found.found).toBe('/etc/resolv.conf has 127.0.0.53; query for the zone: ENOTFOUND');
    expect(found.command).toBe(
      "mkdir -p /etc/systemd/resolved.conf.d && printf '[Resolve]\\nDNS=198.51.100.4\\nDomains=~l4lb.thisdcos.directory\\n' > /etc/systemd/resolved.conf.d/marathon-ipvs.conf && systemctl restart systemd-resolved",
    );
  });

  test('a file of name servers that leads to another program stays as it is', () => {
    const servers = ['192.0.2.1'];
    const command = (link: string | null) => only({ names: { ...unknown, servers, link } }).command ?? '';
    expect(command('/run/resolvconf/resolv.conf')).toMatch(/^readlink -f \/etc\/resolv\.conf # /);
    expect(command('../run/systemd/resolve/resolv.conf')).toContain('/etc/systemd/resolved.conf.d/');
  });

  test.each([
    [
      'as a file gets the name server first, once, and a copy is kept',
      false,
      'nameserver 198.51.100.4\nsearch a.b\n',
    ],
    ['that became a link meanwhile is left alone', true, 'search a.b\n'],
  ])('a list of name servers %s', (_name, linked, expected) => {
    const directory = mkdtempSync(join(tmpdir(), 'marathon-ipvs-doctor-'));
    const path = join(directory, 'resolv.conf');
    writeFileSync(linked ? join(directory, 'target') : path, 'search a.b\n');
    if (linked) symlinkSync('target', path);
    const { command } = only({ names: { ...unknown, servers: ['192.0.2.1'] } });
    const line = (command ?? '').replaceAll('/etc/resolv.conf', path);
    for (let times = 0; times < 2; times += 1) execFileSync('sh', ['-c', line]);
    expect(readFileSync(path, 'utf8')).toBe(expected);
    expect(lstatSync(path).isSymbolicLink()).toBe(linked);
    if (!linked) expect(readFileSync(`${path}.before-marathon-ipvs`, 'utf8')).toBe('search a.b\n');
    rmSync(directory, { recursive: true });
  });

  test('are not looked at where they are not served', () => {
    expect(findings({ names: unknown, wanted: { ...healthy.wanted, listens: [] } })).toEqual([]);
    expect(findings({ names: null })).toEqual([]);
  });
});
