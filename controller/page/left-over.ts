import type { Findings, Overview } from '../status/rows.ts';
import { plural } from './format.ts';

/** What a pass has left undone, in words; empty where the next one has nothing to do. */
export function leftOver(
  { lastPass, waiting, held, summary }: Pick<Overview, 'lastPass' | 'waiting' | 'held' | 'summary'>,
  { failures }: Pick<Findings, 'failures'>,
): readonly string[] {
  const { pending = 0, draining = 0 } = summary.byState;
  const lines = [
    lastPass === null && 'everything: none has been made yet',
    lastPass?.error != null && 'everything: the last one ended early',
    failures.length > 0 && `${plural(failures.length, 'write')} that failed, again`,
    waiting > 0 && `${plural(waiting, 'write')} that failed before, when their time has come`,
    failures.length + waiting === 0 && pending > 0 && `${plural(pending, 'service')} not as desired yet`,
    held !== null && `${plural(held.services.length, 'service')} held until ${held.until}`,
    draining > 0 && `${plural(draining, 'service')} removed once drained`,
  ];
  return lines.filter((line) => line !== false);
}
