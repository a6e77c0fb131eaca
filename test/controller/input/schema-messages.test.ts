import { describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { checked, firstIssue, required, withMessage } from '../../../controller/input/schema-messages.ts';

const SHAPE = z.object({
  text: z.string().min(1).max(3),
  count: z.int().min(1).max(9),
  size: z.number(),
  on: z.boolean(),
  list: z.array(z.string()).min(1).max(2),
  pairs: z.record(z.string(), z.string()),
  mode: z.enum(['host', 'bridge']),
  version: z.literal(1),
  either: z.union([z.string(), z.array(z.string())]),
  only: z.strictObject({}),
  digits: z.string().regex(/^\d+$/),
  at: z.iso.datetime(),
  own: z.string().regex(/^a$/, 'expected the letter a'),
  port: withMessage('a port', 'number', (message) => z.int(message).max(65_535, message)),
});

describe('what a schema finds wrong is told in plain words:', () => {
  test.each<[keyof z.infer<typeof SHAPE>, unknown, string]>([
    ['text', undefined, 'expected text'],
    ['text', 7, 'expected text, got a number'],
    ['text', null, 'expected text, got null'],
    ['text', '', 'expected text that is not empty'],
    ['text', 'long', 'expected at most 3 characters'],
    ['count', 'x', 'expected a number, got text'],
    ['count', 1.5, 'expected a whole number, got a number'],
    ['count', 0, 'expected at least 1'],
    ['count', 10, 'expected at most 9'],
    ['size', [], 'expected a number, got a list'],
    ['on', 'yes', 'expected true or false, got text'],
    ['list', {}, 'expected a list, got an object'],
    ['list', [], 'expected at least 1 item'],
    ['list', ['a', 'b', 'c'], 'expected at most 2 items'],
    ['pairs', ['a'], 'expected an object, got a list'],
    ['pairs', true, 'expected an object'],
    ['mode', 'hots', 'expected one of host, bridge'],
    ['version', 2, 'expected 1'],
    ['either', 7, 'expected text or a list'],
    ['either', ['a', 7], 'at [1] expected text, got a number'],
    ['only', { b: 1 }, 'expected no field "b"'],
    ['digits', 'x', 'expected text like /^\\d+$/'],
    ['at', 'today', 'expected a datetime'],
    ['own', 'b', 'expected the letter a'],
    ['port', 70_000, 'expected a port'],
    ['port', '80', 'expected a port, got text'],
  ])('%s = %j: %s', (field, value, words) => {
    const { error } = checked(SHAPE.shape[field], value);
    expect(error?.issues[0]?.message).toBe(words);
  });
});

test('the first thing that is wrong is told with its path, as people write one', () => {
  const { error } = checked(z.object({ a: z.array(z.object({ b: z.string() })) }), { a: [{ b: 'x' }, {}] });
  expect(error === undefined ? '' : firstIssue(error)).toBe('a[1].b: expected text');
});

test('what is not what it must be is told in one line that says what that is', () => {
  const lease = z.object({ spec: z.string() });
  expect(() => required(lease, { spec: 1 }, 'a Lease')).toThrow(
    /^not a Lease: spec: expected text, got a number$/,
  );
  expect(() => required(lease, 'x', 'a Lease')).toThrow(/^not a Lease: expected an object, got text$/);
  expect(required(lease, { spec: 'x' }, 'a Lease')).toEqual({ spec: 'x' });
});
