import type { Memory } from '../model.ts';
import type { Roster } from './roster.ts';

type Recollect = (
  before: Memory,
  addresses: Memory['addresses'],
  roster: Pick<Roster, 'labels' | 'touchedLabels'>,
) => Memory;

/**
 * Makes the function that says what to remember: the addresses of names that are declared, and each label's last
 * valid text while the label is there. It gives back `before` when that says the same, so that nothing is saved.
 */
export function createRecollection(): Recollect {
  let last: Memory['labels'] | undefined;

  return (before, addresses, { labels, touchedLabels }) => {
    const toCheck = before.labels === last ? touchedLabels : undefined;
    last = agree(before.labels, labels, toCheck) ? before.labels : collect(before.labels, labels);
    return last === before.labels && addresses === before.addresses ? before : { addresses, labels: last };
  };
}

/** Whether what is remembered is right already; `keys` are those that can have changed, all when missing. */
function agree(
  before: Memory['labels'],
  labels: Roster['labels'],
  keys: Iterable<string> = labels.keys(),
): boolean {
  for (const key of keys) if (before.get(key) !== textOf(key, before, labels)) return false;
  return true;
}
