import type { Rejection } from '../model.ts';

/** So many are told one by one; the log of a source and its apps have the rest. */
export const MOST_TOLD = 1_000;

/** The first of these, and how many more there are: a document that tells all mistakes of a template may be huge. */
export function someRejections(rejected: readonly Rejection[]): readonly Rejection[] {
  if (rejected.length <= MOST_TOLD) return rejected;
  const reason = `and ${rejected.length - MOST_TOLD} more`;
  return [...rejected.slice(0, MOST_TOLD), { app: '…', at: '', value: '', reason }];
}

/** The same for lines. */
export function someLines(lines: readonly string[]): readonly string[] {
  return lines.length <= MOST_TOLD
    ? lines
    : [...lines.slice(0, MOST_TOLD), `… and ${lines.length - MOST_TOLD} more`];
}
