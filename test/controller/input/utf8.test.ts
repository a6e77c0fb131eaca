import { expect, test } from '@jest/globals';
import { utf8, utf8Problem } from '../../../controller/input/utf8.ts';

test.each([
  ['plain', 'plain'],
  ['\ufeff{"ü": "雪"}', '\ufeff{"ü": "雪"}'],
  ['', ''],
])('UTF-8 is text, with its byte order mark: %j', (text, expected) => {
  expect(utf8(Buffer.from(text))).toBe(expected);
});

test.each([
  ['Latin-1', [0x22, 0xfc, 0x22]],
  ['half a character', [0xe9, 0x9b]],
  ['a surrogate', [0xed, 0xa0, 0x80]],
])('%s is none', (_, bytes) => {
  expect(utf8(Uint8Array.from(bytes))).toBeNull();
});

test.each([['', 'a', 'é', '€', '😀', `${'€'.repeat(1_000_000)}😀`]])(
  'text is UTF-8 to its end: %#',
  (text) => {
    expect(utf8Problem(Buffer.from(text))).toBeNull();
  },
);

test.each(['', 'a', 'aé€😀', '€'.repeat(341), `a${'😀'.repeat(300_000)}`])(
  'the first byte that is part of no character is found behind any text: %#',
  (text) => {
    const before = Buffer.from(text);
    const wrong = [
      [0xff],
      [0x80, 0x61],
      [0xc3],
      [0xc3, 0x28],
      [0xe2, 0x82],
      [0xf0, 0x9f, 0x98, 0x20],
      [0xed, 0xa0, 0x80],
      [0xc0, 0xaf],
    ];
    for (const bytes of wrong)
      for (const after of ['', '€'])
        expect(utf8Problem(Buffer.concat([before, Buffer.from(bytes), Buffer.from(after)]))).toBe(
          `not UTF-8: the byte at offset ${before.length} (0x${bytes[0]?.toString(16)}) is part of no character`,
        );
  },
);
