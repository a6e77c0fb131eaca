import { createHash, timingSafeEqual } from 'node:crypto';
import type { Clock } from '../ports.ts';
import { type Answer, type Asked, problem } from './answer.ts';

/** Who may ask for what others must not: by a token, from our own page or from no page at all, and not too often. */
export type Guard = (asked: Pick<Asked, 'headers'>) => Answer | null;

/** A person clicks and a script writes apps; whoever tries tokens does more. */
const MOST_A_MINUTE = 120;
const MINUTE_MS = 60_000;

/** Makes the function that gives the refusal, or null where the request may go on. */
export function createGuard(token: string, clock: Pick<Clock, 'now'>): Guard {
  const wanted = digest(`Bearer ${token}`);
  let window = { from: Number.NEGATIVE_INFINITY, count: 0 };

  function tooOften(): boolean {
    const now = clock.now();
    if (now < window.from || now - window.from >= MINUTE_MS) window = { from: now, count: 0 };
    window.count += 1;
    return window.count > MOST_A_MINUTE;
  }

  return ({ headers }) => {
    if (isForeign(headers)) return problem(403, 'requests of other sites are refused');
    if (tooOften()) {
      const why = `more than ${MOST_A_MINUTE} requests within a minute`;
      return problem(429, why, {}, { 'retry-after': '60' });
    }
    if (timingSafeEqual(digest(headers.authorization ?? ''), wanted)) return null;
    const why = 'this needs the token of --write-token-file, as the header `Authorization: Bearer TOKEN`';
    return problem(401, why, {}, { 'www-authenticate': 'Bearer realm="marathon-ipvs"' });
  };
}

/**
 * Whether a page of another site made the browser ask: browsers say so in `Sec-Fetch-Site` and, for all that can write,
 * in `Origin`. Programs send neither.
 */
function isForeign({ origin, host, 'sec-fetch-site': site }: Asked['headers']): boolean {
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return true;
  if (origin === undefined) return false;
  return !URL.canParse(origin) || new URL(origin).host !== host;
}

/** Of equal length for all, which the comparison needs. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
