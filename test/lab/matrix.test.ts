import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import FileResults from './file-results.ts';
import { askedOf } from './matrix-asked.ts';
import { cellsOf, END, type JestResults, readCells, START, writeCells } from './matrix-table.ts';

const page = `# Kernels\n\n${START}\n${END}\n\nAfter.\n`;
const cells = new Map([
  ['a.test.ts', new Map([['5.10', '3 passed']])],
  ['b.test.ts', new Map([['7.2', '1 passed, 1 failed']])],
]);

test('the table of the kernels stands between its marks, and the rest of the page stays', () => {
  const written = writeCells(page, ['a.test.ts', 'b.test.ts'], ['5.10', '7.2'], cells);
  expect(written).toBe(
    `# Kernels\n\n${START}\n\n| Test file | 5.10 | 7.2 |\n|---|---|---|\n` +
      `| \`a.test.ts\` | 3 passed | - |\n| \`b.test.ts\` | - | 1 passed, 1 failed |\n\n${END}\n\nAfter.\n`,
  );
});

test('what an earlier run found on another kernel is kept', () => {
  const written = writeCells(page, ['a.test.ts', 'b.test.ts'], ['5.10', '7.2'], cells);
  expect(readCells(written).get('a.test.ts')?.get('5.10')).toBe('3 passed');
  expect(writeCells(written, ['a.test.ts', 'b.test.ts'], ['5.10', '7.2'], readCells(written))).toBe(written);
  expect(readCells(page).size).toBe(0);
});

test('a page without the marks is refused', () => {
  expect(() => readCells('# Kernels')).toThrow('the page lacks');
});

test('a file is told by its counts, and one that could not be loaded has failed', () => {
  const results: JestResults = {
    testResults: [
      {
        name: '/x/a.test.ts',
        assertionResults: ['passed', 'passed', 'pending'].map((status) => ({ status })),
      },
      { name: '/x/b.test.ts', assertionResults: [{ status: 'failed' }] },
      { name: '/x/c.test.ts', assertionResults: [] },
    ],
  };
  expect([...cellsOf(results)]).toEqual([
    ['a.test.ts', '2 passed, 1 skipped'],
    ['b.test.ts', '1 failed'],
    ['c.test.ts', 'failed: no test ran'],
  ]);
});

test('kernels and files are chosen by their names, and without any of a kind it is all of them', () => {
  const all = { versions: ['5.10', '7.2'], files: ['a.test.ts', 'b.test.ts'] };
  expect(askedOf([], all)).toEqual(all);
  expect(askedOf(['7.2'], all)).toEqual({ ...all, versions: ['7.2'] });
  expect(askedOf(['b.test.ts', '7.2', '5.10'], all)).toEqual({ ...all, files: ['b.test.ts'] });
  expect(() => askedOf(['7.2', '4.18'], all)).toThrow(
    'unknown kernel or test file 4.18: expected some of 5.10 7.2 a.test.ts b.test.ts',
  );
});

test('the results of a file are kept as soon as it has ended', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'file-results-'));
  process.env['FILE_RESULTS'] = join(folder, 'results.json');
  try {
    const reporter = new FileResults();
    const kept = async () => [...cellsOf(JSON.parse(await readFile(join(folder, 'results.json'), 'utf8')))];
    reporter.onTestFileResult(null, { testFilePath: '/x/a.test.ts', testResults: [{ status: 'passed' }] });
    expect(await kept()).toEqual([['a.test.ts', '1 passed']]);
    reporter.onTestFileResult(null, { testFilePath: '/x/b.test.ts', testResults: [] });
    expect(await kept()).toEqual([
      ['a.test.ts', '1 passed'],
      ['b.test.ts', 'failed: no test ran'],
    ]);
  } finally {
    delete process.env['FILE_RESULTS'];
    await rm(folder, { recursive: true });
  }
});
