import type { RequestListener, ServerOptions } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Credentials } from './access/access.ts';
import { clientNamesOf } from './access/client-names.ts';
import type { AccessFiles } from './access/files.ts';

/** An HTTPS server that knows its clients' certificates. */
export interface TlsServer {
  readonly server: Server;
  /** The client certificate of a connection; `none` once the server's certificates have been reloaded. */
  certificateOf(socket: Socket): Credentials['certificate'];
}

/** Enough for the few round trips of a handshake, even over a very slow line. */
const HANDSHAKE_MS = 5_000;

/**
 * Creates a server with the certificate of `identity`; new connections get the reloaded one. Clients without a valid
 * certificate may connect too: health and the page's shell are open to everyone, and an HTTP refusal can say why.
 */
export function createTlsServer(
  options: ServerOptions,
  identity: NonNullable<AccessFiles['identity']>,
  requestsCertificates: boolean,
  listener: RequestListener,
): TlsServer {
  let judged = new WeakMap<Socket, Credentials['certificate']>();
  const server = createServer(
    {
      ...options,
      ...identity.current().context,
      handshakeTimeout: HANDSHAKE_MS,
      requestCert: requestsCertificates,
      rejectUnauthorized: false,
    },
    listener,
  );
  server.on('secureConnection', (socket) => judged.set(socket, judge(socket)));
  identity.onReload(({ context }) => {
    server.setSecureContext(context);
    // The authorities may have changed: existing connections count as having no certificate until they reconnect.
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
