import type { Log } from '../../ports.ts';
import type { Identity } from './certificate.ts';

const DAY_MS = 86_400_000;
/** Enough for people who renew a yearly certificate; programs renew short-lived ones before the last tenth. */
const MAX_WARNING_MS = 14 * DAY_MS;
const WARNING_SHARE = 0.1;

/**
 * Warns that the certificate at `path` expires soon or has expired: in the last tenth of its validity, but at most 14 days
 * ahead; null before that. `now` is in milliseconds since the epoch.
 */
export function expiryWarning(
  path: string,
  { startsAt, endsAt }: Pick<Identity, 'startsAt' | 'endsAt'>,
  now: number,
): string | null {
  const warningMs = Math.min(MAX_WARNING_MS, (endsAt - startsAt) * WARNING_SHARE);
  if (now < endsAt - warningMs) return null;
  const expires = now < endsAt ? 'expires' : 'expired';
  return `--tls-cert-file ${path}: the certificate ${expires} at ${new Date(endsAt).toISOString()}; replace the file, it is reloaded at once`;
}

/** Returns a function that logs each new warning once. */
export function expiryLog(log: Log): (warning: string | null) => void {
  let logged: string | null = null;
  return (warning) => {
    if (warning !== null && warning !== logged)
      log.warn('certificate is due for renewal', { reason: warning });
    logged = warning;
  };
}
