import { ControllerError, systemReason } from '../errors.ts';
import { readSmallFile } from '../input/small-file.ts';
import type { PeerOptions } from './peer.ts';

/** A file with credentials: they are then in no process list, and can be replaced while the controller runs. */
export interface CredentialsFile {
  /** `basic`: the file holds `user:password`. `token`: it holds a DC/OS authentication token. */
  readonly kind: 'basic' | 'token';
  readonly path: string;
}

/** Provides the value of the `Authorization` header. */
export interface Credentials {
  /** Reads the file on the first call. Rejects with a `ControllerError` code `usage` if it cannot be used. */
  header(): Promise<string>;
  /** Reads the file again, after a 401; resolves with whether its contents have changed. */
  renew(): Promise<boolean>;
}

/** Credentials from a file, which is read when they are first needed. `options` are named in messages. */
export function credentialsFrom(
  file: CredentialsFile,
  options: Pick<PeerOptions, 'userFile' | 'tokenFile'>,
): Credentials {
  const option = file.kind === 'basic' ? options.userFile : options.tokenFile;
  let current: string | undefined;
  return {
    async header() {
      current ??= await readHeader(file, option);
      return current;
    },
    async renew() {
      const before = current;
      current = await readHeader(file, option);
      return current !== before;
    },
  };
}

/** Credentials from the URL of a master. */
export function basicCredentials(user: string, password: string): Credentials {
  const header = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
  return { header: async () => header, renew: async () => false };
}

async function readHeader({ kind, path }: CredentialsFile, option: string): Promise<string> {
  const what = kind === 'basic' ? 'user:password' : 'a DC/OS token in ASCII';
  const bytes = await readSmallFile(path).catch((cause: unknown) => {
    throw new ControllerError('usage', `${option}: ${path} cannot be read: ${systemReason(cause)}`);
  });
  const secret = bytes.toString('utf8').trim();
  // The content itself stays out of the message: it may be a password. No client can send other characters in a header.
  if (kind === 'basic' ? !/^[^:\n]+:[^\n]*$/.test(secret) : !/^[!-~]+$/.test(secret)) {
    throw new ControllerError('usage', `${option}: expected ${what} on one line in ${path}`);
  }
  return kind === 'basic' ? `Basic ${Buffer.from(secret).toString('base64')}` : `token=${secret}`;
}
