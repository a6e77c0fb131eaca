import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { Clock, Log } from '../../ports.ts';
import { type Answer, problem, type Right } from '../route.ts';
import { type ClientName, isListed, shownNames } from './client-names.ts';
import { Failures } from './failures.ts';

/** What of a request decides over what it may do. */
export interface Credentials {
  readonly headers: IncomingHttpHeaders;
  /** Of the other end. */
  readonly address: string;
  /** What its connection was opened with: one that an authority has signed, or why it is not accepted. */
  readonly certificate: 'none' | { readonly names: readonly ClientName[] } | { readonly refused: string };
}

export interface AccessOptions {
  /** Whether a client is asked for a certificate; one that is accepted and listed does for everything. */
  readonly certificates: boolean;
  /** Names of which a certificate must have one to be listed; null: each is. */
  readonly clientNames: readonly string[] | null;
  /** The tokens as they are now; null where there is none of that kind. */
  readonly readToken: (() => string) | null;
  readonly writeToken: (() => string) | null;
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly log: Log;
}

export interface Access {
  /**
   * Whoever shows the right token is always let in, however many wrong ones came from the same address: another program
   * behind it must not lock anyone out. The wrong ones are answered late instead.
   *
   * What the request may do, at least what it `needs`; or the refusal. A `frequent` one is not counted.
   */
  admit(credentials: Credentials, needs: Right, frequent?: boolean): Right | Answer;
}

/** A person clicks and a script writes apps. */
const MOST_WRITES = 120;
const MINUTE_MS = 60_000;

/**
 * Makes the judge of an address. Where there is neither a read token nor certificates, everyone who reaches it may read:
 * it is one of this host alone. Writing needs its token or a certificate in any case, and comes from our own page or from no page.
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
    return writes.count > MOST_WRITES;
  }

  function rightOf({ headers, address, certificate }: Credentials): Right | 'wrong' | 'too often' {
    if (isSigned(certificate) && (clientNames === null || isListed(certificate.names, clientNames))) {
      return 'write';
    }
    if (headers.authorization === undefined) return 'none';
    // Both are compared whatever the first one says, each in a time that does not depend on how much of it is right.
    const given = digest(headers.authorization);
    const mayWrite = writeToken !== null && timingSafeEqual(given, digest(`Bearer ${writeToken()}`));
    const mayRead = readToken !== null && timingSafeEqual(given, digest(`Bearer ${readToken()}`));
    if (mayWrite) return 'write';
    if (mayRead) return 'read';
    if (failures.isSpent(address, clock.monotonic())) return 'too often';
    if (failures.add(address, clock.monotonic()))
      log.warn('a client showed a wrong token', { client: address });
    return 'wrong';
  }

  /** What would do, for the operator who reads the refusal. */
  function waysTo(needs: Right): string {
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
            `a client certificate that an authority of --tls-client-ca-file has signed${clientNames === null ? '' : ' for a name in --tls-client-names'}`,
          ]
        : []),
    ];
    return ways.join(', or ');
  }

  function refusal(needs: Right, { certificate, headers }: Credentials): Answer {
    const ways = `this needs ${waysTo(needs)}`;
    if (certificate === 'none') return problem(401, ways, {}, UNAUTHORIZED);
    if (!isSigned(certificate)) {
      const why = `the certificate that was shown is not accepted: ${certificate.refused}`;
      return problem(401, `${ways}; ${why}`, {}, UNAUTHORIZED);
    }
    const names = shownNames(certificate.names) || 'no name that is compared';
    const told = `${ways}; the certificate that was shown is for ${names}`;
    // Of no use with this certificate; but with a wrong token beside it, a right one would do.
    return headers.authorization === undefined ? problem(403, told) : problem(401, told, {}, UNAUTHORIZED);
  }

  function admitWrite(frequent: boolean): Right | Answer {
    return !frequent && tooManyWrites() ? TOO_MANY_WRITES : 'write';
  }

  return {
    admit(credentials, needs, frequent = false) {
      if (open && needs !== 'write') return 'read';
      const foreign = isForeign(credentials.headers);
      if (needs === 'none') return foreign ? 'none' : lowest(rightOf(credentials));
      // A browser shows its certificate whoever made it ask.
      if (foreign) return problem(403, 'requests of other sites are refused');
      const right = rightOf(credentials);
      switch (right) {
        case 'write':
          return needs === 'write' ? admitWrite(frequent) : right;
        case 'read':
          return needs === 'read'
            ? right
            : problem(403, `this token is for reading; writing needs ${waysTo(needs)}`);
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

/** What has been refused on a connection is not tried again on it: each try costs the other end a new one. */
const UNAUTHORIZED = { 'www-authenticate': 'Bearer realm="marathon-ipvs"', connection: 'close' };
const LATER = { 'retry-after': '60', connection: 'close' };
const TOO_MANY_TRIES: Answer = {
  ...problem(
    429,
    'too many wrong tokens from this address; only the right one is answered at once',
    {},
    LATER,
  ),
  afterMs: 1_000,
};
const TOO_MANY_WRITES = problem(429, `more than ${MOST_WRITES} requests within a minute`, {}, LATER);

/**
 * Whether a page of another site made the browser ask: browsers say so in `Sec-Fetch-Site` and, for all that can write,
 * in `Origin`. Programs send neither.
 */
function isForeign({ origin, host, 'sec-fetch-site': site }: IncomingHttpHeaders): boolean {
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return true;
  if (origin === undefined) return false;
  return !URL.canParse(origin) || new URL(origin).host !== host;
}

/** Of equal length for all, which the comparison needs. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
