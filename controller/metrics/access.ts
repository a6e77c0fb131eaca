import { Gauge, type Registry } from 'prom-client';
import type { AccessFiles } from '../api/access/files.ts';
import type { Reloadable } from '../api/access/reloadable.ts';

/** How the files of keys and tokens do, read when Prometheus asks; those that are not given have no number. */
export function registerAccessGauges(
  registry: Registry,
  { identity, readToken, writeToken }: Pick<AccessFiles, 'identity' | 'readToken' | 'writeToken'>,
): void {
  const registers = [registry];
  if (identity !== null) {
    const expiry: Gauge = new Gauge({
      name: 'marathon_ipvs_certificate_expiry_timestamp_seconds',
      help: 'When the certificate that is served ends.',
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
    help: 'Whether what the files of a kind held when they were last looked at could be used (1), or what was read before is still in use (0); certificate: with its key and the authorities of clients.',
    labelNames: ['kind'],
    registers,
    collect() {
      for (const { kind, file } of given) successful.set({ kind }, file.warning() === null ? 1 : 0);
    },
  });
}
