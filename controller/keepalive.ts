/**
 * Whether IPVS forgets an idle TCP connection before the first keepalive is due. Both in seconds; false where one is not
 * known.
 *
 * The kernel's defaults are such a pair, 900 s and 7200 s: an idle connection through a VIP then hangs or is reset after a
 * quarter of an hour (moby #31208, kubernetes #80298, the DC/OS documentation's own FAQ).
 */
export function diesBeforeKeepalive(
  timeoutSeconds: number,
  keepaliveSeconds: number | null,
): keepaliveSeconds is number {
  return keepaliveSeconds !== null && timeoutSeconds > 0 && timeoutSeconds < keepaliveSeconds;
}

/** Both remedies in words: a time-out that is long enough, or a keepalive that is short enough. */
export function keepaliveRemedies(
  timeoutSeconds: number,
  keepaliveSeconds: number,
): { readonly timeoutSeconds: number; readonly keepaliveSeconds: number } {
  return {
    // The keepalive and its answer need a moment.
    timeoutSeconds: keepaliveSeconds + 60,
    keepaliveSeconds: Math.max(1, Math.floor((timeoutSeconds * 2) / 3)),
  };
}
