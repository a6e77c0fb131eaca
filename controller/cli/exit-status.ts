/** Exit statuses, which scripts depend on; those of `diff` and `kubectl diff`. */

/** Success, or no difference. */
export const EXIT_OK = 0;
export const EXIT_DIFFERENT = 1;
export const EXIT_ERROR = 2;
/** The status that systemd shows as NOTCONFIGURED. Used only under systemd, whose unit does not restart after it. */
export const EXIT_NOT_CONFIGURED = 6;
