import { isNativeError } from 'node:util/types';

/**
 * The error of everything outside the program: a source, the kernel, a file. Its message is for an operator: what was tried,
 * on what, why, and what to do.
 */
export class ControllerError extends Error {
  override readonly name = 'ControllerError';
  readonly code: ControllerErrorCode;
  /** Whether a retry can help; `never` when an operator must fix something first. */
  readonly retry: 'later' | 'never';

  constructor(
    code: ControllerErrorCode,
    message: string,
    options: { retry?: 'later' | 'never'; cause?: unknown } = {},
  ) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    this.code = code;
    this.retry = options.retry ?? 'later';
  }
}

/**
 * `usage`: an option, or a file that an option names. `not-configured`: no source is configured yet. `source`: apps cannot
 * be read. `kernel`: IPVS or routes cannot be used. `state`: our own files. `controller`: the running controller does not
 * answer.
 */
export type ControllerErrorCode = 'usage' | 'not-configured' | 'source' | 'kernel' | 'state' | 'controller';

/**
 * The message of anything that was thrown, with those of its causes: `connect: ECONNREFUSED`. A system error about a path
 * gets plain words: `/etc/token: there is no such file or directory`.
 */
export function messageOf(error: unknown): string {
  return messageBehind(error, '');
}

/** `before`: the message in front of this one, which may name the path already. */
function messageBehind(error: unknown, before: string): string {
  if (!isNativeError(error)) return String(error);
  if (aboutPath(error)) {
    const [reason, { path = '' }] = [systemReason(error), error];
    return before.includes(path) ? reason : `${path}: ${reason}`;
  }
  const cause = error.cause === undefined ? '' : messageBehind(error.cause, error.message);
  return cause === '' || error.message.includes(cause) ? error.message : `${error.message}: ${cause}`;
}

/**
 * Why the system refused a file or directory, for a message that names the path: `there is no such file or directory`. For
 * any other error, its message.
 */
export function systemReason(error: unknown): string {
  if (!aboutPath(error)) return messageOf(error);
  const reason = REASONS[error.code];
  if (reason !== undefined) return reason;
  if (error.code === 'EACCES') return `access denied for user ${process.geteuid?.() ?? 'of this process'}`;
  // `EIO: i/o error, read`: the rest after the comma only repeats the call and the path.
  return error.message.split(', ')[0] ?? error.message;
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file or directory',
  EISDIR: 'it is a directory',
  ENOTDIR: 'a part of the path is not a directory',
  ELOOP: 'too many symbolic links',
  ENAMETOOLONG: 'the name is too long',
  EPERM: 'the system does not permit it',
  EROFS: 'the file system is read-only',
  ENOSPC: 'no space is left on the file system',
  EDQUOT: 'the disk quota is used up',
  EMFILE: 'too many files are open',
};

/** Codes of errors on an open file, in which Node leaves out the path. */
const OF_OPEN_FILES: readonly string[] = ['EISDIR', 'ENOSPC', 'EDQUOT'];

/** Whether this is a system error about a file or directory. */
function aboutPath(error: unknown): error is Error & { readonly code: string; readonly path?: string } {
  if (!isNativeError(error) || !('code' in error) || typeof error.code !== 'string') return false;
  return ('path' in error && typeof error.path === 'string') || OF_OPEN_FILES.includes(error.code);
}

/** Any thrown value as an error. */
export function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

/** Whether an error has this code: `hasCode(error, 'ENOENT')`. */
export function hasCode(error: unknown, code: string): boolean {
  return isNativeError(error) && 'code' in error && error.code === code;
}
