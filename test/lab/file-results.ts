/**
 * A reporter for Jest that keeps, in the file FILE_RESULTS, the results of each test file once it has ended, in the form of
 * `--json`: a kernel that dies in a later file takes nothing with it.
 */

import { writeFileSync } from 'node:fs';
import type { JestResults } from './matrix-table.ts';

interface FileResult {
  readonly testFilePath: string;
  readonly testResults: JestResults['testResults'][number]['assertionResults'];
}

export default class FileResults {
  readonly #file = process.env['FILE_RESULTS'];
  readonly #ended: JestResults['testResults'][number][] = [];

  onTestFileResult(_test: unknown, { testFilePath, testResults }: FileResult): void {
    if (this.#file === undefined) return;
    const assertionResults = testResults.map(({ status }) => ({ status }));
    this.#ended.push({ name: testFilePath, assertionResults });
    const results: JestResults = { testResults: this.#ended };
    writeFileSync(this.#file, JSON.stringify(results));
  }
}
