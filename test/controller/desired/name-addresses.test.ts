import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { NameAddresses } from '../../../controller/desired/name-addresses.ts';
import { parsePool } from '../../../controller/desired/pool.ts';
import type { NamedAddresses } from '../../../controller/model/name-memory.ts';

const pools = (ipv4: string, ipv6?: string) => ({
  ipv4: parsePool(ipv4),
  ipv6: ipv6 === undefined ? null : parsePool(ipv6),
});

interface Allocation {
  readonly addresses: ReadonlyMap<string, NamedAddresses>;
  readonly warnings: readonly string[];
}

/** What these names get where nothing else is known. */
function allocate(
  where: ReturnType<typeof pools>,
  names: readonly string[],
  kept: Readonly<Record<string, NamedAddresses>> = {},
  taken: readonly string[] = [],
): Allocation {
  const addresses = new NameAddresses(where, new Map(Object.entries(kept)));
  for (const name of Object.keys(kept)) if (!names.includes(name)) addresses.forget(name);
  for (const address of taken) addresses.take(address);
  for (const name of names) addresses.markUsed(name);
  addresses.assign();
  return { addresses: addresses.all, warnings: addresses.warnings() };
}

const ipv4Of = ({ addresses }: Allocation) =>
  Object.fromEntries([...addresses].map(([name, { ipv4 }]) => [name, ipv4]));

test.each([
  ['foo.bar', '11.0.0.0/24', '11.0.0.37'],
  ['baz.qux', '11.0.0.0/24', '11.0.0.39'],
  ['foo.bar', '11.0.0.0/8', '11.138.58.225'],
  ['web.marathon', '11.0.0.0/8', '11.225.37.143'],
  ['my-service.marathon', '11.0.0.0/8', '11.134.217.55'],
  ['merp.marathon', '11.0.0.0/8', '11.250.208.155'],
  ['broker.kafka', '11.0.0.0/8', '11.175.100.165'],
])('%s gets from %s the address that DC/OS gave it', (name, pool, address) => {
  expect(ipv4Of(allocate(pools(pool), [name]))).toEqual({ [name]: address });
});

test('a name gets an IPv6 address by SHA-1 where there is an IPv6 pool', () => {
  expect(allocate(pools('11.0.0.0/24', 'fd01:c::/64'), ['qux.ipv6']).addresses.get('qux.ipv6')).toEqual({
    ipv4: expect.any(String),
    ipv6: 'fd01:c::6d6d:9c64:fd19:f251',
  });
});

test('new names that have one first choice get one address each, in the order of their names', () => {
  // In a pool of two the first choice of every name is the lower address: the maximum never is one.
  const two = { ipv4: { family: 'ipv4' as const, min: 0x0b000004n, max: 0x0b000005n }, ipv6: null };
  const result = allocate(two, ['b.marathon', 'c.marathon', 'a.marathon']);
  expect(ipv4Of(result)).toEqual({ 'a.marathon': '11.0.0.4', 'b.marathon': '11.0.0.5' });
  expect(result.warnings).toEqual([
    'b.marathon has the address 11.0.0.5 because a.marathon has 11.0.0.4; other hosts may have it otherwise',
    'c.marathon has no address: the pool 11.0.0.4 to 11.0.0.5 is full',
  ]);
});

test('a collision takes the next address, after the last one the first', () => {
  const [foo, next, after] = ['11.0.0.37', '11.0.0.38', '11.0.0.39'];
  const result = allocate(pools('11.0.0.0/24'), ['foo.bar', 'zed.kept'], { 'zed.kept': { ipv4: foo } });
  expect(ipv4Of(result)).toMatchObject({ 'foo.bar': next, 'zed.kept': foo });
  expect(result.warnings).toContain(
    'foo.bar has the address 11.0.0.38 because zed.kept has 11.0.0.37; other hosts may have it otherwise',
  );

  const skipping = allocate(pools('11.0.0.0/24'), ['foo.bar'], {}, [foo, next, after]);
  expect(ipv4Of(skipping)).toEqual({ 'foo.bar': '11.0.0.40' });
  expect(skipping.warnings).toEqual([
    'foo.bar has the address 11.0.0.40 because an IP VIP has 11.0.0.37; other hosts may have it otherwise',
  ]);

  const all = Array.from({ length: 218 }, (_, i) => `11.0.0.${37 + i}`);
  expect(ipv4Of(allocate(pools('11.0.0.0/24'), ['foo.bar'], {}, all))).toEqual({ 'foo.bar': '11.0.0.0' });
});

test('a kept address comes before a new name that would hash to it, and is told as long as both last', () => {
  const addresses = new NameAddresses(pools('11.0.0.0/24'), new Map([['zed.kept', { ipv4: '11.0.0.37' }]]));
  for (const name of ['zed.kept', 'foo.bar']) {
    addresses.markUsed(name);
    addresses.assign();
  }
  const told = addresses.warnings();
  addresses.assign();
  expect([...addresses.all]).toEqual([
    ['zed.kept', { ipv4: '11.0.0.37' }],
    ['foo.bar', { ipv4: '11.0.0.38' }],
  ]);
  expect(addresses.warnings()).toEqual(told);
  addresses.markUnused('zed.kept');
  addresses.forget('zed.kept');
  expect([...addresses.all.keys(), ...addresses.warnings()]).toEqual(['foo.bar']);
});

test('a name that is no longer there frees its address', () => {
  const result = allocate(pools('11.0.0.0/24'), ['foo.bar'], { 'zed.kept': { ipv4: '11.0.0.37' } });
  expect(ipv4Of(result)).toEqual({ 'foo.bar': '11.0.0.37' });
});

test.each(['10.1.2.3', 'fd01:c::7', 'rubbish', '11.0.0.255'])(
  'the remembered address %s is not in the pool: the name is placed anew',
  (address) => {
    expect(ipv4Of(allocate(pools('11.0.0.0/24'), ['foo.bar'], { 'foo.bar': { ipv4: address } }))).toEqual({
      'foo.bar': '11.0.0.37',
    });
  },
);

test('of two names that remember one address the first in order keeps it', () => {
  const kept = { 'b.x': { ipv4: '11.0.0.9' }, 'a.x': { ipv4: '11.0.0.9' } };
  for (const names of [
    ['a.x', 'b.x'],
    ['b.x', 'a.x'],
  ]) {
    const addresses = ipv4Of(allocate(pools('11.0.0.0/24'), names, kept));
    expect(addresses['a.x']).toBe('11.0.0.9');
    expect(addresses['b.x']).not.toBe('11.0.0.9');
  }
});

test('a full pool leaves the last names without address and says so; the others work', () => {
  const names = Array.from({ length: 5 }, (_, i) => `name-${i}.marathon`);
  const result = allocate(pools('11.0.0.0/30'), names);
  expect(result.addresses.size).toBe(3);
  expect(result.warnings.filter((text) => text.includes('is full'))).toEqual([
    'name-3.marathon has no address: the pool 11.0.0.0 to 11.0.0.2 is full',
    'name-4.marathon has no address: the pool 11.0.0.0 to 11.0.0.2 is full',
  ]);
});

test('no two names have one address, none is outside the pool or taken, and the order of names does not matter', () => {
  const pool = pools('11.0.0.0/27', 'fd01:c::/123');
  const address = fc.integer({ min: 0, max: 40 }).map((last) => `11.0.0.${last}`);
  const world = fc.record({
    names: fc.uniqueArray(
      fc.integer({ min: 0, max: 60 }).map((i) => `n${i}.marathon`),
      { maxLength: 40 },
    ),
    kept: fc.dictionary(
      fc.integer({ min: 0, max: 60 }).map((i) => `n${i}.marathon`),
      address.map((ipv4) => ({ ipv4 })),
    ),
    taken: fc.array(address, { maxLength: 8 }),
  });
  fc.assert(
    fc.property(world, ({ names, kept, taken }) => {
      const result = allocate(pool, names, kept, taken);
      for (const family of ['ipv4', 'ipv6'] as const) {
        const used = [...result.addresses.values()].flatMap((entry) => entry[family] ?? []);
        expect(new Set(used).size).toBe(used.length);
        expect(used.filter((text) => taken.includes(text))).toEqual([]);
      }
      const last = Object.values(ipv4Of(result)).map((text) => Number(text?.split('.')[3]));
      expect(last.every((number) => number <= 30)).toBe(true);
      expect(allocate(pool, names.toReversed(), kept, taken)).toEqual(result);
    }),
  );
});
