/** Exit statuses that scripts depend on: as `diff` and `kubectl diff` have them. */

/** No difference, or done. */
export const EXIT_OK = 0;
export const EXIT_DIFFERENT = 1;
export const EXIT_ERROR = 2;
