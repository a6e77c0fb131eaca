import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
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
  /** Common names of its subject; defaults to the one that it is signed for. */
  readonly commonNames?: readonly string[];
  /** Its alternative names, as `DNS:ci.example`; defaults to those of a server on this host. */
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
  { days = 2, commonNames = [name], names }: SigningOptions = {},
): Omit<Certificate, 'caFile'> {
  const [keyFile, certFile] = [join(directory, keyName), join(directory, certName)];
  const subject = ['-subj', `/${commonNames.map((one) => `CN=${one}`).join('/')}`];
  const alternative =
    names === undefined
      ? ['-addext', 'subjectAltName=IP:127.0.0.1']
      : ['-config', configuration(join(directory, `${certName}.cnf`), names), '-extensions', 'own'];
  const keys = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', keyFile];
  execFileSync(
    OPENSSL,
    ['req', '-x509', ...keys, '-out', certFile, '-days', String(days), ...subject, ...alternative, ...more],
    {
      stdio: 'ignore',
    },
  );
  return { key: readFileSync(keyFile), cert: readFileSync(certFile), keyFile, certFile };
}

/** On the command line a comma would end a name. */
function configuration(path: string, names: readonly string[]): string {
  const lines = names.map((name, at) => name.replace(':', `.${at} = `));
  const text = ['[req]', 'distinguished_name = none', '[none]', '[own]'];
  const alternative = names.length === 0 ? [] : ['subjectAltName = @names', '[names]', ...lines];
  writeFileSync(path, [...text, ...alternative, ''].join('\n'));
  return path;
}
