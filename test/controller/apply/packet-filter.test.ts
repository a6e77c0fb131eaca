import { beforeEach, describe, expect, test } from '@jest/globals';
import { FilterTable } from '../../../controller/apply/nftables/table.ts';
import { PacketFilter } from '../../../controller/apply/packet-filter.ts';
import { FakeNftables } from './fake-nftables.ts';

const EPERM = 1;
const ENOENT = 2;
const EINVAL = 22;
const EOPNOTSUPP = 95;
const options = { pools: ['11.0.0.0/8', 'fd01:c::/64'], servers: ['198.51.100.4'], hostAddress: null };

let kernel: FakeNftables;
let filter: PacketFilter;
beforeEach(() => {
  kernel = new FakeNftables();
  filter = new PacketFilter(new FilterTable(kernel.open), options);
});

const transactions = () => kernel.journal.filter((entry) => entry === 'transaction').length;
/** Takes away the first rule of a chain. */
function takeRule(chain: string): void {
  const rules = kernel.table?.rules ?? [];
  const at = rules.findIndex((rule) => rule.chain === chain);
  rules.splice(at, 1);
  kernel.disturb();
}

describe('the packet filter', () => {
  test('is written once, and found as it should be from then on', async () => {
    expect(await filter.ensure(['192.168.77.7'])).toEqual({
      changed: ['packet filter table inet marathon_ipvs written: it was missing'],
      problems: [],
      advice: [],
      translatesOwn: { ipv4: true, ipv6: true },
    });
    expect(await filter.ensure(['192.168.77.7'])).toMatchObject({ changed: [], problems: [], advice: [] });
    const again = new PacketFilter(new FilterTable(kernel.open), options);
    expect(await again.ensure(['192.168.77.7'])).toMatchObject({ changed: [] });
    expect(transactions()).toBe(1);
  });

  test('a VIP that comes or goes changes a set and leaves chains and rules as they are', async () => {
    await filter.ensure([]);
    const rules = kernel.table?.rules;
    expect((await filter.ensure(['192.168.77.7'])).changed).toEqual([
      'packet filter table inet marathon_ipvs sets vips4 filled',
    ]);
    expect((await filter.ensure(['fd77::7'])).changed).toEqual([
      'packet filter table inet marathon_ipvs sets vips4, vips6 filled',
    ]);
    expect(kernel.table?.rules).toBe(rules);
  });

  test('while no table of anyone changes, a look is one question', async () => {
    await filter.ensure([]);
    await filter.repair();
    kernel.journal.length = 0;
    expect(await filter.repair()).toEqual([]);
    expect(kernel.journal).toEqual(['read the generation']);
  });

  test('what others do elsewhere makes it look, not write', async () => {
    await filter.ensure([]);
    kernel.disturb();
    expect(await filter.repair()).toEqual([]);
    expect(transactions()).toBe(1);
  });

  test.each<[string, () => void, RegExp]>([
    [
      'the table',
      () => {
        kernel.table = null;
      },
      /it was missing/,
    ],
    ['a rule', () => takeRule('guard'), /rules of chain guard were not as written/],
    [
      'a chain',
      () => {
        kernel.table?.chains.delete('output');
      },
      /chain output was not as written/,
    ],
    [
      'a set',
      () => {
        kernel.table?.parts.delete('vips6');
      },
      /set vips6 was missing/,
    ],
    [
      'the members of a set',
      () => {
        kernel.table?.elements.delete('vips4');
      },
      /sets vips4 filled/,
    ],
    [
      'a chain of someone else in it',
      () => {
        kernel.table?.parts.add('x');
      },
      /it had 10 sets and chains, not 9/,
    ],
  ])('what someone takes away or adds is put right and named: %s', async (_, disturbance, named) => {
    await filter.ensure(['192.168.77.7']);
    disturbance();
    kernel.disturb();
    expect(await filter.repair()).toEqual([expect.stringMatching(named)]);
    kernel.disturb();
    expect(await filter.repair()).toEqual([]);
  });

  test('what was written by another version, with other rules, is replaced', async () => {
    const other = new PacketFilter(new FilterTable(kernel.open), { ...options, hostAddress: '10.9.0.1' });
    await other.ensure([]);
    expect((await filter.ensure([])).changed).toEqual([
      expect.stringContaining('rules of chain prerouting were not as written'),
    ]);
  });

  test('rules that a kernel does not know are left out, with what does not work without them', async () => {
    kernel.refuse = (what) => (what.includes('the reply would not come back') ? ENOENT : 0);
    const { changed, problems, advice, translatesOwn } = await filter.ensure([]);
    expect(changed).toHaveLength(1);
    expect(problems).toEqual([]);
    expect(advice).toEqual([
      expect.stringMatching(/errno 2; without it: no answer where client and backend/),
    ]);
    expect(translatesOwn).toEqual({ ipv4: true, ipv6: true });
    expect(kernel.table?.rules).toHaveLength(19);
    // And what is left is kept.
    takeRule('guard');
    expect(await filter.repair()).toHaveLength(1);
    expect((await filter.ensure([])).changed).toEqual([]);
  });

  test('a kernel without NAT for both families at once still guards, and translates nothing', async () => {
    const nat = /chain (prerouting|output|postrouting)$/;
    kernel.refuse = (what) => (nat.test(what) ? EOPNOTSUPP : 0);
    const { advice, translatesOwn } = await filter.ensure([]);
    expect(translatesOwn).toEqual({ ipv4: false, ipv6: false });
    expect(kernel.table?.chains.size).toBe(1);
    for (const line of advice)
      expect(line).toMatch(
        /; fix, on the host itself: modprobe -a nft_chain_nat .* > \/etc\/modules-load\.d\/[\w.-]+$/,
      );
  });

  test.each([
    ['EINVAL, where netfilter has no nf_tables', 'read the generation', EINVAL],
    ['EOPNOTSUPP, where it has no tables of this family', 'add table inet marathon_ipvs', EOPNOTSUPP],
  ])('a kernel without nftables is one line of advice, and no error: %s', async (_, what, errno) => {
    kernel.refuse = (asked) => (asked === what ? errno : 0);
    const report = await filter.ensure([]);
    expect(report).toMatchObject({ changed: [], problems: [], translatesOwn: { ipv4: false, ipv6: false } });
    expect(report.advice).toEqual([
      expect.stringMatching(/has no nftables.*--packet-filter none accepts that; fix, .*: modprobe /),
    ]);
    expect(await filter.repair()).toEqual([]);
    expect(await filter.remove()).toBe(false);
  });

  test('without CAP_NET_ADMIN it is a problem that says so, not a kernel that lacks something', async () => {
    kernel.refuse = () => EPERM;
    expect(await filter.ensure([])).toMatchObject({
      problems: [expect.stringContaining('CAP_NET_ADMIN')],
      advice: [],
    });
  });

  test('what fails for once leaves the table as it was, and it is kept', async () => {
    const EBUSY = 16;
    await filter.ensure([]);
    kernel.refuse = (what) => (what.startsWith('fill set') ? EBUSY : 0);
    expect(await filter.ensure(['192.168.77.7'])).toMatchObject({
      problems: [expect.stringContaining('fill set vips4')],
      translatesOwn: { ipv4: true, ipv6: true },
    });
    takeRule('guard');
    kernel.refuse = () => 0;
    expect(await filter.repair()).toHaveLength(1);
    expect((await filter.ensure(['192.168.77.7'])).problems).toEqual([]);
  });

  test('it is removed, and then not looked at any more', async () => {
    await filter.ensure([]);
    expect([await filter.exists(), await filter.remove()]).toEqual([true, true]);
    expect([await filter.exists(), await filter.remove(), await filter.repair()]).toEqual([false, false, []]);
    expect(kernel.table).toBeNull();
  });
});
