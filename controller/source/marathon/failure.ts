import { messageOf } from '../../errors.ts';
import { isRecord, shown } from '../document/rejection.ts';

/** Why one master gave no good answer. */
export class Failure extends Error {
  readonly retry: 'later' | 'never';
  /** Whether Marathon itself says that what was asked for does not exist. */
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

  /** The same, told with what was asked for: `GET http://10.0.0.1:8080/v2/apps`. */
  of(asked: string): Failure {
    const { retry, absent, undone } = this;
    return new Failure(`${asked}: ${this.message}`, retry, this.cause ?? this, { absent, undone });
  }
}

/**
 * An answer with another status than hoped for. `withheld`: our credentials were not sent to the host that
 * gave it.
 */
export function answerFailure(status: number, body: string, withheld: boolean, expected: string): Failure {
  const said = marathonMessage(body);
  const text = `answered ${status}${body === '' ? '' : ` "${shown(said ?? body)}"`}`;
  if (status === 401 || status === 403)
    return new Failure(`${text}; ${advice(status, withheld)}`, 'never', undefined, { undone: true });
  // An unknown route is a 500 in Marathon; pods came with 1.4.
  const absent = said !== null && (status === 404 || (status === 500 && said === 'URI not found'));
  const hint =
    status >= 502 && status <= 504
      ? '; Marathon has no leader for now, or the way to it is down'
      : status === 200
        ? `, but not with ${expected}; is this the address of a Marathon?`
        : status === 404 && said === null
          ? '; is this the address of a Marathon?'
          : '';
  // LeaderProxyFilter's answer while it knows of none to hand the request to.
  const undone = status === 502 && body.includes('Could not determine the current leader');
  return new Failure(`${text}${hint}`, 'later', undefined, { absent, undone });
}

/** No answer at all, or one that broke off. */
export function transportFailure(error: unknown): Failure {
  const code = codeOf(error);
  const text = messageOf(error) || code || 'no connection';
  if (/CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ERR_TLS/.test(code)) {
    return new Failure(
      `${text} (${code}); give the CA that signed Marathon's certificate (--marathon-ca-file)`,
      'never',
      error,
      { undone: true },
    );
  }
  const named = code !== '' && !text.includes(code) ? `${text} (${code})` : text;
  const remedy = remedies.get(code);
  const undone = remedy !== undefined || code === 'UND_ERR_CONNECT_TIMEOUT' || code === 'EAI_AGAIN';
  return new Failure(remedy === undefined ? named : `${named}; ${remedy}`, 'later', error, { undone });
}

const remedies: ReadonlyMap<string, string> = new Map([
  ['ECONNREFUSED', 'nothing listens there: check the address (--source), or start Marathon'],
  ['ENOTFOUND', 'no such host: check the name (--source), or the name servers in /etc/resolv.conf'],
  ['EHOSTUNREACH', 'no way there: check the address (--source), and routes and firewalls between the two'],
  ['ENETUNREACH', 'no way there: check the address (--source), and the routes of this host'],
]);

function advice(status: number, withheld: boolean): string {
  if (withheld) {
    return 'the credentials were not sent, since this host is neither one of the masters given nor the leader that they name';
  }
  return status === 401
    ? 'check the credentials (--marathon-user-file, or --marathon-token-file for DC/OS)'
    : 'these credentials may not read apps: grant them read access to all services';
}

/** The text of Marathon's own error bodies, `{"message": "…"}`; null for what a proxy or another server says. */
function marathonMessage(body: string): string | null {
  try {
    const json: unknown = JSON.parse(body);
    return isRecord(json) && typeof json['message'] === 'string' ? json['message'] : null;
  } catch {
    return null;
  }
}

function codeOf(error: unknown): string {
  return isRecord(error) && typeof error['code'] === 'string' ? error['code'] : '';
}
