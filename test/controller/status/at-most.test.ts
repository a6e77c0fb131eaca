import { expect, test } from '@jest/globals';
import { MOST_TOLD, someLines, someRejections } from '../../../controller/status/at-most.ts';

test('of more rejections and warnings than anybody reads the first are told, and how many more there are', () => {
  const rejected = Array.from({ length: MOST_TOLD + 2_999 }, (_, at) => {
    return { app: `/${at}`, at: 'id', value: '', reason: 'no' };
  });
  const told = someRejections(rejected);
  expect(told).toHaveLength(MOST_TOLD + 1);
  expect(told.at(-1)).toEqual({ app: '…', at: '', value: '', reason: 'and 2999 more' });
  const lines = rejected.map(({ app }) => app);
  expect(someLines(lines).at(-1)).toBe('… and 2999 more');
});

test('fewer are told as they are', () => {
  expect(someLines(['one', 'two'])).toEqual(['one', 'two']);
  expect(someRejections([])).toEqual([]);
});
