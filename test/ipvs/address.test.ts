import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { formatAddress, netmaskBytes, parseAddress, prefixLengthOf } from '../../ipvs/src/address.ts';
import { viewOf } from '../../ipvs/src/codec.ts';
import { fromHex, hex } from '../support/hex.ts';

describe('an address', () => {
  test('has its own text, however many were written before it', () => {
    const addresses = Array.from(
      { length: 20_000 },
      (_, index) => `10.${index >> 12}.${(index >> 4) & 255}.${index & 15}`,
    );
    for (const again of [addresses, addresses.toReversed()])
      expect(again.map((text) => formatAddress(parseAddress(text), 'ipv4'))).toEqual(again);
  });

  test.each([
    ['10.96.4.7', '0a600407 00000000 00000000 00000000'],
    ['0.0.0.0', '00000000 00000000 00000000 00000000'],
    ['255.255.255.255', 'ffffffff 00000000 00000000 00000000'],
    ['::', '00000000 00000000 00000000 00000000'],
    ['::1', '00000000 00000000 00000000 00000001'],
    ['fd00::7', 'fd000000 00000000 00000000 00000007'],
    ['FD00:0:0:0:0:0:0:7', 'fd000000 00000000 00000000 00000007'],
    ['1:2:3:4:5:6:7:8', '00010002 00030004 00050006 00070008'],
    ['::ffff:10.1.2.3', '00000000 00000000 0000ffff 0a010203'],
    ['fe80::', 'fe800000 00000000 00000000 00000000'],
  ])('%s takes sixteen bytes, IPv4 in the first four', (text, bytes) => {
    expect(hex(parseAddress(text))).toBe(bytes);
  });

  test.each([
    '',
    '10.1.2',
    '10.1.2.3.4',
    '10.1.2.256',
    '10.1.2.03',
    '10..2.3',
    '10.1.2.3 ',
    'host',
    '1.2.3.x',
  ])('%p is no IPv4 address', (text) => {
    expect(() => parseAddress(text)).toThrow(expect.objectContaining({ code: 'invalid' }));
  });

  test.each([':', '1::2::3', '12345::', 'fe80::1%eth0', '[::1]', '::g'])('%p is no IPv6 address', (text) => {
    expect(() => parseAddress(text)).toThrow('is not an IPv4 or IPv6 address');
  });

  test.each([
    ['00000000 00000000 00000000 00000000', '::'],
    ['00010000 00000000 00010000 00000000', '1::1:0:0:0'],
    ['00010000 00020003 00040005 00060007', '1:0:2:3:4:5:6:7'],
    ['00000000 00000000 0000ffff 0a010203', '::ffff:10.1.2.3'],
    ['fd000000 00000000 00000000 00000000', 'fd00::'],
  ])('is printed as inet_ntop does: %s is %s', (bytes, text) => {
    expect(formatAddress(fromHex(bytes), 'ipv6')).toBe(text);
  });

  test('of too few bytes is a malformed reply', () => {
    expect(() => formatAddress(new Uint8Array(4), 'ipv6')).toThrow(
      expect.objectContaining({ code: 'malformed-reply' }),
    );
    expect(() => formatAddress(new Uint8Array(3), 'ipv4')).toThrow('ipv4 address in 3 bytes');
  });

  test('is the same after being printed and parsed', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (bytes) => {
        expect(parseAddress(formatAddress(bytes, 'ipv6'))).toEqual(bytes);
      }),
    );
    fc.assert(fc.property(fc.ipV4(), (text) => expect(formatAddress(parseAddress(text), 'ipv4')).toBe(text)));
  });
});

describe('a netmask', () => {
  test('is in network order for IPv4 and a host-order length for IPv6', () => {
    expect(hex(netmaskBytes(24, 'ipv4'))).toBe('ffffff00');
    expect(hex(netmaskBytes(32, 'ipv4'))).toBe('ffffffff');
    expect(hex(netmaskBytes(64, 'ipv6'))).toBe('40000000');
  });

  test.each([0, 33, 1.5, -1])('of %p bits is refused for IPv4', (length) => {
    expect(() => netmaskBytes(length, 'ipv4')).toThrow(expect.objectContaining({ code: 'invalid' }));
  });

  test('is read back as the prefix that it was written from', () => {
    const readBack = (length: number, family: 'ipv4' | 'ipv6') =>
      prefixLengthOf(viewOf(netmaskBytes(length, family)), 0, 4, family);
    for (let length = 1; length <= 32; length++) expect(readBack(length, 'ipv4')).toBe(length);
    expect(readBack(128, 'ipv6')).toBe(128);
  });
});
