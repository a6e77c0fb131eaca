/** Rounds up to a multiple of four, netlink's alignment. */
export function align4(length: number): number {
  return (length + 3) & ~3;
}
