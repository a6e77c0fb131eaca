import type { Config } from '../../config/config.ts';
import { tokenIn } from '../../config/token.ts';
import { ControllerError } from '../../errors.ts';
import type { Clock, Log } from '../../ports.ts';
import { type Identity, identityOf } from './certificate.ts';
import { expiryComplaint, expiryLog } from './expiry.ts';
import { type NamedFile, openRenewed, type Renewed } from './renewed.ts';

/** Keys and tokens of `--listen`, each as it last was good; null where there is none. */
export interface AccessFiles {
  readonly identity: Renewed<Identity> | null;
  /** Whether certificates of clients are asked for. */
  readonly clientCertificates: boolean;
  /** Names of which a client's certificate must have one; null: each counts. */
  readonly clientNames: readonly string[] | null;
  readonly readToken: Renewed<string> | null;
  readonly writeToken: Renewed<string> | null;
  /** What an operator should know of them. */
  complaints(): readonly string[];
  close(): void;
}

/** Often enough for a certificate, and a few small files cost nothing. */
const EVERY_MS = 5_000;

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

/** Reads them, and reads them again until it is closed. Rejects with a `ControllerError` where one cannot be used. */
export async function openAccessFiles(
  config: Options,
  { clock, log }: { readonly clock: Clock; readonly log: Log },
): Promise<AccessFiles> {
  const identity = await openIdentity(config, log);
  const readToken = await openToken('--read-token-file', config.readTokenFile, log);
  const writeToken = config.allowWrites
    ? await openToken('--write-token-file', config.writeTokenFile, log)
    : null;
  if (readToken !== null && readToken.current() === writeToken?.current()) {
    throw new ControllerError(
      'usage',
      `--read-token-file ${config.readTokenFile} and --write-token-file ${config.writeTokenFile} hold the same token: whoever may read could write; expected another one`,
      { retry: 'never' },
    );
  }
  const all = [identity, readToken, writeToken].filter((one) => one !== null);
  const expiry = () =>
    identity === null ? null : expiryComplaint(config.tlsCertFile ?? '', identity.current(), clock.epoch());
  const tellExpiry = expiryLog(log);
  const stopped = new AbortController();
  tellExpiry(expiry());
  void lookEvery(all, clock, stopped.signal, () => tellExpiry(expiry()));
  return {
    identity,
    clientCertificates: config.tlsClientCaFile !== undefined,
    clientNames: config.tlsClientNames ?? null,
    readToken,
    writeToken,
    complaints: () =>
      [...all.map((one) => one.complaint()), expiry()].filter((complaint) => complaint !== null),
    close: () => stopped.abort(),
  };
}

async function lookEvery(
  all: readonly Pick<Renewed<unknown>, 'look'>[],
  clock: Clock,
  signal: AbortSignal,
  looked: () => void,
): Promise<void> {
  while (all.length > 0) {
    await clock.sleep(EVERY_MS, signal);
    if (signal.aborted) return;
    for (const one of all) await one.look();
    looked();
  }
}

async function openIdentity(
  { tlsCertFile, tlsKeyFile, tlsClientCaFile }: Options,
  log: Log,
): Promise<Renewed<Identity> | null> {
  if (tlsCertFile === undefined || tlsKeyFile === undefined) return null;
  const cert: NamedFile = { flag: '--tls-cert-file', path: tlsCertFile };
  const key: NamedFile = { flag: '--tls-key-file', path: tlsKeyFile };
  const clientCa: NamedFile | null =
    tlsClientCaFile === undefined ? null : { flag: '--tls-client-ca-file', path: tlsClientCaFile };
  const files = [cert, key, ...(clientCa === null ? [] : [clientCa])];
  return await openRenewed(files, (contents) => identityOf({ cert, key, clientCa }, contents), log);
}

async function openToken(flag: string, path: string | undefined, log: Log): Promise<Renewed<string> | null> {
  if (path === undefined) return null;
  return await openRenewed([{ flag, path }], ([text]) => tokenIn(String(text), flag, path), log);
}
