import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import ipaddr from 'ipaddr.js';
import { reverseName, reverseZones } from '../../../controller/dns/reverse.ts';

describe('reverse names', () => {
  test.each([
    ['11.134.217.55', '55.217.134.11.in-addr.arpa'],
    ['fd01:c::1', `1.${'0.'.repeat(23)}c.0.0.0.1.0.d.f.ip6.arpa`],
  ])('%s has the reverse name %s', (address, name) => {
    expect(reverseName(address)).toBe(name);
  });

  test.each([
    ['11.0.0.0/8', ['11.in-addr.arpa']],
    ['10.20.0.0/16', ['20.10.in-addr.arpa']],
    ['10.20.0.0/15', ['20.10.in-addr.arpa', '21.10.in-addr.arpa']],
    ['10.1.2.240/28', Array.from({ length: 16 }, (_, i) => `${240 + i}.2.1.10.in-addr.arpa`)],
    ['fd01:c::/64', ['0.0.0.0.0.0.0.0.c.0.0.0.1.0.d.f.ip6.arpa']],
    ['fd00::/8', ['d.f.ip6.arpa']],
    ['fd00:4000::/18', ['4', '5', '6', '7'].map((digit) => `${digit}.0.0.d.f.ip6.arpa`)],
    ['fd00:4000::/19', ['4', '5'].map((digit) => `${digit}.0.0.d.f.ip6.arpa`)],
  ])('the zones of %s hold its addresses and no others', (network, zones) => {
    expect(reverseZones(network)).toEqual(zones);
  });

  test('an address has its reverse name in a zone of a network exactly if it is in the network', () => {
    const networks = fc.tuple(fc.uint8Array({ minLength: 4, maxLength: 4 }), fc.integer({ min: 8, max: 28 }));
    fc.assert(
      fc.property(
        networks,
        fc.uint8Array({ minLength: 4, maxLength: 4 }),
        fc.boolean(),
        ([bytes, prefix], other, near) => {
          const network = ipaddr.IPv4.networkAddressFromCIDR(`${bytes.join('.')}/${prefix}`);
          const address = near ? [...bytes.slice(0, 3), other[3] ?? 0] : [...other];
          const text = address.join('.');
          const within = ipaddr.IPv4.parse(text).match([network, prefix]);
          const name = `.${reverseName(text)}`;
          expect(reverseZones(`${network}/${prefix}`).some((zone) => name.endsWith(`.${zone}`))).toBe(within);
        },
      ),
    );
  });
});
