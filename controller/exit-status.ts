/** Exit statuses that scripts depend on: as `diff` and `kubectl diff` have them. */

/** No difference, or done. */
export const SAME = 0;
export const DIFFERENT = 1;
export const FAILED = 2;
