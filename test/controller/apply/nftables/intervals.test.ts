import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { boundaries } from '../../../../controller/apply/nftables/intervals.ts';

function words(family: 'ipv4' | 'ipv6', ...members: readonly string[]): string[] {
  return boundaries(family, members).map(
    ({ key, end }) =>
      `${family === 'ipv4' ? key.join('.') : Buffer.from(key).toString('hex')}${end ? ' end' : ''}`,
  );
}

test.each([
  ['a network ends behind its last address', ['11.0.0.0/8'], ['0.0.0.0 end', '11.0.0.0', '12.0.0.0 end']],
  ['an address is a network of one', ['192.168.77.7'], ['0.0.0.0 end', '192.168.77.7', '192.168.77.8 end']],
  ['neighbours are one range', ['10.0.0.2', '10.0.0.1'], ['0.0.0.0 end', '10.0.0.1', '10.0.0.3 end']],
  [
    'what lies in a network adds nothing',
    ['11.0.0.0/8', '11.7.7.7'],
    ['0.0.0.0 end', '11.0.0.0', '12.0.0.0 end'],
  ],
  ['what is last of all has no end', ['255.255.255.255'], ['0.0.0.0 end', '255.255.255.255']],
  ['no members, no boundaries', [], []],
])('%s', (_, members, expected) => {
  expect(words('ipv4', ...members)).toEqual(expected);
});

test('IPv6 networks go by their 128 bits', () => {
  expect(words('ipv6', 'fd01:c::/64')).toEqual([
    `${'0'.repeat(32)} end`,
    'fd01000c000000000000000000000000',
    'fd01000c000000010000000000000000 end',
  ]);
});

test('an address is in the ranges exactly if it is one of the members, in whatever order they come', () => {
  const octet = fc.integer({ min: 0, max: 40 });
  fc.assert(
    fc.property(fc.array(octet, { maxLength: 12 }), octet, (members, probe) => {
      const found = boundaries(
        'ipv4',
        members.map((member) => `10.0.0.${member}`),
      );
      const before = found.filter(({ key }) => Buffer.compare(key, Uint8Array.of(10, 0, 0, probe)) <= 0);
      const last = before.at(-1);
      expect(last !== undefined && !last.end).toBe(members.includes(probe));
      expect(found.every(({ end }, at) => end === (at % 2 === 0))).toBe(true);
    }),
  );
});
