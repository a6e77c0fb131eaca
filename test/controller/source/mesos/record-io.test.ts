import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { RecordDecoder } from '../../../../controller/source/mesos/record-io.ts';
import { ProtocolError } from '../../../../controller/source/stream.ts';
import { cut } from '../../../support/mesos/record.ts';

function framed(...bodies: readonly string[]): Buffer {
  return Buffer.concat(bodies.map((body) => Buffer.from(`${Buffer.byteLength(body)}\n${body}`)));
}

function records(decoder: RecordDecoder, chunks: readonly Uint8Array[]): string[] {
  // Each is read before the next chunk comes: a record may be a window into its chunk.
  return chunks.flatMap((chunk) => [...decoder.feed(chunk)].map((record) => record.toString('utf8')));
}

test('whichever way a stream is cut, its records are the same', () => {
  const text = fc.string({ minLength: 1, unit: 'grapheme' });
  fc.assert(
    fc.property(
      fc.array(text),
      fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }),
      (bodies, sizes) => {
        const decoder = new RecordDecoder(1_000_000);
        expect(records(decoder, cut(framed(...bodies), sizes))).toEqual(bodies);
        expect(decoder.midRecord).toBe(false);
      },
    ),
  );
});

test('the length counts bytes, not characters', () => {
  expect(records(new RecordDecoder(10), [framed('äöü')])).toEqual(['äöü']);
});

test('a stream that ends anywhere but between two records ends within one', () => {
  const stream = framed('{"a":1}', '{}');
  const between = [0, 9, stream.length];
  for (let length = 0; length <= stream.length; length++) {
    const decoder = new RecordDecoder(100);
    records(decoder, [stream.subarray(0, length)]);
    expect([length, decoder.midRecord]).toEqual([length, !between.includes(length)]);
  }
});

test('a record of no bytes has no event', () => {
  expect(records(new RecordDecoder(10), [Buffer.from('0\n2\n{}')])).toEqual(['{}']);
});

test.each([
  ['{"type":"HEARTBEAT"}\n', '"{\\"type\\":'],
  ['\n{}', '""'],
  ['-5\n', '"-5"'],
  ['0x5\n', '"0x5"'],
  ['5 \n', '"5 "'],
  ['1'.repeat(21), `"${'1'.repeat(21)}"`],
  ['<html>'.repeat(100_000), '"<html><html><html><ht'],
])('%j is no length', (text, shown) => {
  for (const size of [1, 7, 1_000_000]) {
    expect(() => records(new RecordDecoder(1e9), cut(Buffer.from(text), [size]))).toThrow(ProtocolError);
  }
  expect(() => records(new RecordDecoder(1e9), [Buffer.from(text)])).toThrow(shown);
});

test('a length above the limit is refused before any of its bytes are kept', () => {
  expect(() => records(new RecordDecoder(100), [Buffer.from('101\n')])).toThrow(
    'a record has 101 bytes, and the limit is 100',
  );
  expect(records(new RecordDecoder(2), [Buffer.from('2\n{}')])).toEqual(['{}']);
});
