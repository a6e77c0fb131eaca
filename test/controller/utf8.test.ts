import { expect, test } from '@jest/globals';
import { utf8 } from '../../controller/utf8.ts';

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
