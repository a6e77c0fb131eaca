/**
 * Whether IPVS forgets an idle TCP connection before its first keepalive. Both in seconds; false when one is unknown.
 *
 * It does with the kernel's defaults, 900 s and 7200 s: an idle connection through a VIP hangs or is reset after a quarter
 * of an hour (moby #31208, kubernetes #80298, the FAQ of DC/OS).
 */
export function diesBeforeKeepalive(
  timeoutSeconds: number,
  keepaliveSeconds: number | null,
): keepaliveSeconds is number {
  return keepaliveSeconds !== null && timeoutSeconds > 0 && timeoutSeconds < keepaliveSeconds;
}

/** The two remedies: a timeout that is long enough, or a keepalive that is short enough. */
export function keepaliveRemedies(
  timeoutSeconds: number,
  keepaliveSeconds: number,
): { readonly timeoutSeconds: number; readonly keepaliveSeconds: number } {
  return {
    // With time for the keepalive and its answer.
    timeoutSeconds: keepaliveSeconds + 60,
    keepaliveSeconds: Math.max(1, Math.floor((timeoutSeconds * 2) / 3)),
  };
}
