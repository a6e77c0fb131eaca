import { messageOf } from '../errors.ts';
import { isRecord, shown } from '../rejection.ts';
import type { Peer } from './peer.ts';

/** Why one master gave no good answer. */
export class Failure extends Error {
  readonly retry: 'later' | 'never';
  /** Whether the peer itself says that what was asked for does not exist. */
  readonly absent: boolean;
  /** Whether a write that failed so has certainly not been carried out. */
  readonly undone: boolean;

  constructor(
    message: string,
    retry: 'later' | 'never',
    cause?: unknown,
    { absent = false, undone = false }: { absent?: boolean; undone?: boolean } = {},
  ) {
    super(message, cause === undefined ? undefined : { cause });
    this.retry = retry;
    this.absent = absent;
    this.undone = undone;
  }

  /** The same, told with what was asked for: `GET http://10.0.0.1:8080/v2/info`. */
  of(asked: string): Failure {
    const { retry, absent, undone } = this;
    return new Failure(`${asked}: ${this.message}`, retry, this.cause ?? this, { absent, undone });
  }
}

/**
 * An answer with another status than hoped for. `withheld`: our credentials were not sent to the host that
 * gave it. `stranger`: a host that is not configured, to which a redirect led; its words are not quoted, since a redirect
 * can lead to whatever this host alone can reach, and messages go to logs and pages.
 */
export function answerFailure(
  peer: Peer,
  status: number,
  body: string,
  withheld: boolean,
  expected: string,
  stranger: string | null = null,
): Failure {
  const said = peer.ownMessage(body);
  const quoted = body === '' ? '' : ` "${shown(said ?? body)}"`;
  const text = `answered ${status}${stranger === null ? quoted : `, redirected to ${stranger}`}`;
  if (status === 401 || status === 403)
    return new Failure(`${text}; ${advice(peer, status, withheld)}`, 'never', undefined, { undone: true });
  const absent = peer.isAbsent(status, said);
  const hint =
    status >= 502 && status <= 504
      ? `; ${peer.unavailable}`
      : status === 200
        ? `, but not with ${expected}; is this the address of ${peer.kind}?`
        : status === 404 && said === null
          ? `; is this the address of ${peer.kind}?`
          : '';
  // 4xx refuses. So does Marathon's LeaderProxyFilter, while it knows of no leader to hand the request to.
  const undone =
    (status >= 400 && status < 500) ||
    (status === 502 && body.includes('Could not determine the current leader'));
  return new Failure(`${text}${hint}`, 'later', undefined, { absent, undone });
}

/** No answer at all, or one that broke off. */
export function transportFailure(peer: Peer, error: unknown): Failure {
  const code = codeOf(error);
  const text = messageOf(error) || code || 'no connection';
  if (/CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ERR_TLS/.test(code)) {
    return new Failure(
      `${text} (${code}); give the CA that signed ${peer.name}'s certificate (${peer.options.caFile})`,
      'never',
      error,
      { undone: true },
    );
  }
  const named = code !== '' && !text.includes(code) ? `${text} (${code})` : text;
  const remedy = remedies.get(code)?.(peer);
  const undone = remedy !== undefined || code === 'UND_ERR_CONNECT_TIMEOUT' || code === 'EAI_AGAIN';
  return new Failure(remedy === undefined ? named : `${named}; ${remedy}`, 'later', error, { undone });
}

const remedies: ReadonlyMap<string, (peer: Peer) => string> = new Map([
  [
    'ECONNREFUSED',
    ({ name, options }) => `nothing listens there: check the address (${options.address}), or start ${name}`,
  ],
  [
    'ENOTFOUND',
    ({ options }) =>
      `no such host: check the name (${options.address}), or the name servers in /etc/resolv.conf`,
  ],
  [
    'EHOSTUNREACH',
    ({ options }) =>
      `no way there: check the address (${options.address}), and routes and firewalls between the two`,
  ],
  [
    'ENETUNREACH',
    ({ options }) => `no way there: check the address (${options.address}), and the routes of this host`,
  ],
]);

function advice(peer: Peer, status: number, withheld: boolean): string {
  if (withheld) {
    return 'the credentials were not sent, since this host is neither one of the masters given nor the leader that they name';
  }
  const { userFile, tokenFile } = peer.options;
  return status === 401 ? `check the credentials (${userFile}, or ${tokenFile} for DC/OS)` : peer.rights;
}

function codeOf(error: unknown): string {
  return isRecord(error) && typeof error['code'] === 'string' ? error['code'] : '';
}
