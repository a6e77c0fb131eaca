/**
 * What to tell where IPVS forgets an idle TCP connection before the first keepalive is due; null where it does not, or
 * where one of the two is not known. Both in seconds.
 *
 * The kernel's defaults are such a pair, 900 s and 7200 s: an idle connection through a VIP then hangs or is reset after a
 * quarter of an hour (moby #31208, kubernetes #80298, the DC/OS documentation's own FAQ).
 */
export function keepaliveWarning(timeoutSeconds: number, keepaliveSeconds: number | null): string | null {
  if (keepaliveSeconds === null || timeoutSeconds === 0 || timeoutSeconds >= keepaliveSeconds) return null;
  return (
    `the IPVS tcp time-out of ${timeoutSeconds} s is shorter than net.ipv4.tcp_keepalive_time of ${keepaliveSeconds} s: ` +
    'an idle connection through a VIP ends before its keepalive; ' +
    `either run with --tcp-timeout ${keepaliveSeconds + MARGIN_SECONDS}, or on the clients: ` +
    `sysctl -w net.ipv4.tcp_keepalive_time=${Math.max(1, Math.floor((timeoutSeconds * 2) / 3))}`
  );
}

/** The keepalive and its answer need a moment. */
export const MARGIN_SECONDS = 60;
