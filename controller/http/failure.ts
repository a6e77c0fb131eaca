import { messageOf } from '../errors.ts';
import { isRecord, shown } from '../input/rejection.ts';
import { InvalidStatus } from './invalid-status.ts';
import type { Peer } from './peer.ts';

/** A request that failed at one master. */
export class Failure extends Error {
  readonly retry: 'later' | 'never';
  /** Whether the peer itself says that the requested object does not exist. */
  readonly absent: boolean;
  /** Whether a write that failed like this has certainly not been executed. */
  readonly notExecuted: boolean;

  constructor(
    message: string,
    retry: 'later' | 'never',
    cause?: unknown,
    { absent = false, notExecuted = false }: { absent?: boolean; notExecuted?: boolean } = {},
  ) {
    super(message, cause === undefined ? undefined : { cause });
    this.retry = retry;
    this.absent = absent;
    this.notExecuted = notExecuted;
  }

  /** The same failure with the request in its message: `GET http://10.0.0.1:8080/v2/info`. */
  withRequest(request: string): Failure {
    const { retry, absent, notExecuted } = this;
    return new Failure(`${request}: ${this.message}`, retry, this.cause ?? this, { absent, notExecuted });
  }
}

/**
 * The failure for an answer with an unexpected status. `withheld`: our credentials were not sent to the host that answered.
 * `foreignHost`: a host that is not configured, to which a redirect led. Its answer is not quoted: a redirect can lead to
 * services that only this host can reach, while messages go to logs and pages.
 */
export function answerFailure(
  peer: Peer,
  status: number,
  body: string,
  withheld: boolean,
  expected: string,
  foreignHost: string | null = null,
): Failure {
  const message = peer.ownMessage(body);
  const quoted = body === '' ? '' : ` "${shown(message ?? body)}"`;
  const text = `answered ${status}${foreignHost === null ? quoted : `, redirected to ${foreignHost}`}`;
  if (status === 401 || status === 403)
    return new Failure(`${text}; ${advice(peer, status, withheld)}`, 'never', undefined, {
      notExecuted: true,
    });
  const absent = peer.isAbsent(status, message);
  const hint =
    status >= 502 && status <= 504
      ? `; ${peer.unavailable}`
      : status === 200
        ? `, but not with ${expected}; is this the address of ${peer.kind}?`
        : status === 404 && message === null
          ? `; is this the address of ${peer.kind}?`
          : '';
  // 4xx refuses the request, and so does Marathon's LeaderProxyFilter while it knows no leader to pass the request to.
  const notExecuted =
    (status >= 400 && status < 500) ||
    (status === 502 && body.includes('Could not determine the current leader'));
  return new Failure(`${text}${hint}`, 'later', undefined, { absent, notExecuted });
}

/** The failure for a connection error: no answer, or one that broke off. */
export function transportFailure(peer: Peer, error: unknown): Failure {
  const code = codeOf(error);
  const text = messageOf(error) || code || 'no connection';
  if (error instanceof InvalidStatus)
    return new Failure(`${text}; is this the address of ${peer.kind}?`, 'later', error);
  if (/CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ERR_TLS/.test(code)) {
    return new Failure(
      `${text} (${code}); give the CA that signed ${peer.name}'s certificate (${peer.options.caFile})`,
      'never',
      error,
      { notExecuted: true },
    );
  }
  const named = code !== '' && !text.includes(code) ? `${text} (${code})` : text;
  const remedy = remedies.get(code)?.(peer);
  const notExecuted = remedy !== undefined || code === 'UND_ERR_CONNECT_TIMEOUT' || code === 'EAI_AGAIN';
  return new Failure(remedy === undefined ? named : `${named}; ${remedy}`, 'later', error, { notExecuted });
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
      `no route to it: check the address (${options.address}), and routes and firewalls between the two`,
  ],
  [
    'ENETUNREACH',
    ({ options }) => `no route to it: check the address (${options.address}), and the routes of this host`,
  ],
]);

function advice(peer: Peer, status: number, withheld: boolean): string {
  if (withheld) {
    return 'the credentials were not sent, since this host is neither a configured master nor the leader that one of them names';
  }
  const { userFile, tokenFile } = peer.options;
  return status === 401 ? `check the credentials (${userFile}, or ${tokenFile} for DC/OS)` : peer.rights;
}

function codeOf(error: unknown): string {
  return isRecord(error) && typeof error['code'] === 'string' ? error['code'] : '';
}
