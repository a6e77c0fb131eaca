import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { attrTable, nested, readValue, viewOf } from '../../ipvs/src/codec.ts';
import { isIpvsError } from '../../ipvs/src/errors.ts';
import { be16, cstring, flag, maskedFlags, raw, u8, u16, u32, u64 } from '../../ipvs/src/scalars.ts';
import { commandAttrs, daemonAttrs, destinationAttrs, serviceAttrs } from '../../ipvs/src/tables.ts';
import { fromHex, hex } from '../support/hex.ts';

const inner = attrTable('inner', { byte: { type: 1, codec: u8 }, name: { type: 2, codec: cstring } });
const sample = attrTable('sample', {
  port: { type: 2, codec: be16 },
  weight: { type: 4, codec: u32 },
  counter: { type: 5, codec: u64 },
  half: { type: 6, codec: u16 },
  bytes: { type: 7, codec: raw },
  present: { type: 8, codec: flag },
  flags: { type: 9, codec: maskedFlags },
  inner: { type: 10, codec: nested(inner) },
});

describe('attributes on the wire', () => {
  test('a port is big-endian while a weight is in host order', () => {
    expect(hex(destinationAttrs.write({ port: 80, weight: 1 }))).toBe('06000200 00500000 08000400 01000000');
  });

  test('a string is closed by a NUL and padded to four bytes, which its length does not count', () => {
    expect(hex(serviceAttrs.write({ scheduler: 'wlc' }))).toBe('08000600 776c6300');
    expect(hex(serviceAttrs.write({ scheduler: 'rr' }))).toBe('07000600 72720000');
  });

  test('flags are the value and then the mask', () => {
    expect(hex(serviceAttrs.write({ flags: { value: 1, mask: 0x3d } }))).toBe('0c000700 01000000 3d000000');
  });

  test('a nest has the NESTED bit and counts its own header', () => {
    expect(hex(sample.write({ inner: { byte: 7 } }))).toBe('0c000a80 05000100 07000000');
  });

  test('attributes come in the order of the table, whatever the order of the values', () => {
    expect(destinationAttrs.write({ weight: 1, port: 80 })).toEqual(
      destinationAttrs.write({ port: 80, weight: 1 }),
    );
  });

  test('an attribute without a value is left out', () => {
    expect(sample.write({ port: undefined })).toEqual(new Uint8Array());
  });
});

describe('reading', () => {
  test('unknown attributes are skipped', () => {
    expect(sample.read(fromHex('0800ff00 deadbeef 06000200 00500000'))).toEqual({ port: 80 });
  });

  test('the NESTED and byte-order bits of a type are not part of the number', () => {
    expect(sample.read(fromHex('06000280 00500000'))).toEqual({ port: 80 });
    expect(sample.read(fromHex('06000240 00500000'))).toEqual({ port: 80 });
  });

  test('of an attribute that comes twice the last counts', () => {
    expect(sample.read(fromHex('06000200 00500000 06000200 01bb0000'))).toEqual({ port: 443 });
  });

  test('a value longer than known is read as far as it is known', () => {
    expect(sample.read(fromHex('0c000400 01000000 ffffffff'))).toEqual({ weight: 1 });
  });

  test('a window into a larger buffer is read at its own offset', () => {
    const larger = Buffer.concat([Buffer.from('ffffffffffff', 'hex'), fromHex('06000200 00500000')]);
    expect(sample.read(larger.subarray(6))).toEqual({ port: 80 });
  });

  test('what is read stays when the buffer is used again', () => {
    const bytes = fromHex('08000700 01020304');
    const read = sample.read(bytes);
    bytes.fill(0);
    expect(read.bytes).toEqual(Uint8Array.of(1, 2, 3, 4));
  });

  test.each([
    ['a length shorter than its own header', '03000200 00500000', 'sample: attribute at byte 0 has length 3'],
    ['a length past the end', '10000200 00500000', 'sample: attribute at byte 0 has length 16'],
    ['a value too short', '06000400 01000000', 'sample.weight: u32 needs 4 bytes, got 2'],
  ])('%s is a malformed reply', (_, text, message) => {
    const read = () => sample.read(fromHex(text));
    const bytes = fromHex(text);
    expect(read).toThrow(expect.objectContaining({ code: 'malformed-reply', message }));
    expect(() => sample.values(viewOf(bytes), 0, bytes.length)).toThrow(
      expect.objectContaining({ code: 'malformed-reply', message }),
    );
  });

  test('values are integers as they are, and the place of anything else', () => {
    const bytes = sample.write({ weight: 7, counter: 9n });
    const values = sample.values(viewOf(bytes), 0, bytes.length);
    expect(values[sample.types.weight]).toBe(7);
    expect(values[sample.types.counter]).toBe(12);
    expect(readValue(sample.rows.counter, viewOf(bytes), values)).toBe(9n);
    expect(values[sample.types.port]).toBeUndefined();
  });

  test('a codec that is made of another reads in its own way', () => {
    const doubled = attrTable('doubled', { twice: { type: 1, codec: { ...u32, read: () => 14 } } });
    expect(doubled.read(doubled.write({ twice: 7 }))).toEqual({ twice: 14 });
  });

  test('values of one message are not those of the next', () => {
    const [first, second] = [sample.write({ weight: 7, port: 80 }), sample.write({ port: 81 })];
    sample.values(viewOf(first), 0, first.length);
    const values = sample.values(viewOf(second), 0, second.length);
    expect([values[sample.types.weight], values[sample.types.port]]).toEqual([undefined, 81]);
  });
});

describe('writing', () => {
  test.each([
    [
      'a number past the end of its type',
      { port: 65_536 },
      '65536 is not a be16: expected an integer from 0 to 65535',
    ],
    ['a negative number', { weight: -1 }, '-1 is not a u32: expected an integer from 0 to 4294967295'],
    ['a fraction', { half: 1.5 }, '1.5 is not a u16: expected an integer from 0 to 65535'],
    ['no number at all', { half: Number.NaN }, 'NaN is not a u16: expected an integer from 0 to 65535'],
    ['a counter past 64 bits', { counter: 2n ** 64n }, '18446744073709551616 is not a u64'],
  ])('%s is refused, naming the attribute', (_, attrs, message) => {
    const [key] = Object.keys(attrs);
    expect(() => sample.write(attrs)).toThrow(expect.objectContaining({ code: 'invalid' }));
    expect(() => sample.write(attrs)).toThrow(`sample.${key}: ${message}`);
  });
});

const uint = (bits: number) => fc.nat({ max: 2 ** bits - 1 });
const name = fc.string({ unit: 'binary', maxLength: 20 }).filter((text) => !text.includes('\0'));
const optional = { requiredKeys: [] };

describe('properties', () => {
  test('what is written is read back', () => {
    const attrs = fc.record(
      {
        port: uint(16),
        weight: uint(32),
        counter: fc.bigInt(0n, 2n ** 64n - 1n),
        half: uint(16),
        bytes: fc.uint8Array({ maxLength: 40 }),
        present: fc.constant(true as const),
        flags: fc.record({ value: uint(32), mask: uint(32) }),
        inner: fc.record({ byte: uint(8), name }, optional),
      },
      optional,
    );
    fc.assert(fc.property(attrs, (value) => expect(sample.read(sample.write(value))).toEqual(value)));
  });

  test('any bytes at all are read, or are a malformed reply', () => {
    const tables = [sample, commandAttrs, serviceAttrs, destinationAttrs, daemonAttrs];
    fc.assert(
      fc.property(fc.constantFrom(...tables), fc.uint8Array({ maxLength: 200 }), (table, bytes) => {
        try {
          table.read(bytes);
        } catch (error) {
          expect(isIpvsError(error, 'malformed-reply')).toBe(true);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});
