/** Why there are no credentials for an API server, in words without a secret: those of client-node may quote the output of a plugin. */

import { hasCode, messageOf } from '../errors.ts';
import { isRecord } from '../input/rejection.ts';
import { withoutSecrets } from '../support/free-text.ts';
import { knownSecretRemover } from '../support/known-secrets.ts';
import type { Kubeconfig } from './kubeconfig.ts';

const MAX_LENGTH = 500;
const MIN_WORD_LENGTH = 6;

/** The message for what client-node threw. Nothing in it is a value of the user's entry in the kubeconfig. */
export function credentialsFailure(file: Kubeconfig, cause: unknown): string {
  const { exec, 'auth-provider': provider } = userOf(file);
  if (exec) return failure(file, 'exec', execReason(file, cause));
  return failure(file, provider ? 'auth-provider' : null, shortReason(file, cause));
}

/** The message for a header that HTTP cannot carry, which must not be sent: the error would quote it. */
export function unfitHeader(file: Kubeconfig, header: string): string {
  return failure(
    file,
    null,
    `the value for the header ${header} has a line break or a character beyond Latin-1`,
  );
}

function failure({ server, context, user }: Kubeconfig, field: string | null, reason: string): string {
  const method = field === null ? '' : `${field} of `;
  const who = user === null ? '' : `${method}user ${user} in `;
  return `cannot get credentials for ${server}: ${who}context ${context}: ${reason}`;
}

function execReason(file: Kubeconfig, cause: unknown): string {
  if (hasCode(cause, 'ENOENT')) return 'there is no such program as command names';
  if (hasCode(cause, 'EACCES')) return 'the program that command names cannot be run: access denied';
  if (cause instanceof SyntaxError || cause instanceof TypeError)
    return 'the program did not print an ExecCredential in JSON';
  return `the program failed: ${shortReason(file, cause) || 'it printed no reason'}`;
}

function shortReason(file: Kubeconfig, cause: unknown): string {
  const remove = knownSecretRemover(textsIn(userOf(file)));
  return withoutSecrets(remove(messageOf(cause).trim()).slice(0, MAX_LENGTH));
}

function userOf({ text }: Kubeconfig): Readonly<Record<string, unknown>> {
  const { users } = JSON.parse(text) as { readonly users: readonly { readonly user: object }[] };
  return { ...users[0]?.user };
}

/** The texts in a value, and the longer words in them: a script among the arguments of a plugin may have a token in it. */
function textsIn(value: unknown): readonly string[] {
  if (typeof value === 'string')
    return [value, ...value.split(/[\s"'=:,;]+/).filter(({ length }) => length >= MIN_WORD_LENGTH)];
  if (Array.isArray(value)) return value.flatMap(textsIn);
  return isRecord(value) ? Object.values(value).flatMap(textsIn) : [];
}
