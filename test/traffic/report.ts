/** The figures of traffic tests, for people. */

import { KINDS, NONE, RATES, type Result } from './figures.ts';

/** More than that share of the queries lost an answer that a backend's going alone cannot explain. */
const AGAIN_SHARE = 0.01;
/** With less the load was not what the table says. */
const RATE_SHARE = 0.25;

/** What went wrong, in words: failed requests, answers that were lost too often, and load that was not there. */
export function failures({ seconds, figures }: Result): readonly string[] {
  return KINDS.flatMap((kind) => {
    const { requests, failed, again, reasons } = figures[kind] ?? NONE;
    const found: string[] = [];
    if (requests < seconds * RATES[kind] * RATE_SHARE)
      found.push(`${kind}: only ${requests} in ${seconds} s`);
    if (failed > 0) found.push(`${kind}: ${failed} of ${requests} failed: ${reasons.join('; ')}`);
    if (again > requests * AGAIN_SHARE) found.push(`${kind}: ${again} of ${requests} had to be sent twice`);
    return found;
  });
}

/** One line for each result: requests, of which failed, and the slowest, for each kind. */
export function table(results: readonly Result[]): string {
  const rows = results.map(({ what, seconds, figures, latestMs }) => [
    what,
    `${seconds} s`,
    ...KINDS.map((kind) => {
      const { requests, failed, again, slowestMs } = figures[kind] ?? NONE;
      const twice = again === 0 ? '' : ` (${again} sent twice)`;
      return `${requests}, ${failed}, ${slowestMs} ms${twice}`;
    }),
    `${latestMs} ms`,
  ]);
  const head = ['requests, failed, slowest', 'time', ...KINDS, 'last client after SIGTERM'];
  const widths = head.map((_, at) => Math.max(...[head, ...rows].map((row) => row[at]?.length ?? 0)));
  const line = (row: readonly string[]) => row.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join('  ');
  return `${[head, ...rows].map((row) => `  ${line(row).trimEnd()}`).join('\n')}\n`;
}
