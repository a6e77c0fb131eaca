import type { Log } from '../../ports.ts';
import type { Identity } from './certificate.ts';

const DAY_MS = 86_400_000;
/** People who renew a certificate of a year need some time; programs renew short-lived ones well before their last tenth. */
const MOST_WARNING_MS = 14 * DAY_MS;
const WARNING_SHARE = 0.1;

/**
 * What an operator should know of the end of the certificate in the file at `path`: nothing (null) until the last tenth of
 * its validity, and never more than 14 days ahead. `now` in milliseconds since the epoch.
 */
export function expiryComplaint(
  path: string,
  { startsAt, endsAt }: Pick<Identity, 'startsAt' | 'endsAt'>,
  now: number,
): string | null {
  const warningMs = Math.min(MOST_WARNING_MS, (endsAt - startsAt) * WARNING_SHARE);
  if (now < endsAt - warningMs) return null;
  const ends = now < endsAt ? 'ends' : 'ended';
  return `--tls-cert-file ${path}: the certificate ${ends} at ${new Date(endsAt).toISOString()}; a new one in its place is used at once`;
}

/** Makes the function that logs a complaint when it is a new one, and not each time that it is looked at. */
export function expiryLog(log: Log): (complaint: string | null) => void {
  let told: string | null = null;
  return (complaint) => {
    if (complaint !== null && complaint !== told)
      log.warn('certificate is due for renewal', { reason: complaint });
    told = complaint;
  };
}
