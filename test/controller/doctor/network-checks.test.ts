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
      found: 'in 10.0.0.0/24, which eth0 leads to',
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
      'install -D -m 0644 deploy/systemd/networkmanager.conf /etc/NetworkManager/conf.d/90-marathon-ipvs.conf && systemctl reload NetworkManager',
    );
    const wanted = { ...healthy.wanted, interfaceName: 'vips' };
    expect(only({ managers, wanted, routes: [] }).command).toContain('sed -i s/vip0/vips/');
  });
});

describe('limits', () => {
  test('connection tracking warns at four fifths and is a problem when it is about to overflow', () => {
    expect(findings({ conntrack: { count: 799, max: 1_000 } })).toEqual([]);
    expect(only({ conntrack: { count: 800, max: 1_000 } })).toMatchObject({
      state: 'warning',
      found: '800 of 1000 entries (80 %)',
      command: 'sysctl -w net.netfilter.nf_conntrack_max=2000',
    });
    expect(only({ conntrack: { count: 950, max: 1_000 } }).state).toBe('problem');
    expect(findings({ conntrack: null })).toEqual([]);
  });

  test('few local ports are a warning, and so are ports of tasks among them that are not reserved', () => {
    expect(only({ portRange: { low: 50_000, high: 50_999, reserved: '' } })).toMatchObject({
      check: 'local ports',
      command: 'sysctl -w net.ipv4.ip_local_port_range="32768 60999"',
    });
    expect(only({ portRange: { low: 30_000, high: 60_999, reserved: '8080' } })).toMatchObject({
      command: 'sysctl -w net.ipv4.ip_local_reserved_ports=8080,31000',
    });
    expect(findings({ portRange: { low: 30_000, high: 60_999, reserved: '8080,30990-31010' } })).toEqual([]);
    expect(findings({ portRange: { low: 30_000, high: 60_999, reserved: '' }, addresses: [] })).toEqual([]);
  });
});

describe('names', () => {
  const unknown = { servers: ['127.0.0.53'], zone: { known: false, said: 'ENOTFOUND' } };

  test('a host whose name servers do not know the zone is a warning, with what mends it', () => {
    const found = only({ names: unknown });
    expect(found).toMatchObject({ check: 'zone l4lb.thisdcos.directory', state: 'warning' });
    expect(found.found).toBe('/etc/resolv.conf has 127.0.0.53; asked for the zone: ENOTFOUND');
    expect(found.command).toContain('nameserver 198.51.100.4');
  });

  test('are not looked at where they are not served', () => {
    expect(findings({ names: unknown, wanted: { ...healthy.wanted, listens: [] } })).toEqual([]);
    expect(findings({ names: null })).toEqual([]);
  });
});
