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
  readonly keyFile: string;
  readonly certFile: string;
  /** The certificate in a file: it is its own authority. */
  readonly caFile: string;
}

/** Makes a key and a certificate for 127.0.0.1 in this directory. */
export function makeCertificate(directory: string, name: string): Certificate {
  const made = make(directory, ['key.pem', 'cert.pem'], name, []);
  return { ...made, caFile: made.certFile };
}

/** Signs certificates for 127.0.0.1 or whoever, each in files of its own. */
export interface Authority {
  readonly caFile: string;
  sign(name: string, options?: SigningOptions): Certificate;
}

export interface SigningOptions {
  /** How long it is valid; defaults to 2. */
  readonly days?: number;
  /** Alternative names of its subject, in OpenSSL's notation; defaults to those of a server on this host. */
  readonly names?: readonly string[];
}

export function makeAuthority(directory: string, name: string): Authority {
  const files = [`${name}-key.pem`, `${name}.pem`] as const;
  const ca = make(directory, files, name, ['-addext', 'keyUsage=critical,keyCertSign']);
  const by = ['-CA', ca.certFile, '-CAkey', ca.keyFile, '-addext', 'basicConstraints=critical,CA:FALSE'];
  return {
    caFile: ca.certFile,
    sign: (subject, options) => {
      const own = [`${name}-${subject}-key.pem`, `${name}-${subject}.pem`] as const;
      return { ...make(directory, own, subject, by, options), caFile: ca.certFile };
    },
  };
}

function make(
  directory: string,
  [keyName, certName]: readonly [string, string],
  name: string,
  more: readonly string[],
  { days = 2, names = ['IP:127.0.0.1'] }: SigningOptions = {},
): Omit<Certificate, 'caFile'> {
  const [keyFile, certFile] = [join(directory, keyName), join(directory, certName)];
  const subject = ['-subj', `/CN=${name}`, '-addext', `subjectAltName=${names.join(',')}`];
  const keys = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', keyFile];
  execFileSync(
    OPENSSL,
    ['req', '-x509', ...keys, '-out', certFile, '-days', String(days), ...subject, ...more],
    {
      stdio: 'ignore',
    },
  );
  return { key: readFileSync(keyFile), cert: readFileSync(certFile), keyFile, certFile };
}
