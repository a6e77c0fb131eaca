/** Up to so many are no mass removal, whatever their share, unless they are all. */
export const SMALL_REMOVAL = 10;
const HALF = 0.5;

/**
 * Whether a removal is so large that the sources are read again first (rule 4): more than ten and more than `share` of all,
 * or all. A single VIP, app or endpoint may go: `among` is how many there are.
 */
export function isMass(lost: number, of: number, share = HALF, among = of): boolean {
  return (among >= 2 && lost === of) || (lost > SMALL_REMOVAL && lost > share * of);
}
