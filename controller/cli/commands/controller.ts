import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { request as askPlain, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as askSecurely, type RequestOptions as SecureOptions } from 'node:https';
import { namesLoopback } from '../../api/host-header.ts';
import type { Config } from '../../config/config.ts';
import { flagName, usage } from '../../config/given.ts';
import type { OptionName } from '../../config/options.ts';
import { tokenIn } from '../../config/token.ts';
import { ControllerError, systemReason } from '../../errors.ts';
import { BodyBuffer } from '../../http/body-buffer.ts';
import { endpointKey } from '../../model.ts';

/** A running controller, as a command reaches it. */
export interface Controller {
  /** Where it is asked: `https://10.0.0.1:61421`. */
  readonly url: string;
  /**
   * Rejects with whatever the connection failed with, when the signal aborts, and with a `ControllerError` when the answer is
   * too large.
   */
  get(path: string, signal: AbortSignal): Promise<{ readonly status: number; readonly text: string }>;
}

type Options = Pick<
  Config,
  | 'server'
  | 'listen'
  | 'tlsCertFile'
  | 'readTokenFile'
  | 'serverTokenFile'
  | 'serverCaFile'
  | 'serverCertFile'
  | 'serverKeyFile'
>;

/** 256 MiB: the status of 100,000 VIPs has about half of that. */
const MAX_ANSWER_BYTES = 2 ** 28;

/**
 * The one at `--server`, or at the address of `--listen` on this host, with what it is to be shown and known by.
 *
 * Rejects with a `ControllerError` 'usage' where the address cannot be known or a file not be used.
 */
export async function openController(options: Options, maxBytes = MAX_ANSWER_BYTES): Promise<Controller> {
  const url = serverOf(options);
  const own = options.server === undefined;
  const token = await readToken(
    options.serverTokenFile !== undefined
      ? ['serverTokenFile', options.serverTokenFile]
      : ['readTokenFile', own ? options.readTokenFile : undefined],
  );
  const headers = token === null ? {} : { authorization: `Bearer ${token}` };
  const tls = url.startsWith('https:') ? await tlsOptions(options, own) : null;
  if (tls === null && token !== null && !own && !namesLoopback(new URL(url).host)) {
    throw usage(
      `--server-token-file is not sent to ${url}, where it could be read on the way; expected https://…`,
    );
  }
  return {
    url,
    async get(path, signal) {
      const common: RequestOptions = { headers, signal, agent: false };
      const to = new URL(url + path);
      const { promise, resolve, reject } = Promise.withResolvers<{ status: number; text: string }>();
      const asking = tls === null ? askPlain(to, common) : askSecurely(to, { ...common, ...tls });
      asking.on('error', reject);
      asking.on('response', (response) => {
        readAll(response, url + path, maxBytes).then(
          (text) => resolve({ status: response.statusCode ?? 0, text }),
          reject,
        );
      });
      asking.end();
      return await promise;
    },
  };
}

async function readAll(response: IncomingMessage, url: string, maxBytes: number): Promise<string> {
  const body = new BodyBuffer(maxBytes);
  for await (const piece of response) {
    if (body.append(piece)) continue;
    response.destroy();
    const message = `${url} answers with more than ${maxBytes / 2 ** 20} MiB, which no controller does`;
    throw new ControllerError('controller', message, { retry: 'never' });
  }
  return body.bytes().toString();
}

/**
 * Where the running controller is asked. Throws a `ControllerError` 'usage' where that cannot be known.
 */
export function serverOf({
  server,
  listen,
  tlsCertFile,
}: Pick<Options, 'server' | 'listen' | 'tlsCertFile'>): string {
  if (server !== undefined) return server;
  if (listen === null || listen.port === 0) {
    throw usage(`${flagName('listen')} gives no address to connect to; --server URL names the controller's`);
  }
  const anywhere = { '0.0.0.0': '127.0.0.1', '::': '::1' }[listen.address];
  const scheme = tlsCertFile === undefined ? 'http' : 'https';
  return `${scheme}://${endpointKey({ ...listen, address: anywhere ?? listen.address })}`;
}

async function readToken([name, path]: readonly [OptionName, string | undefined]): Promise<string | null> {
  if (path === undefined) return null;
  return tokenIn(String(await read(name, path)), flagName(name), path);
}

/** The controller of this host is known by the very certificate that it was given, whatever name or address that is for. */
async function tlsOptions(options: Options, own: boolean): Promise<SecureOptions> {
  const { serverCaFile, serverCertFile, serverKeyFile, tlsCertFile } = options;
  if ((serverCertFile === undefined) !== (serverKeyFile === undefined)) {
    throw usage('--server-cert-file and --server-key-file belong together, expected both or neither');
  }
  const client =
    serverCertFile === undefined || serverKeyFile === undefined
      ? {}
      : {
          cert: await read('serverCertFile', serverCertFile),
          key: await read('serverKeyFile', serverKeyFile),
        };
  const common: SecureOptions = { minVersion: 'TLSv1.2', ...client };
  if (serverCaFile !== undefined) return { ...common, ca: await read('serverCaFile', serverCaFile) };
  if (!own || tlsCertFile === undefined) return common;
  const pem = await read('tlsCertFile', tlsCertFile);
  const { raw } = new X509Certificate(pem);
  return {
    ...common,
    ca: pem,
    allowPartialTrustChain: true,
    checkServerIdentity: (_host, shown) =>
      shown.raw.equals(raw) ? undefined : new Error(`the certificate is not the one in ${tlsCertFile}`),
  };
}

function read(name: OptionName, path: string): Promise<Buffer> {
  return readFile(path).catch((cause: unknown) => {
    throw usage(`${flagName(name)} ${path} cannot be read: ${systemReason(cause)}`);
  });
}
