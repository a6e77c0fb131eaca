/** What someone may have meant who wrote a name that there is not. */

/**
 * The one of `known` that `typed` is most like, or null where none is near. `typed` may have the name's case, dashes and
 * underscores wrong, stand in the plural, have letters too many, too few, swapped or other ones, or only begin it.
 */
export function nearest(typed: string, known: readonly string[]): string | null {
  const word = bare(typed);
  if (word === '' || word.length > LONGEST) return null;
  let best: { readonly name: string; readonly distance: number } | null = null;
  for (const name of known) {
    const distance = editDistance(word, bare(name));
    if (distance < (best?.distance ?? Number.POSITIVE_INFINITY)) best = { name, distance };
  }
  // One letter in four may be wrong; in short names one, so that another name is not taken for a mistake.
  if (best !== null && best.distance <= Math.max(1, Math.floor(word.length / 4))) return best.name;
  const [longer, ...others] = known.filter((name) => bare(name).startsWith(word));
  return word.length >= SHORTEST_BEGINNING && longer !== undefined && others.length === 0 ? longer : null;
}

/** `: did you mean "source"?`, or where all names are listed. */
export function didYouMean(suggestion: string | null, list: string): string {
  return suggestion === null ? `; ${list}` : `: did you mean "${suggestion}"?`;
}

/** Fewer letters begin too many names. */
const SHORTEST_BEGINNING = 4;
/** Longer than any name of ours with a few mistakes. */
const LONGEST = 80;

/** What is left of a name when the ways to write it are taken away: `dnsListen`, `DNS_LISTEN` and `--dns-listen` are one. */
function bare(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z0-9]/g, '');
}

/** How many letters must be added, taken away, replaced or swapped with the next one (optimal string alignment). */
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
