import type { Rejection } from '../model/app.ts';

/** The longest list in a document. A mistake in a shared template may reject tens of thousands of labels. */
export const MAX_LISTED = 1_000;

/** Returns the first rejections; where some are cut off, a last entry says how many. */
export function truncateRejections(rejected: readonly Rejection[]): readonly Rejection[] {
  if (rejected.length <= MAX_LISTED) return rejected;
  const reason = `and ${rejected.length - MAX_LISTED} more`;
  return [...rejected.slice(0, MAX_LISTED), { app: '…', at: '', value: '', reason }];
}

/** Returns the first lines; where some are cut off, a last line says how many. */
export function truncateLines(lines: readonly string[]): readonly string[] {
  return lines.length <= MAX_LISTED
    ? lines
    : [...lines.slice(0, MAX_LISTED), `… and ${lines.length - MAX_LISTED} more`];
}
