import { constants, createPrivateKey, X509Certificate } from 'node:crypto';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import { ControllerError, messageOf } from '../../errors.ts';
import type { NamedFile } from './reloadable.ts';

/** The TLS identity of a server, and the authorities that it accepts clients from. */
export interface Identity {
  /** For `tls.createServer` and `setSecureContext`. */
  readonly context: SecureContextOptions;
  /** Validity of its certificate, in milliseconds since the epoch. */
  readonly startsAt: number;
  readonly endsAt: number;
}

export interface IdentityFiles {
  readonly cert: NamedFile;
  readonly key: NamedFile;
  /** The authorities that sign client certificates; null if none are requested. */
  readonly clientCa: NamedFile | null;
}

/** Supported by every browser and program of the last ten years, without anything known to be weak. */
const MODERN: SecureContextOptions = {
  minVersion: 'TLSv1.2',
  ciphers: [
    'TLS_AES_128_GCM_SHA256',
    'TLS_AES_256_GCM_SHA384',
    'TLS_CHACHA20_POLY1305_SHA256',
    'ECDHE-ECDSA-AES128-GCM-SHA256',
    'ECDHE-RSA-AES128-GCM-SHA256',
    'ECDHE-ECDSA-AES256-GCM-SHA384',
    'ECDHE-RSA-AES256-GCM-SHA384',
    'ECDHE-ECDSA-CHACHA20-POLY1305',
    'ECDHE-RSA-CHACHA20-POLY1305',
  ].join(':'),
  // Without tickets no session is resumed: every connection is checked against the current authorities, and not with the
  // result of when its session began.
  secureOptions: constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION,
};

/** Checks that certificate, key and authorities fit together. Throws a `ControllerError` that names the bad file. */
export function identityOf(files: IdentityFiles, [cert, key, ca]: readonly Buffer[]): Identity {
  const certificate = using(files.cert, 'a certificate in PEM', () => new X509Certificate(cert ?? ''));
  const secret = using(files.key, 'a private key in PEM, without a passphrase', () =>
    createPrivateKey(key ?? ''),
  );
  if (!certificate.checkPrivateKey(secret)) {
    throw refused(files.key, `it is not the key of the certificate in ${files.cert.path}`);
  }
  if (files.clientCa !== null) {
    // With an empty list Node would accept certificates from any authority that the system trusts.
    using(files.clientCa, 'certificates of authorities in PEM', () => new X509Certificate(ca ?? ''));
  }
  const context = { ...MODERN, cert, key, ...(files.clientCa !== null && { ca }) } as SecureContextOptions;
  using(files.cert, 'a certificate that can be served', () => createSecureContext(context));
  const { validFromDate, validToDate } = certificate;
  return { context, startsAt: validFromDate.getTime(), endsAt: validToDate.getTime() };
}

function using<Value>(file: NamedFile, expected: string, use: () => Value): Value {
  try {
    return use();
  } catch (error) {
    throw refused(file, `expected ${expected} (${messageOf(error)})`);
  }
}

function refused({ flag, path }: NamedFile, why: string): ControllerError {
  return new ControllerError('usage', `${flag} ${path}: ${why}`, { retry: 'never' });
}
