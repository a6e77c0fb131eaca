/**
 * A reporter for Jest that keeps, in the file RUNNING_TESTS, which tests are running: a run that is killed has no other
 * way to say where it was. Jest tells of each test before it begins.
 */

import { writeFileSync } from 'node:fs';
import { relative } from 'node:path';

interface TestFile {
  readonly path: string;
}

export default class RunningTests {
  readonly #file = process.env['RUNNING_TESTS'];
  readonly #running = new Map<string, string>();

  onTestFileStart({ path }: TestFile): void {
    this.#running.set(path, '');
    this.#write();
  }

  onTestCaseStart({ path }: TestFile, { fullName }: { readonly fullName: string }): void {
    this.#running.set(path, fullName);
    this.#write();
  }

  onTestFileResult({ path }: TestFile): void {
    this.#running.delete(path);
    this.#write();
  }

  #write(): void {
    if (this.#file === undefined) return;
    const lines = [...this.#running].map(([path, name]) => `${relative('.', path)} ${name}`.trimEnd());
    writeFileSync(this.#file, lines.map((line) => `${line}\n`).join(''));
  }
}
