import { HttpClient, type HttpClientOptions, type WholeAnswer } from '../../http/client.ts';
import { answerFailure } from '../../http/failure.ts';
import type { Peer } from '../../http/peer.ts';
import { Pace } from '../../pace.ts';
import { isRecord } from '../../rejection.ts';
import { checkSize } from '../json/walk.ts';

export type MarathonClientOptions = HttpClientOptions;

/** Speaks with Marathon, whichever of its masters answers. Errors are `ControllerError`s for an operator. */
export interface MarathonClient {
  /** The masters as they were given, without credentials. */
  readonly name: string;
  /** URLs of the masters and of the leaders that were learnt, without credentials. */
  readonly servers: readonly string[];
  /**
   * Reads JSON. Resolves with null when Marathon itself says that there is no such thing; a 404 of some proxy
   * is a failure. Each master is tried once. `parse` stands for `JSON.parse`; a `SyntaxError` of it counts as
   * a failure of the master.
   */
  get(path: string, signal: AbortSignal): Promise<unknown>;
  get<T>(path: string, signal: AbortSignal, parse: (body: Buffer) => T | Promise<T>): Promise<T | null>;
  /** Opens a stream of server-sent events, which then lasts until `signal` aborts or either side ends it. */
  stream(path: string, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>>;
  /**
   * Writes. Resolves with what Marathon itself answers below 500, refusals included, 401 excepted. Another master is
   * tried only where the request cannot have been carried out; otherwise the error says that it may have been.
   */
  send(message: Message, signal: AbortSignal): Promise<Reply>;
}

/** A client for one Marathon. Throws (code `usage`) when `where` is no list of URLs; nothing is contacted yet. */
export function createMarathonClient(options: MarathonClientOptions): MarathonClient {
  const http = new HttpClient(options, MARATHON);
  const json = { accept: 'application/json', 'accept-encoding': 'gzip' };
  return {
    name: http.name,
    get servers() {
      return http.servers;
    },
    get: <T>(path: string, signal: AbortSignal, parse?: (body: Buffer) => T | Promise<T>) =>
      http.read<unknown>({ method: 'GET', path, headers: json }, signal, parse ?? parseText) as Promise<T>,
    stream: (path, signal) =>
      // Not compressed: an event must not wait in a compressor's buffer.
      http.stream({ method: 'GET', path, headers: EVENTS }, [EVENTS.accept], 'an event stream', signal),
    send({ method, path, body }, signal) {
      const question =
        body === undefined
          ? { method, path, headers: json }
          : { method, path, headers: { ...json, 'content-type': 'application/json' }, body };
      const asked = `${method} ${http.name}${path}`;
      return http.write(question, signal, (answer) => replyOf(http.peer, answer, asked));
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
  unavailable: 'Marathon has no leader for now, or the way to it is down',
  ownMessage,
  // An unknown route is a 500 in Marathon; pods came with 1.4.
  isAbsent: (status, said) =>
    said !== null && (status === 404 || (status === 500 && said === 'URI not found')),
  // `http://host:port`, also on answers that a standby passed on.
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
  // Null is what stands for an answer that there is no such thing.
  return JSON.parse(body.toString('utf8')) ?? undefined;
}

/** A write. */
export interface Message {
  readonly method: 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  /** JSON text, sent as it is. */
  readonly body?: string | undefined;
}

/** Marathon's answer to a write. */
export interface Reply {
  readonly status: number;
  /** Header `Marathon-Deployment-Id`. */
  readonly deployment: string | null;
  /** null where the body is empty. */
  readonly json: unknown;
  /** The request, for a message: `POST http://10.0.0.1:8080/v2/apps`. */
  readonly asked: string;
}

/** The answer to a write. Throws a `Failure` for one that is not Marathon's own. */
export function replyOf(
  marathon: Peer,
  { status, headers, body, withheld }: WholeAnswer,
  asked: string,
): Reply {
  const json = jsonOrNull(body);
  if (status === 401 || status >= 500 || (json === null && body !== '')) {
    throw answerFailure(marathon, status, body, withheld, 'JSON');
  }
  const id = headers['marathon-deployment-id'];
  return { status, deployment: typeof id === 'string' ? id : null, json, asked };
}

function jsonOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
