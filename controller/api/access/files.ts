import type { Config } from '../../config/config.ts';
import { tokenIn } from '../../config/token.ts';
import { ControllerError } from '../../errors.ts';
import type { Clock, Log } from '../../ports.ts';
import { type Identity, identityOf } from './certificate.ts';
import { expiryLog, expiryWarning } from './expiry.ts';
import { type NamedFile, openReloadable, type Reloadable } from './reloadable.ts';

/** Certificates and tokens of `--listen`, each as last read successfully; null if not configured. */
export interface AccessFiles {
  readonly identity: Reloadable<Identity> | null;
  /** Whether client certificates are requested. */
  readonly clientCertificates: boolean;
  /** Names, one of which a client certificate must have; null if every signed certificate is accepted. */
  readonly clientNames: readonly string[] | null;
  readonly readToken: Reloadable<string> | null;
  readonly writeToken: Reloadable<string> | null;
  /** Files that cannot be reloaded, and a certificate that is about to expire. */
  warnings(): readonly string[];
  close(): void;
}

/** Reading a few small files this often costs nothing. */
const RELOAD_MS = 5_000;

type Options = Pick<
  Config,
  | 'tlsCertFile'
  | 'tlsKeyFile'
  | 'tlsClientCaFile'
  | 'tlsClientNames'
  | 'readTokenFile'
  | 'writeTokenFile'
  | 'allowWrites'
>;

/** Reads the files and reloads them until closed. Rejects with a `ControllerError` if one cannot be used. */
export async function openAccessFiles(
  config: Options,
  { clock, log }: { readonly clock: Clock; readonly log: Log },
): Promise<AccessFiles> {
  const identity = await openIdentity(config, log);
  const { readToken, writeToken } = await openTokens(config, log);
  const all = [identity, readToken, writeToken].filter((one) => one !== null);
  const expiry = () =>
    identity === null ? null : expiryWarning(config.tlsCertFile ?? '', identity.current(), clock.epoch());
  const logExpiry = expiryLog(log);
  const stopped = new AbortController();
  logExpiry(expiry());
  void reloadRegularly(all, clock, stopped.signal, () => logExpiry(expiry()));
  return {
    identity,
    clientCertificates: config.tlsClientCaFile !== undefined,
    clientNames: config.tlsClientNames ?? null,
    readToken,
    writeToken,
    warnings: () => [...all.map((one) => one.warning()), expiry()].filter((warning) => warning !== null),
    close: () => stopped.abort(),
  };
}

async function reloadRegularly(
  all: readonly Pick<Reloadable<unknown>, 'reload'>[],
  clock: Clock,
  signal: AbortSignal,
  reloaded: () => void,
): Promise<void> {
  while (all.length > 0) {
    await clock.sleep(RELOAD_MS, signal);
    if (signal.aborted) return;
    for (const one of all) await one.reload();
    reloaded();
  }
}

async function openIdentity(
  { tlsCertFile, tlsKeyFile, tlsClientCaFile }: Options,
  log: Log,
): Promise<Reloadable<Identity> | null> {
  if (tlsCertFile === undefined || tlsKeyFile === undefined) return null;
  const cert: NamedFile = { flag: '--tls-cert-file', path: tlsCertFile };
  const key: NamedFile = { flag: '--tls-key-file', path: tlsKeyFile };
  const clientCa: NamedFile | null =
    tlsClientCaFile === undefined ? null : { flag: '--tls-client-ca-file', path: tlsClientCaFile };
  const files = [cert, key, ...(clientCa === null ? [] : [clientCa])];
  return await openReloadable(files, (contents) => identityOf({ cert, key, clientCa }, contents), log);
}

/** With equal tokens readers could write, so a token that equals the other one is refused, at a reload too. */
async function openTokens(
  { readTokenFile, writeTokenFile, allowWrites }: Options,
  log: Log,
): Promise<Pick<AccessFiles, 'readToken' | 'writeToken'>> {
  let writeToken: Reloadable<string> | null = null;
  const checkDifferent = (token: string, other: Reloadable<string> | null): string => {
    if (token !== other?.current()) return token;
    throw new ControllerError(
      'usage',
      `--read-token-file ${readTokenFile} and --write-token-file ${writeTokenFile} hold the same token, so that readers could write; expected two different tokens`,
      { retry: 'never' },
    );
  };
  const readToken = await openToken('--read-token-file', readTokenFile, log, (token) =>
    checkDifferent(token, writeToken),
  );
  if (allowWrites)
    writeToken = await openToken('--write-token-file', writeTokenFile, log, (token) =>
      checkDifferent(token, readToken),
    );
  return { readToken, writeToken };
}

async function openToken(
  flag: string,
  path: string | undefined,
  log: Log,
  check: (token: string) => string,
): Promise<Reloadable<string> | null> {
  if (path === undefined) return null;
  return await openReloadable([{ flag, path }], ([text]) => check(tokenIn(String(text), flag, path)), log);
}
