import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Change, Destination, ServiceId, VirtualService } from 'ipvs-netlink-ts';
import { viewOf } from '../../ipvs/src/codec.ts';
import {
  toDestinationAttrs,
  toDestinationIdAttrs,
  toServiceAttrs,
  toServiceIdAttrs,
} from '../../ipvs/src/convert.ts';
import { Encoder } from '../../ipvs/src/encoder.ts';
import { eachMessage } from '../../ipvs/src/message.ts';
import { type CommandAttrs, commandAttrs } from '../../ipvs/src/tables.ts';
import { hex } from '../support/hex.ts';

const FAMILY = 28;

/** The attributes of each message that an encoder wrote, without netlink and generic netlink headers. */
function attributes(sent: Uint8Array): string[] {
  const found: string[] = [];
  eachMessage(viewOf(sent), sent.length, (message) => {
    found.push(hex(sent.subarray(message.from + 4, message.to)));
  });
  return found;
}

/** The same by the attribute tables alone, one attribute after the other. */
function byTable(change: Change): string {
  const attrs = (): CommandAttrs => {
    switch (change.op) {
      case 'add-service':
      case 'update-service':
        return { service: toServiceAttrs(change.service) };
      case 'remove-service':
        return { service: toServiceIdAttrs(change.service) };
      case 'add-destination':
      case 'update-destination':
        return {
          service: toServiceIdAttrs(change.service),
          destination: toDestinationAttrs(change.destination),
        };
      case 'remove-destination':
        return {
          service: toServiceIdAttrs(change.service),
          destination: toDestinationIdAttrs(change.destination),
        };
      case 'zero':
        return change.service ? { service: toServiceIdAttrs(change.service) } : {};
    }
  };
  return hex(commandAttrs.write(attrs()));
}

/** The headers of each message: those of netlink, then that of generic netlink. */
function headers(sent: Uint8Array): readonly object[] {
  const found: object[] = [];
  eachMessage(viewOf(sent), sent.length, ({ type, flags, seq, from }) => {
    found.push({ type, flags, seq, generic: hex(sent.subarray(from, from + 4)) });
  });
  return found;
}

const COMMANDS: Readonly<Record<Change['op'], string>> = {
  'add-service': '01',
  'update-service': '02',
  'remove-service': '03',
  'add-destination': '05',
  'update-destination': '06',
  'remove-destination': '07',
  zero: '10',
};

const address = fc.oneof(fc.ipV4(), fc.ipV6());
const port = fc.nat(65_535);
const id: fc.Arbitrary<ServiceId> = fc.oneof(
  fc.record({ protocol: fc.constantFrom('tcp', 'udp', 'sctp'), address, port }),
  fc.record({ fwmark: fc.integer({ min: 1, max: 2 ** 32 - 1 }), family: fc.constantFrom('ipv4', 'ipv6') }),
);
const options = fc.record(
  {
    scheduler: fc.constantFrom('rr', 'wlc', 'mh'),
    schedulerFlags: fc.subarray(['flag-1', 'flag-2', 'flag-3'] as const),
    onePacket: fc.boolean(),
    persistence: fc.record({ timeoutSeconds: fc.integer({ min: 1, max: 9999 }) }),
    persistenceEngine: fc.constant('sip'),
  },
  { requiredKeys: ['scheduler'] },
);
const service: fc.Arbitrary<VirtualService> = fc
  .tuple(id, options)
  .map(([key, rest]) => ({ ...key, ...rest }));
const destination: fc.Arbitrary<Destination> = fc.record(
  {
    address,
    port,
    weight: fc.nat(2 ** 31 - 1),
    forwardingMethod: fc.constantFrom('masquerade', 'direct-route', 'tunnel', 'local', 'bypass'),
    tunnel: fc.record({ type: fc.constantFrom('ipip', 'gue', 'gre'), port }),
    upperThreshold: fc.nat(2 ** 32 - 1),
    lowerThreshold: fc.nat(2 ** 32 - 1),
  },
  { requiredKeys: ['address', 'port', 'weight', 'forwardingMethod'] },
);
const destinationOp = fc.constantFrom('add-destination', 'update-destination', 'remove-destination');

/** Runs of changes of few services, as they are in practice: what is copied from one message to the next shows there. */
const changes: fc.Arbitrary<Change[]> = fc.array(service, { minLength: 1, maxLength: 3 }).chain((services) =>
  fc.array(
    fc.oneof(
      {
        weight: 1,
        arbitrary: fc.record({
          op: fc.constantFrom('add-service', 'update-service'),
          service: fc.constantFrom(...services),
        }),
      },
      {
        weight: 1,
        arbitrary: fc.record({
          op: fc.constantFrom('remove-service', 'zero'),
          service: fc.constantFrom(...services),
        }),
      },
      {
        weight: 6,
        arbitrary: fc.record({ op: destinationOp, service: fc.constantFrom(...services), destination }),
      },
    ) as fc.Arbitrary<Change>,
    { maxLength: 40 },
  ),
);

describe('messages written in a run', () => {
  test('are the bytes that the attribute tables give for each by itself', () => {
    fc.assert(
      fc.property(changes, (run) => {
        const encoder = new Encoder(FAMILY);
        run.forEach((change, index) => {
          expect(encoder.change(change, 1 + index)).toBe(true);
        });
        expect(attributes(encoder.take())).toEqual(run.map(byTable));
      }),
      { numRuns: 300 },
    );
  });

  test('have the number of the family, their command, and numbers of their own', () => {
    fc.assert(
      fc.property(changes, fc.nat(0x7000_0000), (run, first) => {
        const encoder = new Encoder(FAMILY);
        for (const [index, change] of run.entries()) encoder.change(change, first + index);
        const expected = run.map(({ op }, index) => ({
          type: FAMILY,
          flags: index === run.length - 1 ? 5 : 1,
          seq: first + index,
          generic: `${COMMANDS[op]}010000`,
        }));
        expect(headers(encoder.take())).toEqual(expected);
      }),
      { numRuns: 100 },
    );
  });

  test('are the same after one that was refused', () => {
    const web: ServiceId = { protocol: 'tcp', address: '10.96.4.7', port: 80 };
    const add = (place: number): Change => ({
      op: 'add-destination',
      service: web,
      destination: { address: '10.1.2.3', port: place, weight: 1, forwardingMethod: 'masquerade' },
    });
    const encoder = new Encoder(FAMILY);
    encoder.change(add(1), 1);
    expect(() => encoder.change(add(65_536), 2)).toThrow('port 65536');
    encoder.change(add(2), 2);
    encoder.change(add(3), 3);
    expect(attributes(encoder.take())).toEqual([add(1), add(2), add(3)].map(byTable));
  });

  test('do not depend on what a caller does to a service between two sends', () => {
    const web = { protocol: 'tcp' as const, address: '10.96.4.7', port: 80 };
    const add = (): Change => ({
      op: 'add-destination',
      service: web,
      destination: { address: '10.1.2.3', port: 1, weight: 1, forwardingMethod: 'masquerade' },
    });
    const encoder = new Encoder(FAMILY);
    encoder.change(add(), 1);
    encoder.take();
    web.port = 81;
    encoder.change(add(), 2);
    expect(attributes(encoder.take())).toEqual([byTable(add())]);
  });

  test('ask for an acknowledgement in the last one only', () => {
    const encoder = new Encoder(FAMILY);
    const flags: number[] = [];
    for (const seq of [1, 2, 3]) encoder.change({ op: 'zero' }, seq);
    const sent = encoder.take();
    eachMessage(viewOf(sent), sent.length, (message) => {
      flags.push(message.flags);
    });
    expect(flags).toEqual([1, 1, 5]);
  });

  test('end where the next may not fit', () => {
    const encoder = new Encoder(FAMILY);
    let seq = 0;
    while (encoder.change({ op: 'zero' }, ++seq));
    expect(encoder.take().length).toBeLessThanOrEqual(32_768);
    expect(encoder.change({ op: 'zero' }, 1)).toBe(true);
  });
});
