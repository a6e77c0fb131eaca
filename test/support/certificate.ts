import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const OPENSSL = 'openssl';

/** Whether this machine can make certificates. */
export const canMakeCertificates = (() => {
  try {
    return execFileSync(OPENSSL, ['version']).length > 0;
  } catch {
    return false;
  }
})();

export interface Certificate {
  readonly key: Buffer;
  readonly cert: Buffer;
  /** The certificate in a file: it is its own authority. */
  readonly caFile: string;
}

/** Makes a key and a certificate for 127.0.0.1 in this directory. */
export function makeCertificate(directory: string, name: string): Certificate {
  const [key, cert] = [join(directory, 'key.pem'), join(directory, 'cert.pem')];
  const subject = ['-subj', `/CN=${name}`, '-addext', 'subjectAltName=IP:127.0.0.1'];
  const keys = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', key];
  execFileSync(OPENSSL, ['req', '-x509', ...keys, '-out', cert, '-days', '2', ...subject], {
    stdio: 'ignore',
  });
  return { key: readFileSync(key), cert: readFileSync(cert), caFile: cert };
}
