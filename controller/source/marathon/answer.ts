import type { WholeAnswer } from '../../http/client.ts';
import { answerFailure } from '../../http/failure.ts';
import type { Peer } from '../../http/peer.ts';

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
