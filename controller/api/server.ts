import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { ListenOption } from '../config/values.ts';
import { isLoopback } from '../http/loopback.ts';
import type { Clock, Log } from '../ports.ts';
import { DocumentTooLong } from '../text/visible.ts';
import { createAccess } from './access/access.ts';
import type { AccessFiles } from './access/files.ts';
import { answerRequest, type Serving } from './answering.ts';
import {
  CONNECTION_LIMITS,
  type ConnectionLimits,
  type Connections,
  limitConnections,
} from './connections.ts';
import { closeServer, listenOn, urlOf } from './listening.ts';
import { refuseInJson } from './node-refusals.ts';
import { inTurn } from './pipelining.ts';
import { type Answer, problem } from './route.ts';
import { SECURITY_HEADERS } from './security-headers.ts';
import { createTlsServer } from './tls-server.ts';
import { prepareAnswer } from './unread-body.ts';

/** What a server serves, where, and to whom. */
export interface ServerOptions<Services>
  extends Pick<Serving<Services>, 'routes' | 'services' | 'writesOff'> {
  readonly listen: ListenOption;
  /** The option that sets the address, for messages; defaults to `--listen`. */
  readonly flag?: string | undefined;
  /** Certificates and tokens; without them there is no TLS, every client may read and none may write. */
  readonly access?: AccessFiles | undefined;
  /** Limits that differ from `CONNECTION_LIMITS`. */
  readonly connections?: Partial<ConnectionLimits> | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

/** A running server. */
export interface HttpServer {
  /** `http://127.0.0.1:61421`, or https; with the actual port if port 0 was configured. */
  readonly url: string;
  /** Accepts no more requests; resolves when the current ones are answered, or after a second. */
  close(): Promise<void>;
}

/** Generous for probes and people, tight for clients that send slowly or too much. */
const LIMITS = {
  maxHeaderSize: 8_192,
  headersTimeout: 5_000,
  requestTimeout: 10_000,
  keepAliveTimeout: 5_000,
  connectionsCheckingInterval: 1_000,
  // Checked with the other headers, so that the refusal is JSON.
  requireHostHeader: false,
};

const NO_FILES: AccessFiles = {
  identity: null,
  clientCertificates: false,
  clientNames: null,
  readToken: null,
  writeToken: null,
  warnings: () => [],
  close: () => undefined,
};

/**
 * Serves a list of routes. Rejects with a `ControllerError` if the address cannot be used.
 *
 * No client can end the process: an error while answering a request is logged and answered with 500.
 */
export async function startServer<Services>(options: ServerOptions<Services>): Promise<HttpServer> {
  const { listen, log, clock, access: files = NO_FILES } = options;
  const serving: Serving<Services> = {
    ...options,
    access: createAccess({
      certificates: files.clientCertificates,
      clientNames: files.clientNames,
      readToken: files.readToken?.current ?? null,
      writeToken: files.writeToken?.current ?? null,
      clock,
      log,
    }),
    requiresLoopbackHost: isLoopback(listen.address),
    certificateOf: (socket) => certificateOf(socket),
  };

  const handle: RequestListener = (request, response) => {
    const { socket } = request;
    connections.handling(request, response);
    // Socket errors mean that the client disconnected.
    response.on('error', () => {});
    answerRequest(serving, request, response)
      .catch((error: unknown) => {
        // A client that goes away while it sends its body waits for no answer, and is no fault of this program.
        const level = error === request.errored ? 'debug' : 'error';
        log[level]('request failed', { method: request.method, url: request.url, error });
        if (error instanceof DocumentTooLong) return problem(500, error.message);
        return problem(500, 'internal error; see the log of the controller');
      })
      .then(async (found) => {
        await delay(found.delayMs, request, response);
        send(connections, request, socket, response, found);
      });
  };
  const listener = inTurn(handle);
  const { server, certificateOf } = serverFor(files, listener);
  // Without these Node asks for every body, also of a request that is then refused, and refuses without JSON.
  server.on('checkContinue', listener);
  server.on('checkExpectation', listener);
  refuseInJson(server);
  /** Waits, but no longer than the connection lasts. */
  async function delay(delayMs: number | undefined, request: IncomingMessage, response: ServerResponse) {
    if (delayMs === undefined) return;
    connections.delayed(request);
    const closed = new AbortController();
    response.once('close', () => closed.abort());
    await clock.sleep(delayMs, closed.signal);
  }

  const connections = limitConnections(server, { ...CONNECTION_LIMITS, ...options.connections });
  await listenOn(server, listen, options.flag ?? '--listen');
  server.on('error', (error) => log.error('HTTP server', { error }));
  return {
    url: urlOf(files.identity === null ? 'http' : 'https', server, listen),
    close: () => closeServer(server),
  };
}

/** Plain HTTP without a certificate; then clients present none either. */
function serverFor({ identity, clientCertificates }: AccessFiles, listener: RequestListener) {
  if (identity !== null) return createTlsServer(LIMITS, identity, clientCertificates, listener);
  return { server: createServer(LIMITS, listener), certificateOf: () => 'none' as const };
}

function send(
  connections: Connections,
  request: IncomingMessage,
  socket: Socket,
  response: ServerResponse,
  { status, headers, body }: Answer,
): void {
  connections.sending(response, typeof body === 'function');
  const length =
    status === 304 || typeof body === 'function' ? {} : { 'content-length': Buffer.byteLength(body) };
  const closing = prepareAnswer(request, socket) ? { connection: 'close' } : {};
  response.writeHead(status, { ...SECURITY_HEADERS, ...headers, ...length, ...closing });
  if (request.method === 'HEAD') response.end();
  else if (typeof body === 'function') body(response);
  else response.end(body);
}
