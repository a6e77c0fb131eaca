/**
 * Whether IPVS drops an idle TCP connection before its first keepalive. Returns false if the keepalive time is unknown.
 *
 * True for the kernel's defaults of 900 s and 7200 s: an idle connection through a VIP then hangs or is reset after a quarter of
 * an hour (moby #31208, kubernetes #80298, FAQ of DC/OS).
 */
export function diesBeforeKeepalive(
  timeoutSeconds: number,
  keepaliveSeconds: number | null,
): keepaliveSeconds is number {
  return keepaliveSeconds !== null && timeoutSeconds > 0 && timeoutSeconds < keepaliveSeconds;
}

/** Returns a timeout that is long enough, and a keepalive time that is short enough. */
export function keepaliveRemedies(
  timeoutSeconds: number,
  keepaliveSeconds: number,
): { readonly timeoutSeconds: number; readonly keepaliveSeconds: number } {
  return {
    // Leaves time for the keepalive and its answer.
    timeoutSeconds: keepaliveSeconds + 60,
    keepaliveSeconds: Math.max(1, Math.floor((timeoutSeconds * 2) / 3)),
  };
}
