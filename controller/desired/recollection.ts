import type { Memory } from '../model.ts';
import type { Roster } from './roster.ts';

type Recollect = (
  before: Memory,
  addresses: Memory['addresses'],
  roster: Pick<Roster, 'labels' | 'touchedLabels'>,
  complete: boolean,
) => Memory;

/**
 * Makes the function that says what to remember: the addresses of names that are declared, and each label's last
 * valid text while the label is there. It gives back `before` when that says the same, so that nothing is saved.
 *
 * Where the snapshot is not `complete`, nothing is forgotten or replaced.
 */
export function createRecollection(): Recollect {
  let last: Memory['labels'] | undefined;

  return (before, addresses, { labels, touchedLabels }, complete) => {
    if (!complete) return grown(before, addresses, labels);
    const textOf = (key: string): string | undefined => {
      const states = labels.get(key);
      return states === undefined ? undefined : (states[0]?.valid ?? before.labels.get(key));
    };
    const agrees = (keys: Iterable<string>): boolean => {
      for (const key of keys) if (before.labels.get(key) !== textOf(key)) return false;
      return true;
    };
    // What we handed out ourselves can be wrong only where a label changed since.
    const same =
      before.labels === last ? agrees(touchedLabels) : agrees(labels.keys()) && agrees(before.labels.keys());
    last = same ? before.labels : collect(labels.keys(), textOf);
    return same && addresses === before.addresses ? before : { addresses, labels: last };
  };
}

function grown(before: Memory, addresses: Memory['addresses'], labels: Roster['labels']): Memory {
  const all = new Map(before.labels);
  for (const [key, [state]] of labels) if (!all.has(key) && state?.valid) all.set(key, state.valid);
  const same = all.size === before.labels.size;
  return same && addresses === before.addresses ? before : { addresses, labels: same ? before.labels : all };
}

function collect(keys: Iterable<string>, textOf: (key: string) => string | undefined): Memory['labels'] {
  const labels = new Map<string, string>();
  for (const key of keys) {
    const text = textOf(key);
    if (text !== undefined) labels.set(key, text);
  }
  return labels;
}
