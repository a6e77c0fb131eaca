/** So many, or fewer, are no mass, whatever their share; all of them are. */
export const SMALL_REMOVAL = 10;
const HALF = 0.5;

/**
 * Whether so much would go at once that the sources are asked again first (rule 4): more than ten and more than `share`
 * of what there is, or all of it. One VIP, app or endpoint that is alone may go: `among` tells how many there are.
 */
export function isMass(lost: number, of: number, share = HALF, among = of): boolean {
  return (among >= 2 && lost === of) || (lost > SMALL_REMOVAL && lost > share * of);
}
