import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { ListenOption } from '../config/values.ts';
import { isLoopback } from '../loopback.ts';
import type { Clock, KernelCounters, Log } from '../ports.ts';
import { DEFAULT_LIMITS, type HealthLimits } from '../status/checks.ts';
import { createHistory, type History } from '../status/history.ts';
import type { Status } from '../status/status.ts';
import { systemClock } from '../time.ts';
import { type Access, type Credentials, createAccess } from './access/access.ts';
import type { AccessFiles } from './access/files.ts';
import { type Answer, type Area, problem, type Route } from './answer.ts';
import type { Writing } from './apps.ts';
import {
  CONNECTION_LIMITS,
  type ConnectionLimits,
  type Connections,
  limitConnections,
} from './connections.ts';
import { namesLoopback } from './host-header.ts';
import { closeServer, listenOn, urlOf } from './listening.ts';
import type { Metrics } from './metrics.ts';
import type { PageFacts } from './page/facts.ts';
import { createRoutes, type Doctor, type Routes } from './routes.ts';
import { createTlsServer } from './tls-server.ts';
import type { Explain } from './why.ts';

export interface HttpOptions {
  readonly listen: ListenOption;
  readonly status: () => Status;
  readonly metrics: Pick<Metrics, 'contentType' | 'text'>;
  readonly log: Log;
  /** Serves these paths alone, to whoever can reach them; the option that says where. */
  readonly only?: { readonly paths: readonly string[]; readonly flag: string } | undefined;
  /** What `/v1/status` reads the kernel's counters with; without it they are those of the last pass. */
  readonly counters?: KernelCounters | undefined;
  /** What `/v1/doctor` examines this host with. */
  readonly doctor?: Doctor | undefined;
  /** What `/v1/why` walks the way of a connection with. */
  readonly explain?: Explain | undefined;
  /** What happened to each VIP; defaults to nothing. */
  readonly history?: Pick<History, 'ofVip' | 'latest'> | undefined;
  /** What the page shows in its form; defaults to DC/OS's names, and no writing. */
  readonly page?: PageFacts | undefined;
  /** Keys and tokens; defaults to none: no TLS, everyone who reaches the address may read, no one may write. */
  readonly access?: AccessFiles | undefined;
  /** What `/v1/apps` writes with; without it that is off. */
  readonly writing?: Writing | undefined;
  /** What the loop and the sources were told, where that is not the default. */
  readonly limits?: Partial<HealthLimits> | undefined;
  /** How many connections are kept, and for how long. */
  readonly connections?: Partial<ConnectionLimits> | undefined;
  /** Defaults to the system's. */
  readonly clock?: Clock | undefined;
}

export interface HttpServer {
  /** `http://127.0.0.1:61421`, or https, with the port that was found where 0 was asked for. */
  readonly url: string;
  /** Takes no more requests and resolves when those at work are answered, or after a second. */
  close(): Promise<void>;
}

/** Of slow, large and idle requests as much as probes and people need. */
const LIMITS = {
  maxHeaderSize: 8_192,
  headersTimeout: 5_000,
  requestTimeout: 10_000,
  keepAliveTimeout: 5_000,
  connectionsCheckingInterval: 1_000,
};

const SECURITY_HEADERS = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
};

const NO_FILES: AccessFiles = {
  identity: null,
  clientCertificates: false,
  clientNames: null,
  readToken: null,
  writeToken: null,
  complaints: () => [],
  close: () => undefined,
};

/** What the page needs to know where no one says otherwise: the names are those of DC/OS. */
const DEFAULT_PAGE: PageFacts = {
  zone: 'l4lb.thisdcos.directory',
  framework: 'marathon',
  dryRun: false,
  writes: false,
  readToken: false,
};

/**
 * Serves the page, health, metrics and the API. Rejects with a `ControllerError` when the address cannot be used.
 *
 * Nothing that a client does ends the process: what goes wrong while a request is answered is logged and gives 500.
 */
export async function startHttp(options: HttpOptions): Promise<HttpServer> {
  const { listen, log, limits = {}, clock = systemClock, access: files = NO_FILES } = options;
  const { history = createHistory(), page = DEFAULT_PAGE, writing = null } = options;
  const { complaints } = files;
  const all = { ...options, clock, history, page, writing, complaints };
  const routes = limitedTo(
    createRoutes({ ...all, limits: { ...DEFAULT_LIMITS, ...limits } }),
    options.only?.paths,
  );
  const answering: Answering = {
    routes,
    access: createAccess({
      certificates: files.clientCertificates,
      clientNames: files.clientNames,
      readToken: files.readToken?.current ?? null,
      writeToken: files.writeToken?.current ?? null,
      clock,
      log,
    }),
    ownHostsOnly: isLoopback(listen.address),
    certificateOf: (socket) => certificateOf(socket),
  };

  const { server, certificateOf } = serverFor(files, (request, response) => {
    // The socket's own errors: the client went away.
    response.on('error', () => {});
    answer(answering, request)
      .catch((error: unknown) => {
        log.error('request failed', { method: request.method, url: request.url, error });
        return problem(500, 'internal error; the log has the reason');
      })
      .then(async (found) => {
        await putOff(found.afterMs, request, response);
        send(connections, request, response, found);
      });
  });
  /** Lets the time pass; the client may go away, or be sent away, meanwhile. */
  async function putOff(afterMs: number | undefined, request: IncomingMessage, response: ServerResponse) {
    if (afterMs === undefined) return;
    connections.putOff(request);
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    await clock.sleep(afterMs, gone.signal);
  }

  const connections = limitConnections(server, { ...CONNECTION_LIMITS, ...options.connections });
  for (const renewed of [files.identity, files.readToken, files.writeToken]) {
    renewed?.onRenewed(() => routes.revoke());
  }
  await listenOn(server, listen, options.only?.flag ?? '--listen');
  server.on('error', (error) => log.error('HTTP server', { error }));
  const close = () => {
    routes.close();
    return closeServer(server);
  };
  return { url: urlOf(files.identity === null ? 'http' : 'https', server, listen), close };
}

/** Plain where there is no certificate; then no client shows one either. */
function serverFor({ identity, clientCertificates }: AccessFiles, listener: RequestListener) {
  if (identity !== null) return createTlsServer(LIMITS, identity, clientCertificates, listener);
  return { server: createServer(LIMITS, listener), certificateOf: () => 'none' as const };
}

interface Answering {
  readonly routes: Routes;
  readonly access: Access;
  /** Whether requests must name this host as one does over loopback. */
  readonly ownHostsOnly: boolean;
  readonly certificateOf: (socket: Socket) => Credentials['certificate'];
}

async function answer(
  { routes, access, ownHostsOnly, certificateOf }: Answering,
  request: IncomingMessage,
): Promise<Answer> {
  const { method = '', url = '', headers, socket } = request;
  // Only HTTP/1.0 comes without a host, and no browser speaks that.
  if (ownHostsOnly && headers.host !== undefined && !namesLoopback(headers.host)) {
    return problem(421, 'this address is for clients on this host; ask for 127.0.0.1, [::1] or localhost');
  }
  const [path = '', query = ''] = url.split(/\?(.*)/s);
  const { methods, needs, frequent = false, route } = endpointOf(routes, path);
  const credentials = { headers, address: socket.remoteAddress ?? '', certificate: certificateOf(socket) };
  const right = access.admit(credentials, needs, frequent);
  if (typeof right !== 'string') return right;
  if (!methods.includes(method)) {
    return problem(405, `${method} is not possible here`, { methods }, { allow: methods.join(', ') });
  }
  if (route === undefined) return problem(404, 'no such endpoint', { endpoints: endpointsOf(routes) });
  const body = (most: number) => readBody(request, most);
  return await route({ method, path, query: new URLSearchParams(query), headers, right, body });
}

const READ = ['GET', 'HEAD'];

function endpointOf(
  { paths, areas, open }: Routes,
  path: string,
): Pick<Area, 'methods' | 'needs' | 'frequent'> & { readonly route: Route | undefined } {
  const needs = open.has(path) ? 'none' : 'read';
  return (
    areas.find(({ under }) => path.startsWith(under)) ?? { methods: READ, needs, route: paths.get(path) }
  );
}

/** What is told to whoever asks for another one. */
function endpointsOf({ paths, areas }: Routes): readonly string[] {
  return [...paths.keys(), ...areas.flatMap(({ described }) => described)];
}

async function readBody(request: IncomingMessage, most: number): Promise<Buffer | null> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > most) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size);
}

function send(
  connections: Connections,
  request: IncomingMessage,
  response: ServerResponse,
  { status, headers, body }: Answer,
): void {
  connections.writes(response, typeof body === 'function');
  const length =
    status === 304 || typeof body === 'function' ? {} : { 'content-length': Buffer.byteLength(body) };
  response.writeHead(status, { ...SECURITY_HEADERS, ...headers, ...length });
  if (request.method === 'HEAD') response.end();
  else if (typeof body === 'function') body(response);
  else response.end(body);
}

function limitedTo(routes: Routes, only: readonly string[] | undefined): Routes {
  if (only === undefined) return routes;
  return { ...routes, paths: new Map([...routes.paths].filter(([path]) => only.includes(path))), areas: [] };
}
