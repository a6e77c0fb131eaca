/** The program as tests and benchmarks start it. */

import { existsSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..', '..');
/** A folder that `npm run build` has made; unset, the checkout runs from source. ensure.sh sets it. */
const built = process.env['TESTED_BUILD'];

/** The folder of the program: a build or a checkout. */
export const PROGRAM = built ?? ROOT;

/** Starts it as its users do. */
export const LAUNCHER = join(built ?? join(ROOT, 'controller'), 'marathon-ipvs');

/** What Node is started with for the program in that folder, before the program's own arguments. */
export function nodeArguments(program = PROGRAM): readonly string[] {
  const file = join(program, 'program/marathon-ipvs.mjs');
  if (existsSync(file)) return [file];
  const main = join(program, 'controller', 'main.ts');
  return ['--conditions=ipvs-source', '--disable-warning=ExperimentalWarning', main];
}
