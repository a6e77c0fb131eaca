/** Suggestions for misspelt names. */

/**
 * The name in `known` that is most similar to `typed`, or null when none is. Case, dashes and underscores do not count; a
 * few letters may be missing, surplus, swapped or wrong; and a unique beginning is enough.
 */
export function nearest(typed: string, known: readonly string[]): string | null {
  const word = bare(typed);
  if (word === '' || word.length > MAX_LENGTH) return null;
  let best: { readonly name: string; readonly distance: number } | null = null;
  for (const name of known) {
    const distance = editDistance(word, bare(name));
    if (distance < (best?.distance ?? Number.POSITIVE_INFINITY)) best = { name, distance };
  }
  // One letter in four may be wrong, and one in short names, so that a different name is not taken for a typing error.
  if (best !== null && best.distance <= Math.max(1, Math.floor(word.length / 4))) return best.name;
  const [longer, ...others] = known.filter((name) => bare(name).startsWith(word));
  return word.length >= MIN_BEGINNING_LENGTH && longer !== undefined && others.length === 0 ? longer : null;
}

/** The end of a message: `: did you mean "source"?`, or without a suggestion where to find all names. */
export function didYouMean(suggestion: string | null, list: string): string {
  return suggestion === null ? `; ${list}` : `: did you mean "${suggestion}"?`;
}

/** The shortest beginning of a name that counts. */
const MIN_BEGINNING_LENGTH = 4;
/** Longer than any name with a few mistakes. */
const MAX_LENGTH = 80;

/** A name without case and separators: `dnsListen`, `DNS_LISTEN` and `--dns-listen` are the same. */
function bare(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z0-9]/g, '');
}

/** How many letters must be added, removed, replaced or swapped with the next one (optimal string alignment). */
function editDistance(a: string, b: string): number {
  let before: readonly number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const same = a[i - 1] === b[j - 1];
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      row.push(
        Math.min(
          at(last, j) + 1,
          at(row, j - 1) + 1,
          at(last, j - 1) + (same ? 0 : 1),
          swapped ? at(before, j - 2) + 1 : Number.POSITIVE_INFINITY,
        ),
      );
    }
    before = last;
    last = row;
  }
  return at(last, b.length);
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? Number.POSITIVE_INFINITY;
}
