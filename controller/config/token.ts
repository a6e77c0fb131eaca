import { readFile } from 'node:fs/promises';
import { ControllerError } from '../errors.ts';

/** The token in the file of `--write-token-file`. Rejects with a `ControllerError` where it cannot be used. */
export async function readToken(path: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new ControllerError('usage', `--write-token-file ${path} cannot be read`, {
      cause,
      retry: 'never',
    });
  });
  const token = text.trim();
  // The content itself stays out of the message: it is a secret.
  if (/^\S{16,}$/.test(token)) return token;
  throw new ControllerError(
    'usage',
    `--write-token-file ${path}: expected a token of at least 16 characters without blanks, for example from \`openssl rand -hex 32\``,
    { retry: 'never' },
  );
}
