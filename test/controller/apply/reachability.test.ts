import { beforeEach, expect, test } from '@jest/globals';
import { HostReachability, type ReachabilityParts } from '../../../controller/apply/reachability.ts';

const journal: string[] = [];
let unmet: string[] = [];
beforeEach(() => {
  journal.length = 0;
  unmet = [];
});

function part(name: string) {
  return {
    description: name,
    repair: async (): Promise<readonly string[]> => [`${name} repaired`],
    exists: async () => true,
    remove: async () => {
      journal.push(`remove ${name}`);
      return true;
    },
    close: () => undefined,
  };
}

function reachability(more: Partial<ReachabilityParts> = {}): HostReachability {
  const parts: ReachabilityParts = {
    sysctls: {
      ensure: async () => ({ changed: [], advice: [], unmet }),
      repair: async () => ['sysctl repaired'],
    },
    filtering: true,
    filter: {
      ...part('filter'),
      ensure: async (addresses) => {
        journal.push(`filter ${addresses.join(' ')}`);
        const translatesOwn = { ipv4: true, ipv6: true };
        return { changed: ['filter written'], problems: [], advice: [], translatesOwn };
      },
    },
    dummy: {
      ...part('interface'),
      reachesOthers: async () => false,
      ensure: async ({ addresses, translatesOwn }) => {
        journal.push(`interface ${addresses.join(' ')}, translated ${translatesOwn.ipv4}`);
        return { changed: ['interface added'], problems: [], advice: [] };
      },
    },
    ...more,
  };
  return new HostReachability(parts);
}

test('an address is guarded before it is reachable, and until it is not reachable any more (rule 7)', async () => {
  const host = reachability();
  await host.ensure(['10.7.7.7']);
  await host.ensure(['10.7.7.8']);
  await host.remove();
  expect(journal).toEqual([
    'filter 10.7.7.7',
    'interface 10.7.7.7, translated true',
    'filter 10.7.7.8 10.7.7.7',
    'interface 10.7.7.8, translated true',
    'filter 10.7.7.8',
    'remove interface',
    'remove filter',
  ]);
});

test('where conntrack is not to be had for IPVS, no translation is relied upon', async () => {
  unmet = ['net.ipv4.vs.conntrack'];
  await reachability().ensure([]);
  expect(journal).toEqual(['filter ', 'interface , translated false']);
});

test('a filter that is not wanted is taken away, and said so', async () => {
  const { changed } = await reachability({ filtering: false }).ensure([]);
  expect(changed).toEqual(['filter removed (--packet-filter none)', 'interface added']);
  expect(journal).toEqual(['remove filter', 'interface , translated false']);
});

test('one part that cannot be put right keeps no other from it, and what was done counts', async () => {
  const broken = { ...part('filter'), repair: () => Promise.reject(new Error('no reply')) };
  const filter = { ...broken, ensure: () => Promise.reject(new Error('not asked')) };
  expect(await reachability({ filter }).repair()).toEqual(['sysctl repaired', 'interface repaired']);

  const quiet = async (): Promise<readonly string[]> => [];
  const sysctls = { ensure: async () => ({ changed: [], advice: [], unmet }), repair: quiet };
  const dummy = {
    ...part('interface'),
    repair: quiet,
    reachesOthers: async () => false,
    ensure: () => Promise.reject(new Error('not asked')),
  };
  await expect(reachability({ filter, sysctls, dummy }).repair()).rejects.toThrow('no reply');
});
