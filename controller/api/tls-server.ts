import type { RequestListener, ServerOptions } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Credentials } from './access/access.ts';
import { clientNamesOf } from './access/client-names.ts';
import type { AccessFiles } from './access/files.ts';

/** A server that speaks TLS. */
export interface TlsServer {
  readonly server: Server;
  /** What a connection was opened with, as far as it still counts. */
  certificateOf(socket: Socket): Credentials['certificate'];
}

/** A round trip or three, over the slowest of lines. */
const HANDSHAKE_MS = 5_000;

/**
 * Makes one that shows the certificate of `identity`, a renewed one to whoever connects from then on. A client without a
 * certificate, or with a wrong one, gets its connection: health and the page's frame are for everyone, and a refusal
 * by HTTP says why.
 */
export function createTlsServer(
  options: ServerOptions,
  identity: NonNullable<AccessFiles['identity']>,
  asksForCertificates: boolean,
  listener: RequestListener,
): TlsServer {
  let judged = new WeakMap<Socket, Credentials['certificate']>();
  const server = createServer(
    {
      ...options,
      ...identity.current().context,
      handshakeTimeout: HANDSHAKE_MS,
      requestCert: asksForCertificates,
      rejectUnauthorized: false,
    },
    listener,
  );
  server.on('secureConnection', (socket) => judged.set(socket, judge(socket)));
  identity.onRenewed(({ context }) => {
    server.setSecureContext(context);
    // The authorities may be others now: connections of before count as without a certificate, and are opened anew.
    judged = new WeakMap();
    server.closeIdleConnections();
  });
  return { server, certificateOf: (socket) => judged.get(socket) ?? 'none' };
}

function judge(socket: TLSSocket): Credentials['certificate'] {
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) return 'none';
  if (socket.authorized) return { names: clientNamesOf(certificate) };
  return { refused: String(socket.authorizationError) };
}
