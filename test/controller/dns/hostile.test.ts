import { describe, expect, test } from '@jest/globals';
import dnsPacket from 'dns-packet';
import fc from 'fast-check';
import { answer, truncatedReply } from '../../../controller/dns/answer.ts';
import { ID, INDEX, question, told, WEB, ZONE } from './asking.ts';

/** What comes back: the rcode, or null for silence. */
function reaction(message: Buffer): string | null {
  const found = answer(message, INDEX, 'udp');
  return found === null ? null : told(found).rcode;
}

function header(...counts: readonly number[]): Buffer {
  const bytes = Buffer.alloc(12);
  bytes.writeUInt16BE(ID, 0);
  for (const [i, count] of counts.entries()) bytes.writeUInt16BE(count, 4 + 2 * i);
  return bytes;
}

const NAME = Buffer.from('\x03web\x08marathon\x04l4lb\x08thisdcos\x09directory\0', 'latin1');
const A_IN = Buffer.from([0, 1, 0, 1]);
const WHOLE = [NAME, A_IN];
const joined = (...parts: readonly Uint8Array[]) => Buffer.concat(parts);

describe('messages that are not queries', () => {
  test.each([
    ['nothing', Buffer.alloc(0)],
    ['less than a header', header(1).subarray(0, 11)],
    ['an answer, which could go to and fro for ever', replyTo(question(WEB))],
    ['an answer without a question', joined(Buffer.from([0x12, 0x67, 0x84, 0]), Buffer.alloc(8))],
  ])('%s is dropped', (_, message) => {
    expect(reaction(message)).toBeNull();
  });

  test.each([
    ['no question', header(0)],
    ['two questions', joined(header(2), ...WHOLE, ...WHOLE)],
    ['65535 questions in 12 bytes', header(65_535)],
    ['an answer section', joined(header(1, 1), ...WHOLE)],
    ['an authority section', joined(header(1, 0, 1), ...WHOLE)],
    ['a name that is cut off', joined(header(1), NAME.subarray(0, 9))],
    ['a name without its end', joined(header(1), NAME.subarray(0, NAME.length - 1))],
    ['a question without type', joined(header(1), NAME)],
    ['a pointer to itself', joined(header(1), Buffer.from([0xc0, 12]), A_IN)],
    ['a pointer into the header', joined(header(1), Buffer.from([0xc0, 0]), A_IN)],
    ['a label of a kind that never was', joined(header(1), Buffer.from([0x41, 0]), A_IN)],
    [
      'a name of 256 bytes',
      joined(header(1), ...Array(4).fill(joined(Buffer.of(63), Buffer.alloc(63, 97))), Buffer.of(0), A_IN),
    ],
    ['trailing bytes', joined(header(1), ...WHOLE, Buffer.of(0))],
    ['an additional record that is not there', joined(header(1, 0, 0, 1), ...WHOLE)],
    [
      'more additional records than there can be',
      joined(header(1, 0, 0, 5), ...WHOLE, ...Array(5).fill(opt())),
    ],
    ['two EDNS records', joined(header(1, 0, 0, 2), ...WHOLE, opt(), opt())],
    [
      'an EDNS record that is not at the root',
      joined(header(1, 0, 0, 1), ...WHOLE, Buffer.from([1, 97]), opt()),
    ],
    ['EDNS data longer than the message', joined(header(1, 0, 0, 1), ...WHOLE, opt([0, 10, 0, 9]))],
    [
      'an oversize message',
      joined(header(1, 0, 0, 1), ...WHOLE, opt([0, 12, 0x10, 0, ...Array(4_096).fill(0)])),
    ],
  ])('%s is answered as malformed in twelve bytes', (_, message) => {
    const found = answer(message, INDEX, 'udp');
    expect(found?.bytes).toHaveLength(12);
    expect(told(found)).toMatchObject({ id: ID, rcode: 'FORMERR' });
  });

  test.each([1, 2, 4, 5, 15])('operation %d is not implemented', (operation) => {
    const message = question(WEB);
    message[2] = operation << 3;
    const found = answer(message, INDEX, 'udp');
    expect(told(found)).toMatchObject({ id: ID, rcode: 'NOTIMP' });
    expect((found?.bytes[2] ?? 0) >> 3).toBe(16 | operation);
  });
});

describe('what a legitimate client may send', () => {
  test.each([
    ['EDNS options', joined(header(1, 0, 0, 1), ...WHOLE, opt([0, 10, 0, 2, 1, 2, 0, 12, 0, 0]))],
    [
      'a record besides EDNS',
      joined(header(1, 0, 0, 2), ...WHOLE, opt(), Buffer.from([0xc0, 12, 0, 16, 0, 1, 0, 0, 0, 0, 0, 1, 0])),
    ],
  ])('%s are ignored', (_, message) => {
    expect(reaction(message)).toBe('NOERROR');
  });

  test('over the limit, a real client is told to retry over TCP, in no more bytes than it sent', () => {
    const query = question(WEB, { edns: {} });
    const found = truncatedReply(query);
    expect(found?.truncated).toBe(true);
    expect(found?.bytes).toHaveLength(query.length);
    expect(told(found).questions?.[0]?.name).toBe(WEB);
    expect(truncatedReply(header(0))).toBeNull();
  });
});

describe('arbitrary messages', () => {
  const types = fc.constantFrom(1, 2, 5, 6, 12, 16, 28, 33, 41, 43, 250, 252, 255, 65_535);
  const label = fc.constantFrom(
    'web',
    'WEB',
    'marathon',
    'l4lb',
    'thisdcos',
    'directory',
    '_80',
    '_tcp',
    '11',
    'in-addr',
    'arpa',
    'x'.repeat(63),
  );
  const names = fc
    .oneof(
      fc.constantFrom(WEB, ZONE, `_80._tcp.${WEB}`, '1.0.0.11.in-addr.arpa', '.'),
      fc.array(label, { maxLength: 6 }).map((labels) => labels.join('.')),
      fc.array(label, { maxLength: 3 }).map((labels) => [...labels, ZONE].join('.')),
    )
    .filter((name) => name.length < 254);
  const edns = fc.option(fc.record({ payload: fc.nat(65_535), version: fc.constantFrom(0, 0, 0, 1, 255) }), {
    nil: undefined,
  });
  const queries = fc
    .record({ name: names, type: types, edns })
    .map(({ name, ...rest }) => question(name, rest));
  /** A query with some of its bytes changed, cut short or with more behind. */
  const spoilt = fc
    .tuple(
      queries,
      fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }),
      fc.nat(),
      fc.uint8Array({ maxLength: 20 }),
    )
    .map(([query, changes, cut, more]) => {
      for (const [at, byte] of changes) query[at % query.length] = byte;
      const kept = cut % 3 === 0 ? query.subarray(0, cut % (query.length + 1)) : query;
      return cut % 2 === 0 ? kept : Buffer.concat([kept, more]);
    });
  const anything = fc.oneof(
    fc.uint8Array({ maxLength: 600 }).map((bytes) => Buffer.from(bytes)),
    fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.concat([header(1), bytes])),
    spoilt,
    queries,
  );

  test('get no reply, or one that parses, matches the query, fits and does not amplify', () => {
    fc.assert(
      fc.property(anything, (message) => {
        const before = Buffer.from(message);
        const found = answer(message, INDEX, 'udp');
        expect(message).toEqual(before);
        if (found === null) return;
        const reply = dnsPacket.decode(found.bytes);
        expect(reply.id).toBe(message.readUInt16BE(0));
        expect(reply.type).toBe('response');
        expect(dnsPacket.decode.bytes).toBe(found.bytes.length);
        expect(found.bytes.length).toBeLessThanOrEqual(1_232);
        expect(found.bytes.length).toBeLessThanOrEqual(4 * message.length);
        expect(answer(found.bytes, INDEX, 'udp')).toBeNull();
      }),
    );
  });

  test('that are well-formed questions are never answered as malformed', () => {
    fc.assert(
      fc.property(queries, (query) => {
        expect([0, 3, 5, 16]).toContain(answer(query, INDEX, 'udp')?.rcode);
      }),
    );
  });
});

function replyTo(query: Buffer): Buffer {
  const found = answer(query, INDEX, 'udp');
  if (found === null) throw new Error('no reply');
  return found.bytes;
}

function opt(data: readonly number[] = []): Buffer {
  return Buffer.from([0, 0, 41, 0x10, 0, 0, 0, 0, 0, data.length >> 8, data.length & 255, ...data]);
}
