import { isNativeError } from 'node:util/types';

/**
 * What an edge reports when it cannot do its work: a source, the kernel, a file. The message is for an operator:
 * what was tried, on what, why, what to do.
 */
export class ControllerError extends Error {
  override readonly name = 'ControllerError';
  readonly code: ControllerErrorCode;
  /** Whether trying again can help; `never` for what a person must mend first. */
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

/** `usage`: an option or a file that it names; `source`: apps cannot be read; `kernel`: IPVS or routes cannot; `state`: our own files; `controller`: the running one does not answer. */
export type ControllerErrorCode = 'usage' | 'source' | 'kernel' | 'state' | 'controller';

/** The message of whatever was thrown, with those of its causes: `connect: ECONNREFUSED`. */
export function messageOf(error: unknown): string {
  if (!isNativeError(error)) return String(error);
  const cause = error.cause === undefined ? '' : messageOf(error.cause);
  return cause === '' || error.message.includes(cause) ? error.message : `${error.message}: ${cause}`;
}

/** Whether the system refused something with this code: `hasCode(error, 'ENOENT')`. */
export function hasCode(error: unknown, code: string): boolean {
  return isNativeError(error) && 'code' in error && error.code === code;
}
