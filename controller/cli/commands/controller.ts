import { X509Certificate } from 'node:crypto';
import { type IncomingMessage, type RequestOptions, request as requestHttp } from 'node:http';
import { request as requestHttps, type RequestOptions as SecureOptions } from 'node:https';
import { namesLoopback } from '../../api/host-header.ts';
import type { Config } from '../../config/config.ts';
import { flagName, usage } from '../../config/option-text.ts';
import type { OptionName } from '../../config/options.ts';
import { tokenIn } from '../../config/token.ts';
import { ControllerError, systemReason } from '../../errors.ts';
import { BodyBuffer } from '../../http/body-buffer.ts';
import { readSmallFile } from '../../input/small-file.ts';
import { endpointKey } from '../../model/endpoint.ts';

/** A client of a running controller. It uses Node's own requests: undici would add 50 ms and 12 MB to each probe and `status`. */
export interface Controller {
  /** Its base URL: `https://10.0.0.1:61421`. */
  readonly url: string;
  /** Rejects with the connection's error, when the signal aborts, or with a `ControllerError` if the answer is too large. */
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
 * Opens a client for the controller at `--server`, or at the address of `--listen` on this host, with the configured token
 * and certificates.
 *
 * Rejects with a `ControllerError` 'usage' if there is no address to connect to, or a file cannot be used.
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
      `--server-token-file is not sent to ${url}, since the connection is not encrypted; expected https://…`,
    );
  }
  return {
    url,
    async get(path, signal) {
      const common: RequestOptions = { headers, signal, agent: false };
      const to = new URL(url + path);
      const { promise, resolve, reject } = Promise.withResolvers<{ status: number; text: string }>();
      const request = tls === null ? requestHttp(to, common) : requestHttps(to, { ...common, ...tls });
      request.on('error', reject);
      request.on('response', (response) => {
        readAll(response, url + path, maxBytes).then(
          (text) => resolve({ status: response.statusCode ?? 0, text }),
          reject,
        );
      });
      request.end();
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
 * The base URL of the running controller. Throws a `ControllerError` 'usage' if the options do not determine it.
 */
export function serverOf({
  server,
  listen,
  tlsCertFile,
}: Pick<Options, 'server' | 'listen' | 'tlsCertFile'>): string {
  if (server !== undefined) return server;
  if (listen === null || listen.port === 0) {
    throw usage(
      `${flagName('listen')} has no address to connect to; expected --server URL of the controller`,
    );
  }
  const anywhere = { '0.0.0.0': '127.0.0.1', '::': '::1' }[listen.address];
  const scheme = tlsCertFile === undefined ? 'http' : 'https';
  return `${scheme}://${endpointKey({ ...listen, address: anywhere ?? listen.address })}`;
}

async function readToken([name, path]: readonly [OptionName, string | undefined]): Promise<string | null> {
  if (path === undefined) return null;
  return tokenIn(String(await read(name, path)), flagName(name), path);
}

/** The controller of this host is verified by its configured certificate, whatever names that certificate has. */
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
  return readSmallFile(path).catch((cause: unknown) => {
    throw usage(`${flagName(name)} ${path} cannot be read: ${systemReason(cause)}`);
  });
}
