/** The readers of `why` and `doctor`, for this network namespace or, through a program started there, for another. */

import { readConntrack } from '../apply/kernel-counters.ts';
import { readPortRange } from '../doctor/read/kernel.ts';
import { readFacts } from '../doctor/read-facts.ts';
import { readConnections } from '../why/read/connections.ts';
import { readFilters } from '../why/read/filters.ts';
import { readKernel } from '../why/read/kernel.ts';
import { readRoute } from '../why/read/route.ts';

/** Readers for this process's network namespace. Arguments and results are plain data. */
export const readersHere = {
  facts: readFacts,
  kernel: readKernel,
  route: readRoute,
  filters: readFilters,
  limits: async () => ({ conntrack: await readConntrack('/proc/sys'), portRange: await readPortRange() }),
  connections: readConnections,
} as const;

export type Readers = typeof readersHere;

/** A call of a reader. */
export interface Question {
  readonly name: keyof Readers;
  readonly args: readonly unknown[];
}

/** Creates readers that forward each call through `ask`. */
export function readersThrough(ask: (question: Question) => Promise<unknown>): Readers {
  const names = Object.keys(readersHere) as (keyof Readers)[];
  const calls = names.map((name) => [name, (...args: readonly unknown[]) => ask({ name, args })]);
  return Object.fromEntries(calls) as Readers;
}

/** Makes a forwarded call in this process. Rejects as the reader does. */
export async function answerHere({ name, args }: Question): Promise<unknown> {
  const read = readersHere[name] as (...given: readonly unknown[]) => Promise<unknown>;
  return await read(...args);
}
