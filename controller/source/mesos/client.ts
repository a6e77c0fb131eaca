import { ControllerError } from '../../errors.ts';
import { HttpClient, type HttpClientOptions } from '../../http/client.ts';
import type { AnswerHead, Peer } from '../../http/peer.ts';
import { OverBound } from '../../input/bounds.ts';
import { parseUrl } from '../../input/host-name.ts';
import { isRecord } from '../../input/rejection.ts';
import { Pace } from '../../pace.ts';
import { checkSize, WrongType } from '../json/walk.ts';
import { agentInfoSchema, type MesosAgent } from './schema.ts';
import { type AgentList, type MesosState, readAgentList, readState } from './state.ts';

export type MesosClientOptions = HttpClientOptions;

/** Calls Mesos's operator API v1. Errors are `ControllerError`s for an operator. */
export interface MesosClient {
  /** The masters, or the agent, as they were given, without credentials. */
  readonly name: string;
  /** URLs of the masters, or the agent, and of the leaders that were learnt, without credentials. */
  readonly servers: readonly string[];
  /** Opens the stream of events, which lasts until `signal` aborts or either side ends it. Masters only. */
  subscribe(signal: AbortSignal): Promise<AsyncIterable<Uint8Array>>;
  /** The bytes of a `GET_STATE` reply. */
  getState(signal: AbortSignal): Promise<Buffer>;
  /** Which agents a master has, and which it still waits for. */
  getAgents(signal: AbortSignal): Promise<AgentList>;
  /** An agent's own id, host name and place. Rejects while it has not registered with a master. */
  getAgent(signal: AbortSignal): Promise<MesosAgent>;
  /** Reads the bytes of a `GET_STATE` reply; rejects when they are none, or not complete. */
  parseState(bytes: Buffer): Promise<MesosState>;
}

/**
 * A client for equal masters, whichever of them leads, or for one agent. Throws (code `usage`) when `where` is not a list
 * of URLs; nothing is contacted yet.
 */
export function createMesosClient(options: MesosClientOptions, kind: 'master' | 'agent'): MesosClient {
  const http = new HttpClient(options, kind === 'master' ? MASTER : AGENT);
  const question = (type: string, encoding: string) =>
    ({
      method: 'POST',
      path: API,
      headers: {
        accept: 'application/json',
        'content-type': 'application/json',
        'accept-encoding': encoding,
      },
      body: JSON.stringify({ type }),
      shown: `POST ${type}`,
    }) as const;
  const wrong = (type: string, expected: string) =>
    new ControllerError('source', `POST ${type} ${http.name}${API}: the answer is no ${expected}`);

  return {
    name: http.name,
    get servers() {
      return http.servers;
    },
    subscribe: (signal) =>
      // Not compressed: an event must not wait in a compressor's buffer.
      http.stream(question('SUBSCRIBE', 'identity'), STREAM_TYPES, 'a stream of events', signal),
    async getState(signal) {
      const bytes = await http.read(question('GET_STATE', 'gzip'), signal, (body) => body);
      if (bytes === null) throw wrong('GET_STATE', 'state');
      return bytes;
    },
    async getAgents(signal) {
      const list = await http.read(question('GET_AGENTS', 'gzip'), signal, (body) =>
        readAgentList(body, new Pace()),
      );
      if (list === null) throw wrong('GET_AGENTS', 'list of agents');
      return list;
    },
    async getAgent(signal) {
      const reply = await http.read(question('GET_AGENT', 'gzip'), signal, async (body) => {
        await checkSize(body, new Pace());
        return JSON.parse(body.toString('utf8'));
      });
      const agent: unknown = isRecord(reply) ? reply['get_agent'] : undefined;
      const { data } = agentInfoSchema.safeParse(isRecord(agent) ? agent['agent_info'] : undefined);
      if (data === undefined)
        throw wrong('GET_AGENT', 'agent with an id; it has not registered with a master yet');
      return data;
    },
    async parseState(bytes) {
      try {
        const state = await readState(bytes, new Pace());
        if (state !== null) return state;
      } catch (cause) {
        if (cause instanceof OverBound) {
          throw new ControllerError(
            'source',
            `POST GET_STATE ${http.name}${API}: the answer is refused: ${cause.message}`,
          );
        }
        if (cause instanceof WrongType) throw wrong('GET_STATE', `state: ${cause.message}`);
        if (!(cause instanceof SyntaxError)) throw cause;
        throw new ControllerError('source', wrong('GET_STATE', 'complete JSON').message, { cause });
      }
      throw wrong('GET_STATE', 'state with get_tasks and get_frameworks');
    },
  };
}

const API = '/api/v1';
/** Which of the two depends on the version; the framing is the same. */
const STREAM_TYPES = ['application/json', 'application/recordio'];

const MASTER: Peer = {
  name: 'Mesos',
  kind: 'a Mesos master',
  options: {
    address: '--source',
    userFile: '--mesos-user-file',
    tokenFile: '--mesos-token-file',
    caFile: '--mesos-ca-file',
  },
  rights: 'these credentials may not read the state: grant them view access to frameworks and tasks',
  unavailable: 'Mesos has no leader for now, or is still recovering, or the connection to it is down',
  // Mesos explains itself in plain text, as proxies do.
  ownMessage: () => null,
  isAbsent: () => false,
  leaderIn,
};

const AGENT: Peer = {
  ...MASTER,
  kind: 'a Mesos agent',
  unavailable: 'the agent is still recovering, or the connection to it is down',
  leaderIn: () => undefined,
};

/** A master that does not lead answers 307, with the same call at the leader: `//10.0.0.2:5050/api/v1`. */
function leaderIn({ statusCode, headers: { location } }: AnswerHead, url: URL): string | undefined {
  if (statusCode !== 307 || typeof location !== 'string') return undefined;
  const leader = parseUrl(location, url);
  // Elsewhere, and be it the log-in page of a proxy, is no leader.
  return leader?.pathname.endsWith(API) === true ? leader.origin : undefined;
}
