import { messageOf } from '../errors.ts';

/** The beginnings of undici's messages for statuses with which no exchange can end, and what these statuses are. */
const STATUSES = [
  [
    'The expression evaluated to a falsy value:\n\n  assert(statusCode >= 100)',
    'an HTTP status below 100, which is not valid',
  ],
  [
    'The expression evaluated to a falsy value:\n\n  assert(upgrade)',
    'HTTP status 101 (Switching Protocols), which was not asked for',
  ],
  ['bad response', 'HTTP status 100 (Continue), which was not asked for'],
] as const;

/** An answer whose HTTP status cannot be that of an answer. The message says which it is. */
export class InvalidStatus extends Error {
  override readonly name = 'InvalidStatus';
}

/** The error of a request in plain words if it is about such a status; else the error itself. */
export function namingStatus(error: unknown): unknown {
  const text = messageOf(error);
  const known = STATUSES.find(([ofUndici]) => text.startsWith(ofUndici));
  return known === undefined ? error : new InvalidStatus(`answered with ${known[1]}`);
}
