import type { Findings, Overview } from '../status/rows.ts';
import { plural } from './format.ts';

/** What the last pass has left for the next one, as text; empty if there is nothing to do. */
export function leftOver(
  { lastPass, waiting, held, summary }: Pick<Overview, 'lastPass' | 'waiting' | 'held' | 'summary'>,
  { failures }: Pick<Findings, 'failures'>,
): readonly string[] {
  const { pending = 0, draining = 0 } = summary.byState;
  const lines = [
    lastPass === null && 'everything: no pass has run yet',
    lastPass?.error != null && 'everything: the last pass ended early',
    failures.length > 0 && `${plural(failures.length, 'failed write')} to retry`,
    waiting > 0 && `${plural(waiting, 'failed write')} waiting for the next retry`,
    failures.length + waiting === 0 && pending > 0 && `${plural(pending, 'service')} not as desired yet`,
    held !== null && `${plural(held.services.length, 'service')} held until ${held.until}`,
    draining > 0 && `${plural(draining, 'service')} removed once drained`,
  ];
  return lines.filter((line) => line !== false);
}
