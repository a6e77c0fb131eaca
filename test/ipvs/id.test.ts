import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { isSameService, serviceKey } from '../../ipvs/src/id.ts';
import type { ServiceId } from '../../ipvs/src/types.ts';

/** Few of each, so that two of them are often the same or differ in one thing alone. */
const id: fc.Arbitrary<ServiceId> = fc.oneof(
  fc.record({
    protocol: fc.constantFrom('tcp', 'udp'),
    address: fc.constantFrom('10.96.4.7', '10.96.4.8', 'fd00::7'),
    port: fc.constantFrom(80, 443),
  }),
  fc.record({ fwmark: fc.constantFrom(1, 2), family: fc.constantFrom('ipv4', 'ipv6') }),
);

test('two ids are of one service where they have one key', () => {
  fc.assert(
    fc.property(id, id, (a, b) => {
      expect(isSameService(a, b)).toBe(serviceKey(a) === serviceKey(b));
    }),
    { numRuns: 1_000 },
  );
});
