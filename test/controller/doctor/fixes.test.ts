/** What holds for the fix of every check. */

import { spawnSync } from 'node:child_process';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { examine } from '../../../controller/doctor/examine.ts';
import type { Facts } from '../../../controller/doctor/facts.ts';
import { controller, healthy } from './healthy.ts';

const chain = { family: 'inet', priority: 0, dropsByDefault: true } as const;
const names = { servers: ['192.0.2.1'], link: null, zone: { known: false, answer: 'ENOTFOUND' } };

/** A host where every check finds something. */
const bare: Facts = {
  ...healthy,
  modules: [
    { name: 'ip_vs_mh', state: 'missing', why: '', optional: false },
    { name: 'dummy', state: 'unknown', why: '', optional: false },
  ],
  sysctls: ['net.ipv4.vs.conntrack', 'net.ipv4.ip_forward'].map((name) => ({
    name,
    wanted: '1',
    why: '',
    onlyAdvised: false,
    value: '0',
    error: null,
    missing: false,
    writable: false,
  })),
  capabilities: new Set(),
  nftables: {
    chains: [
      { ...chain, name: 'inet filter input', hook: 'input' },
      { ...chain, name: 'inet filter forward', hook: 'forward' },
    ],
  },
  ipvs: { services: Array<string>(2_000).fill('11.0.0.1'), timeouts: { tcp: 900, tcpFin: 120, udp: 300 } },
  routes: [...healthy.routes, { interfaceName: 'eth1', network: '11.1.0.0/16' }],
  interfaces: ['lo', 'kube-ipvs0', 'minuteman', 'kube-dummy-if'],
  processes: new Set(['keepalived']),
  bridges: { filtered: true, containerPorts: [{ name: 'veth1', hairpin: false }] },
  managers: [
    { name: 'NetworkManager', running: true, leavesOursAlone: false },
    { name: 'systemd-networkd', running: true, leavesOursAlone: false },
  ],
  conntrack: { count: 99, max: 100 },
  portRange: { low: 30_000, high: 60_999, reserved: '8080' },
  names,
  controller: {
    ...controller,
    vips: [
      {
        id: 'a',
        name: null,
        address: '10.0.0.5',
        scheduler: null,
        backends: [{ address: '10.0.0.5', port: 31_000 }],
      },
      { id: 'b', name: null, address: '10.0.0.9', scheduler: null, backends: [] },
    ],
  },
};

const HOSTS: readonly (readonly [string, Facts])[] = [
  ['lacks everything', bare],
  ['runs no controller', { ...bare, controller: null }],
  ['has no IPVS', { ...bare, ipvs: { error: 'no IPVS', missing: true } }],
  ['may not use IPVS', { ...bare, ipvs: { error: 'EPERM', missing: false } }],
  ['has no nftables', { ...bare, nftables: { error: 'ENOENT', denied: false } }],
  ['may not use nftables', { ...bare, nftables: { error: 'EPERM', denied: true } }],
  ['has few ports', { ...bare, portRange: { low: 50_000, high: 50_999, reserved: '' } }],
  ['asks systemd-resolved', { ...bare, names: { ...names, servers: ['127.0.0.53'] } }],
  ['has a link for its name servers', { ...bare, names: { ...names, link: '/run/resolv.conf' } }],
  ['asks the controller', { ...bare, names: { ...names, servers: ['198.51.100.4'] } }],
  [
    'is to keep network namespaces',
    { ...bare, controller: null, wanted: { ...bare.wanted, netnsDir: '/run/netns' } },
  ],
  ['hides /proc', { ...bare, capabilities: null }],
];

/** What is run of a line, without the remark behind it. */
function run(command: string): string {
  return command.replace(/ # .*$/, '');
}

function commandsOf(facts: Facts): readonly string[] {
  return examine(facts, 0).findings.flatMap(({ command }) => command ?? []);
}

describe.each(HOSTS)('on a host that %s, each fix', (_name, facts) => {
  const commands = commandsOf(facts);

  test('is one line that a shell understands', () => {
    for (const command of commands) {
      expect(command).toMatch(/^[^\p{Cc}\u2028\u2029]+$/u);
      const { status, stderr } = spawnSync('sh', ['-n', '-c', command], { encoding: 'utf8' });
      expect({ command, status, stderr }).toEqual({ command, status: 0, stderr: '' });
    }
  });

  test('needs no file of ours, and nothing to be filled in', () => {
    for (const command of commands.map(run)) {
      expect(command).not.toMatch(/(?:^|\s)(?:deploy|docs|controller)\//);
      // CIDR, NAME; not CAP_NET_ADMIN, FORWARD, DNS=.
      expect(command).not.toMatch(/\b(?:CIDR|NAME|ADDRESS|HOST|PORT|FILE|PATH|URL)\b/);
      expect(command).not.toMatch(/\b(?:sudo|vi|nano|edit)\b/);
    }
  });

  test('takes nothing away, and changes no file of others in place', () => {
    for (const command of commands.map(run)) {
      expect(command).not.toMatch(/\bsed\b|\brm\b|\bmv\b|\bflush\b|\b(?:del|delete)\b|>>|\btee\b/);
      for (const [, file = ''] of command.matchAll(/> ([^\s;]+)/g)) {
        const copied = command.includes(`[ -L ${file} ] ||`) && command.includes(`cp -p ${file} `);
        expect({ file, ours: file.includes('marathon-ipvs') || copied }).toEqual({ file, ours: true });
      }
    }
  });

  test('holds after a reboot, or says what to do for that', () => {
    for (const command of commands) {
      for (const [, name, value] of run(command).matchAll(/sysctl -w ([\w.]+)=("[^"]*"|\S+)/g)) {
        expect(command).toContain(`printf '${name} = ${value?.replaceAll('"', '')}\\n' > /etc/sysctl.d/`);
      }
      for (const [, name] of run(command).matchAll(/modprobe (\S+)/g)) {
        expect(command).toContain(`printf '${name}\\n' > /etc/modules-load.d/`);
      }
      for (const [, name] of run(command).matchAll(/sysctl -w net\.(ipv4\.vs|netfilter)\./g)) {
        const module = name === 'netfilter' ? 'nf_conntrack' : 'ip_vs';
        expect(command).toContain(`> /etc/modules-load.d/marathon-ipvs-${module}.conf`);
      }
      if (/^(?:nft|bridge) /.test(command)) expect(command).toMatch(/ # until .*; (?:to keep it|.*for good)/);
    }
  });
});

test('every kind of finding was looked at', () => {
  const found = new Set(
    HOSTS.flatMap(([, facts]) => examine(facts, 0).findings.filter(({ state }) => state !== 'ok')).map(
      ({ check }) => check,
    ),
  );
  const all = new Set(HOSTS.flatMap(([, facts]) => examine(facts, 0).findings).map(({ check }) => check));
  const neverWrong = ['other services', 'controller', 'pool fd01:c::/64'];
  expect([...all].filter((check) => !found.has(check) && !neverWrong.includes(check))).toEqual([]);
});

test('a name that others chose is one word, whatever is in it', () => {
  fc.assert(
    fc.property(
      fc.string({ minLength: 1 }).filter((text) => !/[\s\0]/.test(text)),
      (name) => {
        const [command = ''] = commandsOf({
          ...healthy,
          bridges: { filtered: true, containerPorts: [{ name, hairpin: false }] },
        });
        const echo = run(command).replace('bridge link set dev ', "printf '%s|' ");
        const { stdout } = spawnSync('sh', ['-c', echo], { encoding: 'utf8' });
        expect(stdout).toBe(`${name}|hairpin|on|`);
      },
    ),
    { numRuns: 30 },
  );
  const odd = { ...chain, name: 'inet a;b $(c)', hook: 'forward' } as const;
  const [command = ''] = commandsOf({ ...healthy, nftables: { chains: [odd] } });
  expect(run(command)).toBe("nft insert rule inet 'a;b' '$(c)' ct state established,related accept");
});
