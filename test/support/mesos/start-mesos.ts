/**
 * A small Mesos for tests: masters that speak the operator API v1 with its real framing, and fail in the ways in which
 * real ones fail; and an agent. Never for production.
 */

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, type ServerOptions as TlsOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { JsonObject } from '../marathon/json.ts';
import { cut, record } from './record.ts';
import { taskJson } from './task-json.ts';
import { TestCluster } from './test-cluster.ts';

export interface MesosOptions {
  /** How many masters there are; the first leads. Defaults to 1. */
  readonly masters?: number;
  /** How often heartbeats come, as it says. Defaults to 15. */
  readonly heartbeatSeconds?: number;
  /** How often they really come, for clocks that run faster. Defaults to what it says. */
  readonly heartbeatMs?: number;
  /** Sizes of the pieces into which streams are cut, over and over. Defaults to no cuts. */
  readonly pieces?: readonly number[];
  /** What the `Authorization` header must be. */
  readonly authorization?: string;
  readonly tls?: TlsOptions;
}

export interface Call {
  readonly type: string;
  /** Index of the master that was asked. */
  readonly master: number;
  readonly authorization: string | undefined;
}

export interface TestMesos {
  readonly urls: readonly string[];
  readonly cluster: TestCluster;
  readonly calls: Call[];
  /** How many streams are open. */
  readonly streams: number;
  /** Does something else with a request than to answer it when it returns true. */
  intercept: (type: string, response: ServerResponse) => boolean;
  /** Whether heartbeats are sent, at once and regularly. */
  heartbeats: boolean;
  /** Sends these bytes on every stream, whatever they are. */
  send(bytes: Buffer | string): void;
  /** Ends every stream, properly or by breaking the connection. */
  endStreams(how?: 'end' | 'break'): void;
  /** Another master leads; null: none. Streams of the old one end. */
  elect(master: number | null): void;
  close(): Promise<void>;
}

export async function startMesos(options: MesosOptions = {}): Promise<TestMesos> {
  const { heartbeatSeconds = 15, pieces = [Number.POSITIVE_INFINITY] } = options;
  const streams = new Set<ServerResponse>();
  const send = (bytes: Buffer | string) => {
    for (const stream of streams) write(stream, Buffer.from(bytes), pieces);
  };
  const cluster = new TestCluster((event) => send(record(event)));
  const calls: Call[] = [];
  let leader: number | null = 0;

  const answer = async (request: IncomingMessage, response: ServerResponse, master: number) => {
    const { authorization } = request.headers;
    const body: JsonObject = JSON.parse((await text(request)) || '{}');
    const type = String(body['type']);
    calls.push({ type, master, authorization });
    if (mesos.intercept(type, response)) return;
    if (request.method !== 'POST' || !request.url?.endsWith('/api/v1')) return plain(response, 404, '');
    if (options.authorization !== undefined && authorization !== options.authorization)
      return plain(response, 401, 'Unauthorized');
    if (leader === null) return plain(response, 503, 'No leader elected');
    if (leader !== master) {
      response.writeHead(307, { location: `//${hosts[leader]}/api/v1` }).end();
      return;
    }
    if (type === 'SUBSCRIBE') return subscribe(response);
    const reply = replyTo(type, cluster.state());
    if (reply === null) return plain(response, 400, `Failed to validate call: ${type}`);
    json(response, { type, ...reply });
  };
  const subscribe = (response: ServerResponse) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    const subscribed = { get_state: cluster.state(), heartbeat_interval_seconds: heartbeatSeconds };
    write(response, record({ type: 'SUBSCRIBED', subscribed }), pieces);
    streams.add(response);
    response.on('close', () => streams.delete(response));
    if (mesos.heartbeats) write(response, record(HEARTBEAT), pieces);
  };
  const beat = setInterval(
    () => {
      if (mesos.heartbeats) send(record(HEARTBEAT));
    },
    options.heartbeatMs ?? heartbeatSeconds * 1_000,
  );

  const servers = await Promise.all(
    Array.from({ length: options.masters ?? 1 }, (_, master) =>
      listen((request, response) => void answer(request, response, master), options.tls),
    ),
  );
  const hosts = servers.map(({ port }) => `127.0.0.1:${port}`);
  const mesos: TestMesos = {
    urls: hosts.map((host) => `${options.tls ? 'https' : 'http'}://${host}`),
    cluster,
    calls,
    get streams() {
      return streams.size;
    },
    intercept: () => false,
    heartbeats: true,
    send,
    endStreams(how = 'end') {
      for (const stream of streams) how === 'end' ? stream.end() : stream.socket?.resetAndDestroy();
      streams.clear();
    },
    elect(master) {
      leader = master;
      mesos.endStreams();
    },
    async close() {
      clearInterval(beat);
      await Promise.all(servers.map(({ close }) => close()));
    },
  };
  return mesos;
}

export interface TestAgent {
  readonly url: string;
  readonly cluster: TestCluster;
  readonly calls: string[];
  intercept: (type: string, response: ServerResponse) => boolean;
  /** Whether it has an id of a master. */
  registered: boolean;
  close(): Promise<void>;
}

/** An agent with this id and host name; what runs on it is what its cluster has. */
export async function startMesosAgent(id: string, hostname: string): Promise<TestAgent> {
  const cluster = new TestCluster(() => undefined);
  const calls: string[] = [];
  const server = await listen(async (request, response) => {
    const type = String(JSON.parse(await text(request))['type']);
    calls.push(type);
    if (agent.intercept(type, response)) return;
    if (type === 'GET_AGENT') {
      const agent_info = { hostname, port: 5051, ...(agent.registered && { id: { value: id } }) };
      return json(response, { type, get_agent: { agent_info } });
    }
    const { get_frameworks } = cluster.state();
    const launched_tasks = [...cluster.tasks.values()].map(taskJson);
    json(response, { type, get_state: { get_tasks: { launched_tasks }, get_executors: {}, get_frameworks } });
  });
  const agent: TestAgent = {
    url: `http://127.0.0.1:${server.port}`,
    cluster,
    calls,
    intercept: () => false,
    registered: true,
    close: server.close,
  };
  return agent;
}

const HEARTBEAT = { type: 'HEARTBEAT' };

function replyTo(type: string, state: JsonObject): JsonObject | null {
  if (type === 'GET_STATE') return { get_state: state };
  return type === 'GET_AGENTS' ? { get_agents: state['get_agents'] } : null;
}

function write(response: ServerResponse, bytes: Buffer, pieces: readonly number[]): void {
  for (const piece of cut(bytes, pieces)) response.write(piece);
}

function json(response: ServerResponse, body: unknown): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

function plain(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(body);
}

async function listen(
  listener: (request: IncomingMessage, response: ServerResponse) => void,
  tls?: TlsOptions,
): Promise<{ readonly port: number; close(): Promise<void> }> {
  const server = tls ? createTlsServer(tls, listener) : createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
