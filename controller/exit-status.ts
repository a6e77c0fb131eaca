/** Exit statuses that scripts depend on: as `diff` and `kubectl diff` have them. */

/** No difference, or done. */
export const EXIT_OK = 0;
export const EXIT_DIFFERENT = 1;
export const EXIT_ERROR = 2;
/** What systemd shows as NOTCONFIGURED: under it alone, where the unit says that this is not to be tried again. */
export const EXIT_NOT_CONFIGURED = 6;
