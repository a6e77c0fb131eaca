/** Every host reads the whole slice when one endpoint in it changes, so slices stay small. */
const MAX_MEMBERS = 100;

/**
 * Assigns members to numbered slices of at most a hundred. Members stay in the slice that they are in (`before`), and new
 * ones go where there is room, so that one added or removed member changes one slice.
 */
export function assign(
  members: readonly string[],
  before: (n: number) => readonly string[] | undefined,
): readonly { readonly n: number; readonly members: readonly string[] }[] {
  const unassigned = new Set(members);
  const slices: string[][] = [];
  // Numbers may have gaps where slices have become empty.
  const last = Math.ceil(members.length / MAX_MEMBERS) + MAX_GAPS;
  for (let n = 0; n < last; n += 1) {
    const kept = (before(n) ?? []).filter((member) => unassigned.delete(member));
    slices.push(kept.slice(0, MAX_MEMBERS));
    for (const member of kept.slice(MAX_MEMBERS)) unassigned.add(member);
  }
  let n = 0;
  for (const member of unassigned) {
    while ((slices[n]?.length ?? 0) >= MAX_MEMBERS) n += 1;
    const slice = slices[n] ?? [];
    slices[n] = slice;
    slice.push(member);
  }
  return slices
    .map((slice, i) => ({ n: i, members: slice.sort() }))
    .filter((slice) => slice.members.length > 0);
}

const MAX_GAPS = 8;
