import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  addressText,
  canonicalAddress,
  familyOf,
  formatAddress,
  parseAddress,
  unusableAsBackend,
  unusableAsVip,
} from '../../controller/address.ts';
import { formatPool, inPool, parsePool } from '../../controller/desired/pool.ts';
import {
  formatAddress as formatLibraryAddress,
  parseAddress as parseLibraryAddress,
} from '../../ipvs/src/address.ts';

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
  ['::ffff:a00:1', '::ffff:10.0.0.1'],
  ['::FFFF:10.0.0.1', '::ffff:10.0.0.1'],
  ['0:0:0:0:0:ffff:0a00:0001', '::ffff:10.0.0.1'],
  ['::ffff:0:a00:1', '::ffff:0:a00:1'],
  ['::1.2.3.4', '::102:304'],
  ['FD01:C:0:0:0:0:0:7', 'fd01:c::7'],
  ['10.0.0.1', '10.0.0.1'],
  ['010.0.0.1', null],
  ['fe80::1%eth0', null],
  ['web', null],
  ['', null],
])('%s is written %s, as ipvsadm and the library do', (text, canonical) => {
  expect(addressText(text)).toBe(canonical);
  if (canonical !== null)
    expect(formatLibraryAddress(parseLibraryAddress(text), familyOf(text))).toBe(canonical);
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

const USABLE = null;
const NAT64 = 'an address of NAT64, which stands for an IPv4 host';

// Address, why it can be no VIP, why it can be no backend.
test.each([
  ['0.0.0.0', 'the unspecified address', 'the unspecified address'],
  ['0.1.2.3', 'of 0.0.0.0/8', 'of 0.0.0.0/8'],
  ['1.0.0.0', USABLE, USABLE],
  ['10.0.0.1', USABLE, USABLE],
  ['100.64.0.1', USABLE, USABLE],
  ['126.255.255.255', USABLE, USABLE],
  ['127.0.0.1', 'a loopback address', 'a loopback address'],
  ['127.0.1.1', 'a loopback address', 'a loopback address'],
  ['127.255.255.255', 'a loopback address', 'a loopback address'],
  ['128.0.0.0', USABLE, USABLE],
  ['169.253.255.255', USABLE, USABLE],
  ['169.254.169.254', 'a link-local address', 'a link-local address'],
  ['192.0.2.1', USABLE, USABLE],
  ['198.18.0.1', USABLE, USABLE],
  ['223.255.255.255', USABLE, USABLE],
  ['224.0.0.5', 'a multicast address', 'a multicast address'],
  ['239.255.255.255', 'a multicast address', 'a multicast address'],
  ['240.0.0.1', USABLE, USABLE],
  ['255.255.255.254', USABLE, USABLE],
  ['255.255.255.255', 'the broadcast address', 'the broadcast address'],
  ['::', 'the unspecified address', 'the unspecified address'],
  ['::1', 'a loopback address', 'a loopback address'],
  ['0:0:0:0:0:0:0:1', 'a loopback address', 'a loopback address'],
  ['::10.1.2.3', 'an IPv4 address in', 'an IPv4 address in'],
  ['::a01:203', '(IPv4-compatible)', '(IPv4-compatible)'],
  ['::ffff:10.1.2.3', '(IPv4-mapped)', '(IPv4-mapped)'],
  ['::FFFF:A01:203', '(IPv4-mapped)', '(IPv4-mapped)'],
  ['0000:0000:0000:0000:0000:ffff:0a01:0203', '(IPv4-mapped)', '(IPv4-mapped)'],
  ['::ffff:0:10.1.2.3', '(IPv4-translated)', '(IPv4-translated)'],
  ['64:ff9b::10.1.2.3', NAT64, USABLE],
  ['64:ff9b::127.0.0.1', NAT64, 'the NAT64 address of 127.0.0.1, a loopback address'],
  ['100::1', 'a discard-only address', 'a discard-only address'],
  ['100:0:0:1::1', USABLE, USABLE],
  ['2001:db8::1', USABLE, USABLE],
  ['2002:a00:1::1', USABLE, USABLE],
  ['fd01:b::2', USABLE, USABLE],
  ['fe7f::1', USABLE, USABLE],
  ['FE80::1', 'a link-local address', 'a link-local address'],
  ['febf::1', 'a link-local address', 'a link-local address'],
  ['fec0::1', USABLE, USABLE],
  ['ff02::1', 'a multicast address', 'a multicast address'],
])('%s as a VIP: %s; as a backend: %s (null: it can be one)', (text, vip, backend) => {
  const address = parseAddress(text);
  if (address === null) throw new Error('no address');
  const containing = (reason: string | null) => (reason === null ? null : expect.stringContaining(reason));
  expect(unusableAsVip(address)).toEqual(containing(vip));
  expect(unusableAsBackend(address.text)).toEqual(containing(backend));
});

test.each(['', 'web', 'fe80::1%eth0', '010.0.0.1', '10.1.2', '[::1]', '10.0.0.1:80'])(
  'no backend is at "%s"',
  (text) => {
    expect(unusableAsBackend(text)).toBe('not an IP address');
  },
);
