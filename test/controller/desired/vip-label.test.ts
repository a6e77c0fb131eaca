import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseVipLabel } from '../../../controller/desired/vip-label.ts';
import { isVipLabel } from '../../../controller/settings/label-keys.ts';

const named = (label: string, port: number) => ({ kind: 'name', label, port });
const reasonOf = (value: string): string => {
  const result = parseVipLabel(value);
  return result.kind === 'problem' ? result.reason : 'no problem';
};

test.each(['VIP_0', 'VIP_17', 'VIP', 'vip', 'vip_1', 'VIPfoo', 'vipfoo'])('%s is a VIP label', (key) => {
  expect(isVipLabel(key)).toBe(true);
});

test.each(['Vip', 'vIP', 'Vip_0', ' VIP_0', 'MY_VIP', 'IPVS_WEIGHT', ''])('"%s" is no VIP label', (key) => {
  expect(isVipLabel(key)).toBe(false);
});

describe('a value that is split at its last colon', () => {
  test.each([
    ['/my-service:5555', named('my-service', 5555)],
    ['my-service:5555', named('my-service', 5555)],
    ['//my-service:80', named('/my-service', 80)],
    ['/outergroup/subgroup/myapp:80', named('outergroup/subgroup/myapp', 80)],
    ['http://web:80', named('http://web', 80)],
    ['my service:80', named('my service', 80)],
    ['/web:1', named('web', 1)],
    ['/web:65535', named('web', 65535)],
    ['/web:0080', named('web', 80)],
    ['/web:+80', named('web', 80)],
    ['1.2.3:80', named('1.2.3', 80)],
    ['1.2.3.4.5:80', named('1.2.3.4.5', 80)],
    ['1.2.3.256:80', named('1.2.3.256', 80)],
    ['01.2.3.4:80', named('01.2.3.4', 80)],
    ['/1.2.3.4:80', named('1.2.3.4', 80)],
    ['[web]:80', named('[web]', 80)],
    ['fd01:c:x:80', named('fd01:c:x', 80)],
  ])('%s is a named VIP', (value, expected) => {
    expect(parseVipLabel(value)).toEqual(expected);
  });

  test.each([
    ['1.2.3.4:8080', 'ipv4', '1.2.3.4', 8080],
    ['11.0.0.1:80', 'ipv4', '11.0.0.1', 80],
    ['fd01:c::1:8080', 'ipv6', 'fd01:c::1', 8080],
    ['FD01:000C:0:0:0:0:0:1:80', 'ipv6', 'fd01:c::1', 80],
    ['2001:db8:0:0:1:0:0:1:53', 'ipv6', '2001:db8::1:0:0:1', 53],
  ])('%s is an IP VIP in its one text form', (value, family, text, port) => {
    expect(parseVipLabel(value)).toMatchObject({ kind: 'address', address: { family, text }, port });
  });
});

test('a value without colon is told what was expected', () => {
  expect(reasonOf('nocolon')).toBe('expected NAME:PORT or IP:PORT');
});

test.each([
  'web:',
  'web:0',
  'web:-1',
  'web:65536',
  'web:80 ',
  'web: 80',
  'web:0x50',
  'web:8o',
  'web:1e3',
  ':',
  'web:８０',
])('"%s" has no port from 1 to 65535', (value) => {
  expect(reasonOf(value)).toBe('expected NAME:PORT or IP:PORT, with a port from 1 to 65535');
});

test.each([':80', '/:80'])('%s has an empty name, which is ignored', (value) => {
  expect(parseVipLabel(value)).toMatchObject({ kind: 'problem', ignored: true });
});

test('an IPv6 address in brackets is to be written without them', () => {
  expect(reasonOf('[fd01:c::1]:8080')).toBe(
    'expected NAME:PORT or IP:PORT; write the address without brackets: fd01:c::1:8080',
  );
});

test.each([
  ['0.0.0.0:80', '0.0.0.0 is the unspecified address'],
  [':::80', ':: is the unspecified address'],
  ['127.0.0.1:80', '127.0.0.1 is a loopback address'],
  ['127.8.8.8:80', '127.8.8.8 is a loopback address'],
  ['::1:80', '::1 is a loopback address'],
  ['224.0.0.1:80', '224.0.0.1 is a multicast address'],
  ['ff02::1:80', 'ff02::1 is a multicast address'],
  ['169.254.1.1:80', '169.254.1.1 is a link-local address'],
  ['fe80::1:80', 'fe80::1 is a link-local address'],
  ['255.255.255.255:80', '255.255.255.255 is the broadcast address'],
  ['::ffff:10.0.0.1:80', '::ffff:10.0.0.1 is an IPv4 address in IPv6 form (IPv4-mapped)'],
  ['::1.2.3.4:80', '::102:304 is an IPv4 address in the old IPv6 form (IPv4-compatible)'],
])('%s takes an address that no VIP can have', (value, reason) => {
  expect(reasonOf(value)).toBe(`${reason}, which no VIP can have`);
});

test('any text gives a VIP or a reason', () => {
  const texts = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string({ unit: fc.constantFrom(...'[]:.0f1%/-') }),
    fc.ipV6().map((address) => `${address}:80`),
  );
  fc.assert(
    fc.property(texts, (text) => {
      const result = parseVipLabel(text);
      if (result.kind === 'problem') expect(result.reason).not.toBe('');
      else expect(result.port).toBeGreaterThan(0);
    }),
  );
});
