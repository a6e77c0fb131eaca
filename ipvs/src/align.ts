/** Rounds up to the four bytes that netlink aligns everything to. */
export function align4(length: number): number {
  return (length + 3) & ~3;
}
