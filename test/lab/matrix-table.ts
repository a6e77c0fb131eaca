/** The table of the kernel matrix, test file by kernel, as it stands between two marks of a page. */

export const START = '<!-- test:kernels: start -->';
export const END = '<!-- test:kernels: end -->';

/** The text of each cell, by the name of the test file and the version of the kernel. */
export type Cells = ReadonlyMap<string, ReadonlyMap<string, string>>;

/** What Jest tells of test files that have ended. */
export interface JestResults {
  readonly testResults: readonly {
    readonly name: string;
    readonly assertionResults: readonly { readonly status: string }[];
  }[];
}

/** `12 passed, 1 failed`, by file. A file that could not be loaded has failed. */
export function cellsOf({ testResults }: JestResults): Map<string, string> {
  return new Map(
    testResults.map(({ name, assertionResults }) => {
      const count = (...statuses: string[]) =>
        assertionResults.filter(({ status }) => statuses.includes(status)).length;
      const counts = [
        [count('passed'), 'passed'],
        [count('failed'), 'failed'],
        [count('pending', 'skipped', 'todo', 'disabled'), 'skipped'],
      ] as const;
      const said = counts.filter(([number]) => number > 0).map(([number, what]) => `${number} ${what}`);
      return [name.replace(/^.*\//, ''), said.join(', ') || 'failed: no test ran'];
    }),
  );
}

/** The cells that a page has now; none where it has no table yet. Throws where it has no marks. */
export function readCells(page: string): Cells {
  const [, table] = parts(page);
  const [head = [], , ...rows] = table
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
  return new Map(
    rows.map(([file = '', ...cells]) => [
      file.replaceAll('`', ''),
      new Map(cells.map((cell, index) => [head[index + 1] ?? '', cell])),
    ]),
  );
}

/** The page with these cells instead of those that it has; `-` where nothing was run yet. */
export function writeCells(
  page: string,
  files: readonly string[],
  kernels: readonly string[],
  cells: Cells,
): string {
  const row = (...texts: readonly string[]) => `| ${texts.join(' | ')} |`;
  const [before, , after] = parts(page);
  const table = [
    row('Test file', ...kernels),
    `|${'---|'.repeat(kernels.length + 1)}`,
    ...files.map((file) =>
      row(`\`${file}\``, ...kernels.map((kernel) => cells.get(file)?.get(kernel) ?? '-')),
    ),
  ];
  return `${before}${START}\n\n${table.join('\n')}\n\n${END}${after}`;
}

function parts(page: string): readonly [before: string, table: string, after: string] {
  const [start, end] = [page.indexOf(START), page.indexOf(END)];
  if (start === -1 || end < start) throw new Error(`the page lacks ${START} and ${END}`);
  return [page.slice(0, start), page.slice(start + START.length, end), page.slice(end + END.length)];
}
