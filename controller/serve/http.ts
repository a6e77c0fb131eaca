import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { ListenOption } from '../config/values.ts';
import { ControllerError, messageOf } from '../errors.ts';
import { systemClock } from '../loop/clock.ts';
import { endpointKey } from '../model.ts';
import type { Clock, KernelCounters, Log } from '../ports.ts';
import { DEFAULT_LIMITS, type HealthLimits } from '../status/checks.ts';
import type { Status } from '../status/status.ts';
import { isLoopback, namesLoopback } from './host-header.ts';
import type { Metrics } from './metrics.ts';
import { type Answer, createRoutes, type Doctor, problem, type Route } from './routes.ts';

export interface HttpOptions {
  readonly listen: ListenOption;
  readonly status: () => Status;
  readonly metrics: Pick<Metrics, 'contentType' | 'text'>;
  readonly log: Log;
  /** What `/v1/status` reads the kernel's counters with; without it they are those of the last pass. */
  readonly counters?: KernelCounters | undefined;
  /** What `/v1/doctor` examines this host with. */
  readonly doctor?: Doctor | undefined;
  /** What the loop and the sources were told, where that is not the default. */
  readonly limits?: Partial<HealthLimits> | undefined;
  /** Defaults to the system's. */
  readonly clock?: Pick<Clock, 'now'> | undefined;
}

export interface HttpServer {
  /** `http://127.0.0.1:61421`, with the port that was found where 0 was asked for. */
  readonly url: string;
  /** Takes no more requests and resolves when those at work are answered, or after a second. */
  close(): Promise<void>;
}

/** A host has a prober, a Prometheus and a few people; whoever opens more than this holds them back, not us. */
const MOST_CONNECTIONS = 128;
const CLOSE_MS = 1_000;

/** Of slow, large and idle requests as much as probes and people need. */
const LIMITS = {
  maxHeaderSize: 8_192,
  headersTimeout: 5_000,
  requestTimeout: 10_000,
  keepAliveTimeout: 5_000,
  connectionsCheckingInterval: 1_000,
};
const IDLE_MS = 30_000;

const SECURITY_HEADERS = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
};

/**
 * Serves health, metrics and the read-only API. Rejects with a `ControllerError` when the address cannot be used.
 *
 * Nothing that a client does ends the process: what goes wrong while a request is answered is logged and gives 500.
 */
export async function startHttp(options: HttpOptions): Promise<HttpServer> {
  const { listen, log, limits = {}, clock = systemClock } = options;
  const routes = createRoutes({ ...options, clock, limits: { ...DEFAULT_LIMITS, ...limits } });
  const guarded = isLoopback(listen.address);

  const server = createServer(LIMITS, (request, response) => {
    // The socket's own errors: the client went away.
    response.on('error', () => {});
    answer(routes, request, guarded)
      .catch((error: unknown) => {
        log.error('request failed', { method: request.method, url: request.url, error });
        return problem(500, 'internal error; the log has the reason');
      })
      .then((found) => send(request, response, found));
  });
  server.maxConnections = MOST_CONNECTIONS;
  server.setTimeout(IDLE_MS);
  await listenOn(server, listen);
  server.on('error', (error) => log.error('HTTP server', { error }));
  return { url: urlOf(server, listen), close: () => close(server) };
}

async function answer(
  routes: ReadonlyMap<string, Route>,
  { method = '', url = '', headers }: IncomingMessage,
  guarded: boolean,
): Promise<Answer> {
  // Only HTTP/1.0 comes without a host, and no browser speaks that.
  if (guarded && headers.host !== undefined && !namesLoopback(headers.host)) {
    return problem(421, 'this address is for clients on this host; ask for 127.0.0.1, [::1] or localhost');
  }
  const [path = '', query = ''] = url.split(/\?(.*)/s);
  if (method !== 'GET' && method !== 'HEAD') {
    return problem(
      405,
      `${method} is not possible here`,
      { methods: ['GET', 'HEAD'] },
      { allow: 'GET, HEAD' },
    );
  }
  const route = routes.get(path);
  if (route === undefined) return problem(404, 'no such endpoint', { endpoints: [...routes.keys()] });
  return await route({ query: new URLSearchParams(query), headers });
}

function send(request: IncomingMessage, response: ServerResponse, { status, headers, body }: Answer): void {
  const length = status === 304 ? {} : { 'content-length': Buffer.byteLength(body) };
  response.writeHead(status, { ...SECURITY_HEADERS, ...headers, ...length });
  response.end(request.method === 'HEAD' ? undefined : body);
}

function listenOn(server: Server, { address, port }: ListenOption): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) => reject(cannotListen({ address, port }, cause)));
    server.listen({ host: address, port }, () => {
      server.removeAllListeners('error');
      resolve();
    });
  });
}

function cannotListen(listen: ListenOption, cause: NodeJS.ErrnoException): ControllerError {
  const advice = ADVICE[cause.code ?? '']?.(listen);
  const why = `--listen ${endpointKey(listen)}: ${advice ?? messageOf(cause)}`;
  return new ControllerError('usage', why, { retry: 'never' });
}

const ADVICE: Readonly<Record<string, (listen: ListenOption) => string>> = {
  EADDRINUSE: ({ port }) =>
    `another process has this port (\`ss -ltnp sport = :${port}\` shows which); choose another with --listen ADDRESS:PORT, or --listen off`,
  EADDRNOTAVAIL: ({ address }) =>
    `this host has no address ${address} (\`ip address\` lists those that it has); choose another with --listen ADDRESS:PORT, or --listen off`,
  EACCES: () =>
    'ports below 1024 need CAP_NET_BIND_SERVICE; choose another with --listen ADDRESS:PORT, or --listen off',
};

function urlOf(server: Server, { address, port }: ListenOption): string {
  const bound = server.address();
  const found = typeof bound === 'object' && bound !== null ? bound.port : port;
  return `http://${endpointKey({ address, port: found })}`;
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const impatient = setTimeout(() => server.closeAllConnections(), CLOSE_MS);
    server.close(() => {
      clearTimeout(impatient);
      resolve();
    });
    server.closeIdleConnections();
  });
}
