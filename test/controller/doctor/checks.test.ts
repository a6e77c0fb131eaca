import { describe, expect, test } from '@jest/globals';
import { doctorDocument, type Finding } from '../../../controller/doctor/document.ts';
import { examine } from '../../../controller/doctor/examine.ts';
import type { ControllerFact, Facts } from '../../../controller/doctor/facts.ts';
import { doctorText } from '../../../controller/doctor/print-text.ts';
import { painter } from '../../../controller/status/table.ts';

const controller: ControllerFact = {
  url: 'http://127.0.0.1:61421',
  version: '0.1.0',
  foreignServices: 0,
  vips: [
    {
      id: 'tcp/11.0.0.1:80',
      name: 'web',
      address: '11.0.0.1',
      scheduler: 'wlc',
      backends: [{ address: '10.0.0.5', port: 31_000 }],
    },
  ],
};

/** A host that lacks nothing, with a controller at work. */
const healthy: Facts = {
  kernelRelease: '6.1.0-13-amd64',
  modules: [{ name: 'ip_vs', state: 'loaded', why: 'without it there are no VIPs', optional: false }],
  sysctls: [
    {
      name: 'net.ipv4.vs.conntrack',
      wanted: '1',
      why: 'without it no masquerade',
      value: '1',
      error: null,
      writable: true,
    },
  ],
  capabilities: new Set([10, 12]),
  unprivilegedPortStart: 1_024,
  nftables: { chains: [] },
  ipvs: { services: ['11.0.0.1'], timeouts: { tcp: 7_260, tcpFin: 120, udp: 300 } },
  addresses: [
    { interfaceName: 'lo', address: '127.0.0.1' },
    { interfaceName: 'eth0', address: '10.0.0.5' },
    { interfaceName: 'vip0', address: '198.51.100.4' },
  ],
  routes: [
    { interfaceName: 'eth0', network: '0.0.0.0/0' },
    { interfaceName: 'eth0', network: '10.0.0.0/24' },
    { interfaceName: 'vip0', network: '11.0.0.0/8' },
  ],
  interfaces: ['lo', 'eth0', 'vip0'],
  processes: new Set(['systemd', 'node']),
  managers: [
    { name: 'NetworkManager', running: false, leavesOursAlone: false },
    { name: 'systemd-networkd', running: true, leavesOursAlone: true },
  ],
  portRange: { low: 32_768, high: 60_999, reserved: '' },
  conntrack: { count: 100, max: 1_000 },
  keepaliveSeconds: 7_200,
  estimation: '1',
  names: { servers: ['198.51.100.4'], zone: { known: true, said: 'ns.l4lb.thisdcos.directory' } },
  controller,
  wanted: {
    interfaceName: 'vip0',
    pools: ['11.0.0.0/8', 'fd01:c::/64'],
    zone: 'l4lb.thisdcos.directory',
    listens: [{ what: 'DNS', address: '198.51.100.4', port: 53 }],
  },
};

/** What is not as wanted on a host that differs from the healthy one in this. */
function findings(differs: Partial<Facts>): Finding[] {
  return examine({ ...healthy, ...differs }, 0).findings.filter(({ state }) => state !== 'ok');
}

function only(differs: Partial<Facts>): Finding {
  const [first, ...others] = findings(differs);
  expect(others).toEqual([]);
  if (first === undefined) throw new Error('nothing was found');
  return first;
}

describe('a host that lacks nothing', () => {
  test('needs no hands, and every check says what it saw', () => {
    const document = examine(healthy, 0);
    expect(document.findings.filter(({ state }) => state !== 'ok')).toEqual([]);
    expect(document.summary).toEqual({ ok: document.findings.length, warning: 0, problem: 0 });
    expect(document.findings.every(({ found }) => found !== '')).toBe(true);
  });

  test('every check has a name of its own, and the document the shape of its schema', () => {
    const document = examine(healthy, 0);
    expect(new Set(document.findings.map(({ check }) => check)).size).toBe(document.findings.length);
    expect(doctorDocument.parse(JSON.parse(JSON.stringify(document)))).toEqual(document);
  });
});

describe('the kernel', () => {
  const module = (state: Facts['modules'][number]['state'], optional = false): Partial<Facts> => ({
    modules: [{ name: 'ip_vs_mh', state, why: 'a VIP asks for it', optional }],
  });

  test('may have a module built in or load it later; one that it lacks is a problem, with the command', () => {
    for (const state of ['loaded', 'built in', 'loadable'] as const)
      expect(findings(module(state))).toEqual([]);
    expect(only(module('missing'))).toMatchObject({
      check: 'module ip_vs_mh',
      state: 'problem',
      found: expect.stringContaining('6.1.0-13-amd64'),
      command: 'modprobe ip_vs_mh',
    });
    expect(only(module('missing', true)).state).toBe('warning');
    expect(only(module('unknown')).state).toBe('warning');
  });

  test('without IPVS, or without the right to use it, is a problem', () => {
    expect(only({ ipvs: { error: 'the kernel has no IPVS', missing: true } })).toMatchObject({
      state: 'problem',
      command: 'modprobe ip_vs',
    });
    expect(only({ ipvs: { error: 'EPERM', missing: false } })).toMatchObject({
      state: 'problem',
      command: 'sudo marathon-ipvs doctor',
    });
  });

  test('with another table that drops by default is a warning, with the rule that lets VIPs through', () => {
    const chain = {
      name: 'inet filter input',
      family: 'inet',
      hook: 'input',
      priority: 0,
      dropsByDefault: true,
    } as const;
    expect(only({ nftables: { chains: [chain] } })).toMatchObject({
      check: 'packet filter inet filter input',
      state: 'warning',
      command:
        'nft insert rule inet filter input ip daddr 11.0.0.0/8 accept && nft insert rule inet filter input ip6 daddr fd01:c::/64 accept',
    });
    const forward = { ...chain, name: 'ip filter FORWARD', family: 'ip', hook: 'forward' } as const;
    expect(only({ nftables: { chains: [forward] } }).command).toBe(
      'nft insert rule ip filter FORWARD ct state established,related accept',
    );
    expect(
      findings({
        nftables: {
          chains: [
            { ...chain, dropsByDefault: false },
            { ...chain, hook: 'output' },
          ],
        },
      }),
    ).toEqual([]);
    expect(only({ nftables: { error: 'ENOENT' } })).toMatchObject({ check: 'nftables', state: 'warning' });
  });
});

describe('settings', () => {
  const sysctl = (what: Partial<Facts['sysctls'][number]>) => ({
    sysctls: [
      {
        name: 'net.ipv4.vs.conntrack',
        wanted: '1',
        why: 'no masquerade',
        value: '0',
        error: null,
        writable: true,
        ...what,
      },
    ],
  });

  test('one that is not as wanted is a problem, with value, wanted one, kernel and command', () => {
    expect(only(sysctl({}))).toEqual({
      group: 'Settings',
      check: 'sysctl net.ipv4.vs.conntrack',
      state: 'problem',
      found: '0',
      wanted: '1 on kernel 6.1.0-13-amd64',
      why: 'no masquerade',
      command: 'sysctl -w net.ipv4.vs.conntrack=1',
    });
  });

  test('one that `run` will set when it starts is a warning; not where /proc/sys is read-only', () => {
    const stateOf = (what: Partial<Facts['sysctls'][number]>) =>
      findings({ ...sysctl(what), controller: null }).find(({ check }) => check.startsWith('sysctl'))?.state;
    expect(stateOf({})).toBe('warning');
    expect(stateOf({ writable: false })).toBe('problem');
    expect(only(sysctl({ value: null, error: 'ENOENT' }))).toMatchObject({
      state: 'problem',
      found: 'ENOENT',
    });
  });

  test('a tcp time-out below the keepalive is a warning with both values and both remedies', () => {
    const found = only({ ipvs: { services: [], timeouts: { tcp: 900, tcpFin: 120, udp: 300 } } });
    expect(found).toMatchObject({ check: 'IPVS time-outs', state: 'warning' });
    expect(found.found).toMatch(/tcp 900 s.*7200 s/);
    expect(found.command).toBe(
      'ipvsadm --set 7260 0 0 # or on every client: sysctl -w net.ipv4.tcp_keepalive_time=600',
    );
    expect(findings({ keepaliveSeconds: null })).toEqual([]);
    expect(findings({ keepaliveSeconds: 7_260 })).toEqual([]);
  });

  test('the estimator is a warning with many services before Linux 6.2, and only there', () => {
    const many = {
      services: Array<string>(1_001).fill('11.0.0.1'),
      timeouts: { tcp: 7_260, tcpFin: 120, udp: 300 },
    };
    expect(only({ ipvs: many })).toMatchObject({
      check: 'rate estimator',
      state: 'warning',
      command: 'sysctl -w net.ipv4.vs.run_estimation=0',
    });
    expect(only({ ipvs: many, estimation: null, kernelRelease: '5.10.0' })).toMatchObject({
      command: null,
      wanted: 'Linux 6.2 or newer',
    });
    expect(findings({ ipvs: many, estimation: '0' })).toEqual([]);
    for (const kernelRelease of ['6.2.0', '6.12.1', '7.0.0-rc1', '10.1'])
      expect(findings({ ipvs: many, kernelRelease })).toEqual([]);
  });
});

describe('this process', () => {
  test('without a capability that it needs is a problem; a warning beside a controller that has it', () => {
    const bare = { capabilities: new Set<number>() };
    expect(findings(bare).map(({ check, state }) => [check, state])).toEqual([
      ['CAP_NET_ADMIN', 'warning'],
      ['CAP_NET_BIND_SERVICE', 'warning'],
    ]);
    const alone = findings({ ...bare, controller: null }).filter(({ check }) => check.startsWith('CAP'));
    expect(alone.map(({ state }) => state)).toEqual(['problem', 'problem']);
    expect(findings({ capabilities: new Set([12]), unprivilegedPortStart: 53 })).toEqual([]);
    expect(only({ capabilities: null }).state).toBe('warning');
  });

  test('alone, without a controller, checks less and says so', () => {
    expect(only({ controller: null })).toMatchObject({ check: 'controller', state: 'warning' });
  });
});

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

test('as text, findings stand under headings, and what is not as wanted has why and the command', () => {
  const text = doctorText(examine({ ...healthy, conntrack: { count: 990, max: 1_000 } }, 0), {
    paint: painter(false),
  });
  expect(text).toMatch(/^Kernel\n\[\+\] IPVS: answers; 1 services? in its table\n/);
  expect(text).toContain(
    '\nLimits\n[-] connection tracking: 990 of 1000 entries (99 %)\n      wanted: less than 80 %\n      why: a full table drops the first packet of every new connection of this host, VIP or not\n      mend: sysctl -w net.netfilter.nf_conntrack_max=2000\n[+] local ports',
  );
  expect(text).toMatch(/\n\nKernel 6\.1\.0-13-amd64: 1 problem to mend; 0 warnings, \d+ ok\n$/);
  expect(doctorText(examine(healthy, 0), { paint: painter(false) })).toContain('nothing needs hands');
});
