import { expect, test } from '@jest/globals';
import { MAX_LISTED, truncateLines, truncateRejections } from '../../../controller/status/truncate.ts';

test('long lists of rejections and warnings are truncated, with the number left out', () => {
  const rejected = Array.from({ length: MAX_LISTED + 2_999 }, (_, at) => {
    return { app: `/${at}`, at: 'id', value: '', reason: 'no' };
  });
  const told = truncateRejections(rejected);
  expect(told).toHaveLength(MAX_LISTED + 1);
  expect(told.at(-1)).toEqual({ app: '…', at: '', value: '', reason: 'and 2999 more' });
  const lines = rejected.map(({ app }) => app);
  expect(truncateLines(lines).at(-1)).toBe('… and 2999 more');
});

test('shorter lists are unchanged', () => {
  expect(truncateLines(['one', 'two'])).toEqual(['one', 'two']);
  expect(truncateRejections([])).toEqual([]);
});
