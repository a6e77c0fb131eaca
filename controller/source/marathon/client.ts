import { HttpClient, type HttpClientOptions, type WholeAnswer } from '../../http/client.ts';
import { answerFailure } from '../../http/failure.ts';
import type { Peer } from '../../http/peer.ts';
import { isRecord } from '../../input/rejection.ts';
import { utf8Problem } from '../../input/utf8.ts';
import { Pace } from '../../pace.ts';
import { checkSize } from '../json/walk.ts';

export type MarathonClientOptions = HttpClientOptions;

/** A client for Marathon through any of its masters. Its errors are `ControllerError`s for an operator. */
export interface MarathonClient {
  /** The configured masters, without credentials. */
  readonly name: string;
  /** URLs of the masters and of the leaders discovered, without credentials. */
  readonly servers: readonly string[];
  /**
   * Reads JSON. Resolves with null when Marathon itself answers that the resource does not exist; a proxy's 404 is a
   * failure. Tries each master once. `parse` replaces `JSON.parse`; if it throws a `SyntaxError`, that master counts as
   * failed.
   */
  get(path: string, signal: AbortSignal): Promise<unknown>;
  get<T>(path: string, signal: AbortSignal, parse: (body: Buffer) => T | Promise<T>): Promise<T | null>;
  /** Opens a stream of server-sent events. It lasts until `signal` aborts or either side ends it. */
  stream(path: string, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>>;
  /**
   * Writes. Resolves with Marathon's own answers below 500, refusals included but not 401. Tries another master only
   * when the request cannot have been carried out; otherwise the error says that it may have been.
   */
  send(message: Message, signal: AbortSignal): Promise<Reply>;
}

/** Creates a client for one Marathon, without connecting. Throws (code `usage`) when `where` is not a list of URLs. */
export function createMarathonClient(options: MarathonClientOptions): MarathonClient {
  const http = new HttpClient(options, MARATHON);
  const json = { accept: 'application/json', 'accept-encoding': 'gzip' };
  return {
    name: http.name,
    get servers() {
      return http.servers;
    },
    get: <T>(path: string, signal: AbortSignal, parse?: (body: Buffer) => T | Promise<T>) =>
      http.read<unknown>({ method: 'GET', path, headers: json }, signal, async (body) => {
        // Decoded, two damaged ids could become one.
        const problem = utf8Problem(body);
        if (problem !== null) throw new SyntaxError(problem);
        return await (parse ?? parseText)(body);
      }) as Promise<T>,
    stream: (path, signal) =>
      // Not compressed: an event must not wait in a compressor's buffer.
      http.stream({ method: 'GET', path, headers: EVENTS }, [EVENTS.accept], 'an event stream', signal),
    send({ method, path, body }, signal) {
      const request =
        body === undefined
          ? { method, path, headers: json }
          : { method, path, headers: { ...json, 'content-type': 'application/json' }, body };
      const summary = `${method} ${http.name}${path}`;
      return http.write(request, signal, (answer) => replyOf(http.peer, answer, summary));
    },
  };
}

const EVENTS = { accept: 'text/event-stream', 'accept-encoding': 'identity' };

const MARATHON: Peer = {
  name: 'Marathon',
  kind: 'a Marathon',
  options: {
    address: '--source',
    userFile: '--marathon-user-file',
    tokenFile: '--marathon-token-file',
    caFile: '--marathon-ca-file',
  },
  rights: 'these credentials may not read apps: grant them read access to all services',
  unavailable: 'Marathon has no leader at the moment, or the connection to it is down',
  ownMessage,
  // For an unknown route, Marathon answers 500; pods exist since 1.4.
  isAbsent: (status, message) =>
    message !== null && (status === 404 || (status === 500 && message === 'URI not found')),
  // `http://host:port`, also on answers that a standby master forwarded.
  leaderIn({ headers }) {
    const named = headers['x-marathon-leader'];
    return typeof named === 'string' ? named : undefined;
  },
};

/** Marathon's own error bodies are `{"message": "…"}`. */
function ownMessage(body: string): string | null {
  try {
    const json: unknown = JSON.parse(body);
    return isRecord(json) && typeof json['message'] === 'string' ? json['message'] : null;
  } catch {
    return null;
  }
}

async function parseText(body: Buffer): Promise<unknown> {
  await checkSize(body, new Pace());
  // Null means that the resource does not exist.
  return JSON.parse(body.toString('utf8')) ?? undefined;
}

/** A write request. */
export interface Message {
  readonly method: 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  /** JSON text, sent unchanged. */
  readonly body?: string | undefined;
}

/** Marathon's answer to a write. */
export interface Reply {
  readonly status: number;
  /** Header `Marathon-Deployment-Id`. */
  readonly deployment: string | null;
  /** null when the body is empty. */
  readonly json: unknown;
  /** The request, for a message: `POST http://10.0.0.1:8080/v2/apps`. */
  readonly request: string;
}

/** Reads the answer to a write. Throws a `Failure` when the answer is not Marathon's own. */
export function replyOf(
  marathon: Peer,
  { status, headers, body, withheld }: WholeAnswer,
  request: string,
): Reply {
  const json = jsonOrNull(body);
  if (status === 401 || status >= 500 || (json === null && body !== '')) {
    throw answerFailure(marathon, status, body, withheld, 'JSON');
  }
  const id = headers['marathon-deployment-id'];
  return { status, deployment: typeof id === 'string' ? id : null, json, request };
}

function jsonOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
