/** What `why` and `doctor` read of a network namespace: of the own one, or of another by a program that runs there. */

import { readConntrack } from './apply/kernel-counters.ts';
import { readPortRange } from './doctor/read/kernel.ts';
import { readFacts } from './doctor/read-facts.ts';
import { readConnections } from './why/read/connections.ts';
import { readFilters } from './why/read/filters.ts';
import { readKernel } from './why/read/kernel.ts';
import { readRoute } from './why/read/route.ts';

/** Of the network namespace of this process. Arguments and results are plain data. */
export const readersHere = {
  facts: readFacts,
  kernel: readKernel,
  route: readRoute,
  filters: readFilters,
  limits: async () => ({ conntrack: await readConntrack('/proc/sys'), portRange: await readPortRange() }),
  connections: readConnections,
} as const;

export type Readers = typeof readersHere;

/** A call of one of them. */
export interface Question {
  readonly name: keyof Readers;
  readonly args: readonly unknown[];
}

/** The same of where `ask` leads to. */
export function readersThrough(ask: (question: Question) => Promise<unknown>): Readers {
  const names = Object.keys(readersHere) as (keyof Readers)[];
  const calls = names.map((name) => [name, (...args: readonly unknown[]) => ask({ name, args })]);
  return Object.fromEntries(calls) as Readers;
}

/** Answers one here. Rejects as the reader does. */
export async function answerHere({ name, args }: Question): Promise<unknown> {
  const read = readersHere[name] as (...given: readonly unknown[]) => Promise<unknown>;
  return await read(...args);
}
