/** A slice that every host reads anew when one endpoint in it changes should not be large. */
const MOST = 100;

/**
 * Spreads members over numbered slices of at most a hundred. `before` tells who is in a slice now; those stay there,
 * and others go where there is room, so that one that comes or goes changes one slice.
 */
export function assign(
  members: readonly string[],
  before: (n: number) => readonly string[] | undefined,
): readonly { readonly n: number; readonly members: readonly string[] }[] {
  const homeless = new Set(members);
  const slices: string[][] = [];
  // Numbers may be missing where a slice has become empty: as many as there could ever have been are looked at.
  const last = Math.ceil(members.length / MOST) + GAPS;
  for (let n = 0; n < last; n += 1) {
    const kept = (before(n) ?? []).filter((member) => homeless.delete(member));
    slices.push(kept.slice(0, MOST));
    for (const member of kept.slice(MOST)) homeless.add(member);
  }
  let n = 0;
  for (const member of homeless) {
    while ((slices[n]?.length ?? 0) >= MOST) n += 1;
    const slice = slices[n] ?? [];
    slices[n] = slice;
    slice.push(member);
  }
  return slices
    .map((slice, i) => ({ n: i, members: slice.sort() }))
    .filter((slice) => slice.members.length > 0);
}

const GAPS = 8;
