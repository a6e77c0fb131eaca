import { expect, test } from '@jest/globals';
import { BodyBuffer } from '../../../controller/http/body-buffer.ts';

const MIB = 2 ** 20;

test.each([
  ['none', 0, 0],
  ['few', 3, 10],
  ['more than is kept in pieces', 40, MIB],
])('the bytes keep their order: %s', (_, count, size) => {
  const buffer = new BodyBuffer(64 * MIB);
  const pieces = Array.from({ length: count }, (_, i) => Buffer.alloc(size, i + 1));
  for (const piece of pieces) expect(buffer.append(piece)).toBe(true);
  expect(buffer.bytes().equals(Buffer.concat(pieces))).toBe(true);
});

test.each([
  ['few', 10],
  ['more than is kept in pieces', 40 * MIB],
])('accepts exactly as many bytes as the limit: %s', (_, limit) => {
  const buffer = new BodyBuffer(limit);
  expect(buffer.append(Buffer.alloc(limit - 1))).toBe(true);
  expect(buffer.append(Buffer.alloc(2))).toBe(false);
  expect(buffer.append(Buffer.alloc(1))).toBe(true);
  expect(buffer.append(Buffer.alloc(1))).toBe(false);
  expect(buffer.bytes().length).toBe(limit);
});
