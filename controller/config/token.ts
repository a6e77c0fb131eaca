import { ControllerError } from '../errors.ts';

/** Extracts the token from the text of the file that `flag` names. Throws a `ControllerError` if there is none. */
export function tokenIn(text: string, flag: string, path: string): string {
  const token = text.trim();
  // The content itself stays out of the message: it is a secret. Clients cannot send other characters in a header.
  if (/^[!-~]{16,}$/.test(token)) return token;
  throw new ControllerError(
    'usage',
    `${flag} ${path}: expected a token of at least 16 characters, all printable ASCII without blanks, for example from \`openssl rand -hex 32\``,
    { retry: 'never' },
  );
}
