import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { canonicalAddress, formatAddress, parseAddress } from '../../../controller/desired/address.ts';
import { formatPool, inPool, parsePool } from '../../../controller/desired/pool.ts';

test.each([
  '',
  '1.2.3',
  '1.2.3.4.5',
  '01.2.3.4',
  '1.2.3.256',
  '0x1.2.3.4',
  ' 1.2.3.4',
  '1.2.3.4/8',
  'fd01:c:',
  'fe80::1%eth0',
  '[::1]',
  'g::1',
])('"%s" is no address', (text) => {
  expect(parseAddress(text)).toBeNull();
});

test('an address has one text form, and writing and reading it are opposites', () => {
  const addresses = fc.oneof(
    fc.bigInt({ min: 0n, max: (1n << 32n) - 1n }).map((value) => ({ family: 'ipv4' as const, value })),
    fc.bigInt({ min: 0n, max: (1n << 128n) - 1n }).map((value) => ({ family: 'ipv6' as const, value })),
  );
  fc.assert(
    fc.property(addresses, ({ family, value }) => {
      const text = formatAddress(family, value);
      expect(parseAddress(text)).toEqual({ family, text, value });
      expect(canonicalAddress(text.toUpperCase())).toBe(text);
    }),
  );
});

test.each([
  ['11.0.0.0/8', '11.0.0.0 to 11.255.255.254'],
  ['11.0.0.0/24', '11.0.0.0 to 11.0.0.254'],
  ['11.0.0.7/32', '11.0.0.7 to 11.0.0.7'],
  ['fd01:c::/64', 'fd01:c:: to fd01:c::ffff:ffff:ffff:ffff'],
])('the pool %s is %s, as in DC/OS', (text, range) => {
  const pool = parsePool(text);
  expect(pool && formatPool(pool)).toBe(range);
});

test.each([
  '11.0.0.0',
  '11.0.0.1/8',
  '11.0.0.0/33',
  '11.0.0.0/',
  '/8',
  'web/8',
  '11.0.0.0/8/8',
  'fd01:c::1/64',
  'fd01:c::/129',
])('%s is no pool', (text) => {
  expect(parsePool(text)).toBeNull();
});

test('a pool has its ends and nothing beyond them', () => {
  const pool = parsePool('11.0.0.0/24');
  if (pool === null) throw new Error('no pool');
  expect(
    ['10.255.255.255', '11.0.0.0', '11.0.0.254', '11.0.0.255', 'fd01::1', 'web'].map((text) =>
      inPool(pool, text),
    ),
  ).toEqual([false, true, true, false, false, false]);
});
