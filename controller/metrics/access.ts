import { Gauge, type Registry } from 'prom-client';
import type { AccessFiles } from '../api/access/files.ts';
import type { Reloadable } from '../api/access/reloadable.ts';

/** Gauges of the certificate and token files, read on each scrape. A file that is not configured has no series. */
export function registerAccessGauges(
  registry: Registry,
  { identity, readToken, writeToken }: Pick<AccessFiles, 'identity' | 'readToken' | 'writeToken'>,
): void {
  const registers = [registry];
  if (identity !== null) {
    const expiry: Gauge = new Gauge({
      name: 'marathon_ipvs_certificate_expiry_timestamp_seconds',
      help: 'Expiry of the server certificate.',
      registers,
      collect: () => expiry.set(identity.current().endsAt / 1_000),
    });
  }

  const files: Readonly<Record<string, Pick<Reloadable<unknown>, 'warning'> | null>> = {
    certificate: identity,
    'read-token': readToken,
    'write-token': writeToken,
  };
  const given = Object.entries(files).flatMap(([kind, file]) => (file === null ? [] : [{ kind, file }]));
  if (given.length === 0) return;
  const successful: Gauge<'kind'> = new Gauge({
    name: 'marathon_ipvs_access_reload_successful',
    help: '1 if the last reload of these files succeeded; 0 if the previous contents stay in use. The kind certificate includes the key and the client CAs.',
    labelNames: ['kind'],
    registers,
    collect() {
      for (const { kind, file } of given) successful.set({ kind }, file.warning() === null ? 1 : 0);
    },
  });
}
