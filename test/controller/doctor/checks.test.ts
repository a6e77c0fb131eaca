import { describe, expect, test } from '@jest/globals';
import { doctorDocument } from '../../../controller/doctor/document.ts';
import { examine } from '../../../controller/doctor/examine.ts';
import type { Facts } from '../../../controller/doctor/facts.ts';
import { doctorText } from '../../../controller/doctor/print-text.ts';
import { painter } from '../../../controller/text/table.ts';
import { findings, healthy, only } from './healthy.ts';

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
      command: expect.stringMatching(
        /^modprobe ip_vs_mh && .* > \/etc\/modules-load\.d\/marathon-ipvs-ip_vs_mh\.conf # first install /,
      ),
    });
    expect(only(module('missing', true)).state).toBe('warning');
    expect(only(module('unknown')).state).toBe('warning');
  });

  test('without IPVS, or without the right to use it, is a problem', () => {
    expect(only({ ipvs: { error: 'the kernel has no IPVS', missing: true } })).toMatchObject({
      state: 'problem',
      command: expect.stringMatching(/^modprobe ip_vs && .*modules-load/),
    });
    expect(only({ ipvs: { error: 'EPERM', missing: false } })).toMatchObject({
      state: 'problem',
      command: expect.stringMatching(/^marathon-ipvs doctor # as root/),
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
      command: expect.stringMatching(
        /^nft insert rule inet filter input ip daddr 11\.0\.0\.0\/8 accept && nft insert rule inet filter input ip6 daddr fd01:c::\/64 accept # .* \/etc\/nftables\.conf/,
      ),
    });
    const forward = { ...chain, name: 'ip filter FORWARD', family: 'ip', hook: 'forward' } as const;
    expect(only({ nftables: { chains: [forward] } }).command).toMatch(
      /^nft insert rule ip filter FORWARD ct state established,related accept # /,
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
    expect(only({ nftables: { error: 'EPERM', denied: true } }).command).toMatch(
      /^marathon-ipvs doctor # as root/,
    );
    expect(only({ nftables: { error: 'ENOENT', denied: false } })).toMatchObject({
      check: 'nftables',
      state: 'warning',
    });
  });
});

describe('settings', () => {
  const sysctl = (what: Partial<Facts['sysctls'][number]>) => ({
    sysctls: [
      {
        name: 'net.ipv4.vs.conntrack',
        wanted: '1',
        why: 'no masquerade',
        onlyAdvised: false,
        value: '0',
        error: null,
        missing: false,
        writable: true,
        ...what,
      },
    ],
  });

  test('one that is not as wanted is a problem, with value, wanted one, kernel and command', () => {
    expect(only(sysctl({}))).toEqual({
      code: 'ipvs-setting',
      after: null,
      group: 'Settings',
      check: 'sysctl net.ipv4.vs.conntrack',
      state: 'problem',
      found: '0',
      wanted: '1 on kernel 6.1.0-13-amd64',
      why: 'no masquerade',
      command:
        "mkdir -p /etc/modules-load.d && printf 'ip_vs\\n' > /etc/modules-load.d/marathon-ipvs-ip_vs.conf && sysctl -w net.ipv4.vs.conntrack=1 && mkdir -p /etc/sysctl.d && printf 'net.ipv4.vs.conntrack = 1\\n' > /etc/sysctl.d/90-marathon-ipvs-conntrack.conf",
    });
  });

  test('one that `run` will set when it starts is a warning; not where /proc/sys is read-only', () => {
    const stateOf = (what: Partial<Facts['sysctls'][number]>) =>
      findings({ ...sysctl(what), controller: null }).find(({ check }) => check.startsWith('sysctl'))?.state;
    expect(stateOf({})).toBe('warning');
    expect(stateOf({ writable: false })).toBe('problem');
    // What is left to the operator must not fail a rollout.
    expect(stateOf({ onlyAdvised: true, writable: false })).toBe('warning');
    expect(only(sysctl({ value: null, error: 'EACCES' }))).toMatchObject({
      state: 'problem',
      found: 'EACCES',
    });
    expect(only(sysctl({ value: null, error: 'ENOENT', missing: true }))).toMatchObject({
      found: expect.stringContaining('comes with the module ip_vs'),
      command: expect.stringMatching(/^modprobe ip_vs && .* && sysctl -w net\.ipv4\.vs\.conntrack=1 && /),
    });
  });

  test('a tcp timeout below the keepalive is a warning with both values and both remedies', () => {
    const found = only({ ipvs: { services: [], timeouts: { tcp: 900, tcpFin: 120, udp: 300 } } });
    expect(found).toMatchObject({ check: 'IPVS timeouts', state: 'warning' });
    expect(found.found).toMatch(/tcp 900 s.*7200 s/);
    expect(found.command).toMatch(
      /^sysctl -w net\.ipv4\.tcp_keepalive_time=600 && .*90-marathon-ipvs-tcp_keepalive_time\.conf # .* tcp-timeout: 7260 /,
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
      command: expect.stringContaining('sysctl -w net.ipv4.vs.run_estimation=0 && '),
    });
    expect(
      only({ ipvs: many, estimation: { ...healthy.estimation, switchedOn: null }, kernelRelease: '5.10.0' }),
    ).toMatchObject({
      command: null,
      wanted: 'Linux 6.2 or newer',
    });
    expect(findings({ ipvs: many, estimation: { ...healthy.estimation, switchedOn: '0' } })).toEqual([]);
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

  test('CAP_SYS_ADMIN is asked for where network namespaces are to get VIPs, and nowhere else', () => {
    const wanted = { ...healthy.wanted, netnsDir: '/run/netns' };
    expect(only({ wanted })).toMatchObject({
      check: 'CAP_SYS_ADMIN',
      state: 'warning',
      why: 'without it no network namespace of /run/netns (--netns-dir) can be entered',
    });
    expect(findings({ wanted, capabilities: new Set([10, 12, 21]) })).toEqual([]);
    expect(findings({ capabilities: new Set([10, 12]) })).toEqual([]);
  });

  test('the directory of network namespaces must be one that run would use, and each file give one', () => {
    const namespaces = { directory: '/run/netns', missing: false, failure: null, found: 2, refused: [] };
    expect(findings({ namespaces })).toEqual([]);
    expect(only({ namespaces: { ...namespaces, failure: 'other users may write there' } })).toMatchObject({
      code: 'network-namespaces',
      state: 'problem',
      found: 'other users may write there',
    });
    const absent = { ...namespaces, missing: true, failure: 'there is no such file or directory' };
    expect(only({ namespaces: absent }).state).toBe('warning');
    const refused = [{ id: 'web', reason: 'it is empty' }];
    expect(only({ namespaces: { ...namespaces, refused } })).toMatchObject({
      check: 'network namespace web',
      state: 'warning',
      found: 'it is empty',
    });
  });

  test('of a network namespace only what is about one is told', () => {
    const codes = (namespace: string | null) =>
      new Set(examine(healthy, 0, namespace).findings.map(({ code }) => code));
    expect(codes(null)).toContain('capability');
    expect(codes('/run/netns/web')).not.toContain('capability');
    for (const code of ['ipvs', 'ipvs-setting', 'pool', 'conntrack'])
      expect(codes('/run/netns/web')).toContain(code);
  });

  test('alone, without a controller, checks less and says so', () => {
    expect(only({ controller: null })).toMatchObject({ check: 'controller', state: 'warning' });
  });
});

test('as text, findings stand under headings, and what is not as wanted has why and the command', () => {
  const text = doctorText(examine({ ...healthy, conntrack: { count: 990, max: 1_000 } }, 0), {
    paint: painter(false),
  });
  expect(text).toMatch(/^Kernel\n\[\+\] IPVS: answers; 1 services? in its table\n/);
  expect(text).toContain(
    '\nLimits\n[-] connection tracking: 990 of 1000 entries (99 %)\n      wanted: less than 80 %\n      why: a full table drops the first packet of every new connection of this host, VIP or not\n      fix: sysctl -w net.netfilter.nf_conntrack_max=2000 && ',
  );
  expect(text).toMatch(
    /\n\nEach fix is a line for a root shell on the host itself, not in a container\.\nKernel 6\.1\.0-13-amd64: 1 problem to fix; 0 warnings, \d+ ok\n$/,
  );
  expect(doctorText(examine(healthy, 0), { paint: painter(false) })).toMatch(
    /\n\nKernel .*: no problems found; /,
  );
});
