import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { formatAddress, parseAddress } from '../../../controller/address.ts';
import { phash2 } from '../../../controller/desired/phash2.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

test.each([
  ['foo.bar', 37],
  ['baz.qux', 39],
])('phash2 of %s is what dcos-net tests for, with 254 addresses', (name, expected) => {
  expect(phash2(bytes(name), 254)).toBe(expected);
});

test('phash2 stays below its range, whatever the bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), fc.integer({ min: 1, max: 0xffffffff }), (input, range) => {
      const hash = phash2(input, range);
      expect(Number.isInteger(hash) && hash >= 0 && hash < range).toBe(true);
    }),
  );
});

const FIXTURE = new URL('../../../../shared/fixtures/address-compat.json', import.meta.url);
const vectors: readonly { readonly name: string; readonly address: string }[] = existsSync(FIXTURE)
  ? JSON.parse(readFileSync(FIXTURE, 'utf8')).vectors
  : [];

(vectors.length > 0 ? test : test.skip)(
  'phash2 gives the addresses that Erlang itself printed (needs ../shared/fixtures)',
  () => {
    const min = parseAddress('11.0.0.0')?.value ?? 0n;
    const addresses = vectors.map(({ name }) => ({
      name,
      address: formatAddress('ipv4', min + BigInt(phash2(bytes(name), 16_777_214))),
    }));
    expect(addresses).toEqual(vectors);
  },
);
