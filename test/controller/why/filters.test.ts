import { describe, expect, test } from '@jest/globals';
import type { FiltersFact } from '../../../controller/why/facts.ts';
import { checkFilters } from '../../../controller/why/stages/filters.ts';
import { vip } from './facts.ts';

const NONE: FiltersFact = { nftables: null, iptables: null, ip6tables: null };
/** The VIP is 11.0.0.1:80, its backends 10.0.0.1:31000 and 10.0.0.2:31000. */
const verdicts = (filters: Partial<FiltersFact>) =>
  checkFilters({ vip: vip(), filters: { ...NONE, ...filters } });

const iptables = (lines: string, table = 'filter', policy = 'ACCEPT') =>
  verdicts({
    iptables: `*${table}\n:PREROUTING ACCEPT [0:0]\n:INPUT ${policy} [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n:OTHER - [0:0]\n${lines}\nCOMMIT\n`,
  });

const match = (left: object, right: unknown, op = '==') => ({ match: { op, left, right } });
const field = (protocol: string, name: string) => ({ payload: { protocol, field: name } });
function nftables(expr: readonly object[], chain: object = {}, more: readonly object[] = []) {
  const place = { family: 'inet', table: 'other' };
  const base = { ...place, name: 'in', hook: 'input', prio: 0, type: 'filter', policy: 'accept', ...chain };
  return verdicts({
    nftables: JSON.stringify({
      nftables: [
        { metainfo: {} },
        { table: {} },
        { chain: base },
        ...more,
        { rule: { ...place, chain: 'in', expr } },
      ],
    }),
  });
}

const OK = [{ state: 'ok' }];
const suspect = (cause: string, found = /./) => [
  { state: 'suspect', cause, found: expect.stringMatching(found) },
];

describe('rules of iptables', () => {
  test.each([
    ['for this address and port', '-A INPUT -d 11.0.0.1/32 -p tcp -m tcp --dport 80 -j DROP', 'filter-drops'],
    [
      'for the whole pool',
      '-A INPUT -d 11.0.0.0/8 -j REJECT --reject-with icmp-port-unreachable',
      'filter-drops',
    ],
    [
      'by another chain',
      '-A INPUT -p tcp -j OTHER\n-A OTHER -p tcp -m multiport --dports 22,80:90 -j DROP',
      'filter-drops',
    ],
    ['for new connections', '-A INPUT -m conntrack --ctstate NEW -p tcp --dport 80 -j DROP', 'filter-drops'],
    ['for a backend', '-A OUTPUT -d 10.0.0.2/32 -p tcp -m tcp --dport 31000 -j DROP', 'filter-drops-backend'],
    ['for replies of a backend', '-A FORWARD -s 10.0.0.2/32 -j DROP', 'filter-drops-backend'],
    ['perhaps, depending on the interface', '-A INPUT -i eth0 -d 11.0.0.1/32 -j DROP', 'filter-drops'],
  ])('a rule drops: %s', (_what, lines, cause) => {
    expect(iptables(lines)).toMatchObject(suspect(cause));
  });

  test.each([
    ['another port', '-A INPUT -d 11.0.0.1/32 -p tcp -m tcp --dport 81 -j DROP'],
    ['another address', '-A INPUT -d 11.0.0.2/32 -j DROP'],
    ['all but this network', '-A INPUT ! -d 11.0.0.0/8 -p tcp --dport 80 -j DROP'],
    ['UDP', '-A INPUT -p udp -j DROP'],
    ['an earlier accept', '-A INPUT -j ACCEPT\n-A INPUT -p tcp --dport 80 -j DROP'],
    ['invalid packets', '-A INPUT -m conntrack --ctstate INVALID -j DROP'],
    ['a chain that is never called', '-A OTHER -j DROP'],
    ['a log line', '-A INPUT -j LOG --log-prefix "DROP "'],
  ])('%s lets the traffic pass', (_what, lines) => {
    expect(iptables(lines)).toMatchObject(OK);
  });

  test('a drop policy counts if no rule accepts', () => {
    expect(iptables('-A INPUT -p udp -j ACCEPT', 'filter', 'DROP')).toMatchObject(
      suspect('filter-policy', /INPUT/),
    );
    expect(iptables('-A INPUT -j ACCEPT', 'filter', 'DROP')).toMatchObject(OK);
  });

  test("a container runtime's published port counts as a translation, for the VIP only", () => {
    const docker =
      '-A PREROUTING -m addrtype --dst-type LOCAL -j OTHER\n-A OTHER ! -i docker0 -p tcp -m tcp --dport 80 -j DNAT --to-destination 172.17.0.2:8080';
    expect(iptables(docker, 'nat')).toMatchObject(
      suspect('filter-translates', /may go elsewhere because of .*DNAT/),
    );
  });
});

describe('rules of nftables', () => {
  test('drop the port of the VIP by number, set, range and named set', () => {
    const rights = [80, { set: [22, 80] }, { range: [1, 1024] }, '@closed'];
    const set = { set: { family: 'inet', table: 'other', name: 'closed', elem: [80] } };
    for (const right of rights) {
      expect(nftables([match(field('tcp', 'dport'), right), { drop: null }], {}, [set])).toMatchObject(
        suspect('filter-drops'),
      );
    }
  });

  test('that concern other traffic are ignored', () => {
    const others = [
      match(field('tcp', 'dport'), 81),
      match(field('udp', 'dport'), 80),
      match(field('ip', 'daddr'), { prefix: { addr: '192.168.0.0', len: 16 } }),
      match({ ct: { key: 'state' } }, ['invalid'], 'in'),
      match(field('ip', 'daddr'), { prefix: { addr: '0.0.0.0', len: 0 } }, '!='),
    ];
    for (const one of others) expect(nftables([one, { drop: null }])).toMatchObject(OK);
  });

  test('distinguish policy, rejection and translation', () => {
    expect(nftables([{ counter: {} }], { policy: 'drop' })).toMatchObject([{ cause: 'filter-policy' }]);
    expect(nftables([match(field('ip', 'daddr'), '11.0.0.1'), { reject: {} }])).toMatchObject(
      suspect('filter-drops', /rejected/),
    );
    const local = match({ fib: { result: 'type', flags: ['daddr'] } }, 'local');
    expect(nftables([local, { dnat: {} }], { hook: 'prerouting' })).toMatchObject(
      suspect('filter-translates'),
    );
  });

  const DROP = { drop: null };
  const named = (kind: 'set' | 'map', elem: readonly unknown[]) => ({
    [kind]: { family: 'inet', table: 'other', name: 'named', elem },
  });

  test('match a range of addresses, alone or in a set', () => {
    const range = (first: string, last: string) => ({ range: [first, last] });
    const daddr = field('ip', 'daddr');
    for (const right of [
      range('10.255.0.0', '11.0.0.1'),
      { set: ['9.9.9.9', range('11.0.0.0', '11.0.0.9')] },
    ])
      expect(nftables([match(daddr, right), DROP])).toMatchObject(suspect('filter-drops', /are dropped/));
    expect(nftables([match(daddr, range('11.0.0.2', '11.255.255.255')), DROP])).toMatchObject(OK);
  });

  test('match elements that have a timeout, a counter or a comment', () => {
    const elem = { elem: { val: '11.0.0.1', timeout: 3_600, comment: 'scanner' } };
    const rule = [match(field('ip', 'daddr'), '@named'), DROP];
    expect(nftables(rule, {}, [named('set', [elem])])).toMatchObject(suspect('filter-drops', /are dropped/));
    const other = { elem: { ...elem.elem, val: '11.0.0.2' } };
    expect(nftables(rule, {}, [named('set', [other])])).toMatchObject(OK);
  });

  test('follow a verdict map, inline or by name', () => {
    const dport = field('tcp', 'dport');
    const elements = [
      [22, { accept: null }],
      [80, DROP],
      [{ range: [81, 90] }, { jump: { target: 'nowhere' } }],
    ];
    const vmap = (data: unknown) => [{ vmap: { key: dport, data } }];
    expect(nftables(vmap({ set: elements }))).toMatchObject(suspect('filter-drops', /are dropped/));
    expect(nftables(vmap('@named'), {}, [named('map', elements)])).toMatchObject(suspect('filter-drops'));
    expect(nftables(vmap({ set: elements.filter(([port]) => port !== 80) }))).toMatchObject(OK);
    expect(nftables(vmap('@absent'))).toMatchObject(OK);
    // What it accepts the policy does not drop.
    const place = { family: 'inet', table: 'other', chain: 'in' };
    const answers = {
      rule: { ...place, expr: [match({ ct: { key: 'state' } }, 'established'), { accept: null }] },
    };
    const accepts = vmap({ set: [80, 31_000].map((port) => [port, { accept: null }]) });
    expect(nftables(accepts, { policy: 'drop' }, [answers])).toMatchObject(OK);
  });

  test('with joined fields match if all fields do', () => {
    const joined = { concat: [field('ip', 'daddr'), { meta: { key: 'l4proto' } }, field('th', 'dport')] };
    const rule = (...value: readonly unknown[]) => [match(joined, { set: [{ concat: value }] }), DROP];
    expect(nftables(rule('11.0.0.1', 'tcp', 80))).toMatchObject(suspect('filter-drops', /are dropped/));
    expect(nftables(rule('11.0.0.1', 'tcp', 81))).toMatchObject(OK);
    expect(nftables(rule('11.0.0.1', 'udp', 80))).toMatchObject(OK);
    const mark = { concat: [field('ip', 'daddr'), { meta: { key: 'mark' } }] };
    expect(nftables([match(mark, { set: [{ concat: ['11.0.0.1', 7] }] }), DROP])).toMatchObject(
      suspect('filter-drops', /may be dropped/),
    );
  });

  test('with a limit may or may not match', () => {
    expect(nftables([{ limit: { rate: 5, per: 'second' } }, { drop: null }])).toMatchObject([
      { cause: 'filter-drops', found: expect.stringContaining('may be dropped') },
      { cause: 'filter-drops-backend' },
    ]);
  });

  test('in our own table are ignored', () => {
    const listing = {
      nftables: [
        { chain: { family: 'inet', table: 'marathon_ipvs', name: 'guard', hook: 'input', policy: 'drop' } },
      ],
    };
    expect(verdicts({ nftables: JSON.stringify(listing) })).toMatchObject(OK);
  });

  test('output that cannot be parsed is reported as unknown', () => {
    expect(verdicts({ nftables: '{' })).toMatchObject([{ state: 'unknown' }]);
  });
});
