import { MAX_NOTES_BYTES } from './annotations.ts';

/** Every host reads the whole slice when one endpoint in it changes, so slices stay small. */
const MAX_MEMBERS = 100;

/**
 * Assigns members to numbered slices of at most a hundred, whose notes (`bytesOf`) stay within the limit. Members stay in the
 * slice that they are in (`before`), and new ones go where there is room, so that one added or removed member changes one slice.
 */
export function assign(
  members: readonly string[],
  before: (n: number) => readonly string[] | undefined,
  bytesOf: (member: string) => number,
): readonly { readonly n: number; readonly members: readonly string[] }[] {
  const unassigned = new Set(members);
  const slices: Slice[] = [];
  const bytes = members.reduce((sum, member) => sum + bytesOf(member), 0);
  // Two neighbours that are filled by bytes have more than the limit together. Numbers may have gaps where slices have become empty.
  const last = Math.ceil(members.length / MAX_MEMBERS) + Math.ceil((2 * bytes) / MAX_NOTES_BYTES) + MAX_GAPS;
  for (let n = 0; n < last; n += 1) {
    const slice: Slice = { members: [], bytes: 0 };
    slices.push(slice);
    for (const member of before(n) ?? []) {
      if (unassigned.has(member) && put(slice, member, bytesOf(member))) unassigned.delete(member);
    }
  }
  let n = 0;
  for (const member of unassigned) {
    const size = bytesOf(member);
    while (!put(sliceAt(slices, n), member, size)) n += 1;
  }
  return slices
    .map((slice, i) => ({ n: i, members: slice.members.sort() }))
    .filter((slice) => slice.members.length > 0);
}

const MAX_GAPS = 8;

interface Slice {
  readonly members: string[];
  bytes: number;
}

/** Adds a member if there is room; returns whether. */
function put(slice: Slice, member: string, bytes: number): boolean {
  const isFull = slice.members.length >= MAX_MEMBERS || slice.bytes + bytes > MAX_NOTES_BYTES;
  // An empty slice takes any member, however large.
  if (isFull && slice.members.length > 0) return false;
  slice.members.push(member);
  slice.bytes += bytes;
  return true;
}

function sliceAt(slices: Slice[], n: number): Slice {
  const slice = slices[n] ?? { members: [], bytes: 0 };
  slices[n] = slice;
  return slice;
}
