import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { Clock, Log } from '../../ports.ts';
import { type Answer, problem, type Right } from '../route.ts';
import { type ClientName, isListed, shownNames } from './client-names.ts';
import { Failures } from './failures.ts';

/** The parts of a request that decide what it may do. */
export interface Credentials {
  readonly headers: IncomingHttpHeaders;
  /** The client's IP address. */
  readonly address: string;
  /** The client certificate: the names of one that an authority has signed, or why it is not accepted. */
  readonly certificate: 'none' | { readonly names: readonly ClientName[] } | { readonly refused: string };
}

export interface AccessOptions {
  /** Whether client certificates are requested; one that is accepted and listed allows everything. */
  readonly certificates: boolean;
  /** The listed names, one of which a certificate must have; null if every signed certificate is accepted. */
  readonly clientNames: readonly string[] | null;
  /** The current tokens; null if none is configured. */
  readonly readToken: (() => string) | null;
  readonly writeToken: (() => string) | null;
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly log: Log;
}

export interface Access {
  /**
   * Returns what the request may do, at least what it `needs`, or the answer that refuses it. A `frequent` request does not
   * count towards the limit on writes.
   *
   * The right token is always accepted, however many wrong ones came from the same address, so that nobody behind a shared
   * address can lock out others. Wrong tokens are answered late instead.
   */
  admit(credentials: Credentials, needs: Right, frequent?: boolean): Right | Answer;
}

/** Writes per minute: enough for people and for scripts. */
const MAX_WRITES = 120;
const MINUTE_MS = 60_000;

/**
 * Creates the access check of a listening address. Without a read token and certificates every client may read, since the
 * address is then reachable from this host only. Writing always needs the write token or a certificate, and is refused to
 * pages of other sites.
 */
export function createAccess({
  certificates,
  clientNames,
  readToken,
  writeToken,
  clock,
  log,
}: AccessOptions): Access {
  const open = readToken === null && !certificates;
  const failures = new Failures();
  let writes = { from: Number.NEGATIVE_INFINITY, count: 0 };

  function tooManyWrites(): boolean {
    const now = clock.monotonic();
    if (now < writes.from || now - writes.from >= MINUTE_MS) writes = { from: now, count: 0 };
    writes.count += 1;
    return writes.count > MAX_WRITES;
  }

  function rightOf({ headers, address, certificate }: Credentials): Right | 'wrong' | 'too often' {
    if (isSigned(certificate) && (clientNames === null || isListed(certificate.names, clientNames))) {
      return 'write';
    }
    if (headers.authorization === undefined) return 'none';
    // Both are always compared, in constant time, so that timing reveals nothing about a token.
    const given = digest(headers.authorization.replace(/^bearer +/i, 'Bearer '));
    const mayWrite = writeToken !== null && timingSafeEqual(given, digest(`Bearer ${writeToken()}`));
    const mayRead = readToken !== null && timingSafeEqual(given, digest(`Bearer ${readToken()}`));
    if (mayWrite) return 'write';
    if (mayRead) return 'read';
    if (failures.isExhausted(address, clock.monotonic())) return 'too often';
    if (failures.add(address, clock.monotonic())) log.warn('client sent a wrong token', { client: address });
    return 'wrong';
  }

  /** The credentials that would be accepted, for the operator who reads the refusal. */
  function acceptedFor(needs: Right): string {
    const tokens = [
      ...(readToken !== null && needs === 'read' ? ['--read-token-file'] : []),
      ...(writeToken !== null ? ['--write-token-file'] : []),
    ];
    const ways = [
      ...(tokens.length > 0
        ? [`the token of ${tokens.join(' or ')}, as the header \`Authorization: Bearer TOKEN\``]
        : []),
      ...(certificates
        ? [
            `a client certificate signed by an authority in --tls-client-ca-file${clientNames === null ? '' : ' for a name in --tls-client-names'}`,
          ]
        : []),
    ];
    return ways.join(', or ');
  }

  function refusal(needs: Right, { certificate, headers }: Credentials): Answer {
    const accepted = `this needs ${acceptedFor(needs)}`;
    if (certificate === 'none') return problem(401, accepted, {}, UNAUTHORIZED);
    if (!isSigned(certificate)) {
      const why = `the client certificate is not accepted: ${certificate.refused}`;
      return problem(401, `${accepted}; ${why}`, {}, UNAUTHORIZED);
    }
    const names = shownNames(certificate.names) || 'no name of a kind that is compared';
    const error = `${accepted}; the client certificate is for ${names}`;
    // Retrying with this certificate is useless, unless a wrong token came with it: then a right one would help.
    return headers.authorization === undefined ? problem(403, error) : problem(401, error, {}, UNAUTHORIZED);
  }

  function admitWrite(frequent: boolean): Right | Answer {
    return !frequent && tooManyWrites() ? TOO_MANY_WRITES : 'write';
  }

  return {
    admit(credentials, needs, frequent = false) {
      if (open && needs !== 'write') return 'read';
      const foreign = isForeign(credentials.headers);
      if (needs === 'none') return foreign ? 'none' : lowest(rightOf(credentials));
      // A browser presents its certificate whichever site caused the request.
      if (foreign) return problem(403, 'requests from pages of other sites are refused');
      const right = rightOf(credentials);
      switch (right) {
        case 'write':
          return needs === 'write' ? admitWrite(frequent) : right;
        case 'read':
          return needs === 'read'
            ? right
            : problem(403, `this token only allows reading; writing needs ${acceptedFor(needs)}`);
        case 'too often':
          return TOO_MANY_TRIES;
        default:
          return refusal(needs, credentials);
      }
    },
  };
}

function isSigned(
  certificate: Credentials['certificate'],
): certificate is { readonly names: readonly ClientName[] } {
  return typeof certificate === 'object' && 'names' in certificate;
}

function lowest(right: Right | 'wrong' | 'too often'): Right {
  return right === 'wrong' || right === 'too often' ? 'none' : right;
}

/** A refused connection is closed, so that every guess costs the client a new connection. */
const UNAUTHORIZED = { 'www-authenticate': 'Bearer realm="marathon-ipvs"', connection: 'close' };
const LATER = { 'retry-after': '60', connection: 'close' };
const TOO_MANY_TRIES: Answer = {
  ...problem(429, 'too many wrong tokens from this address; further wrong ones are answered late', {}, LATER),
  delayMs: 1_000,
};
const TOO_MANY_WRITES = problem(429, `more than ${MAX_WRITES} requests within a minute`, {}, LATER);

/**
 * Whether a request comes from a page of another site. Browsers send `Sec-Fetch-Site` and, with every request that can
 * write, `Origin`; programs send neither.
 */
function isForeign({ origin, host, 'sec-fetch-site': site }: IncomingHttpHeaders): boolean {
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return true;
  if (origin === undefined) return false;
  return !URL.canParse(origin) || new URL(origin).host !== host;
}

/** Hashed, since the comparison in constant time needs inputs of equal length. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
