import { getSystemErrorName } from 'node:util';

/**
 * Why a call failed, for callers to switch on.
 *
 * - `not-found`: the service or destination does not exist (ESRCH, ENOENT).
 * - `exists`: it exists already (EEXIST).
 * - `not-permitted`: the process lacks CAP_NET_ADMIN (EPERM).
 * - `unsupported`: this kernel lacks the IPVS module, the scheduler or the persistence engine.
 * - `invalid`: a value is not valid (EINVAL, ERANGE, …); reported by the kernel, or by this library before sending.
 * - `malformed-reply`: the reply is not a well-formed message.
 * - `interrupted`: other writers disturbed the dump each time it was repeated.
 * - `timeout`: no reply arrived in time; whether a change was made is unknown.
 * - `closed`: the client was closed before the reply arrived.
 * - `rejected`: any other kernel error; its number is in `errno`.
 */
export type IpvsErrorCode =
  | 'not-found'
  | 'exists'
  | 'not-permitted'
  | 'unsupported'
  | 'invalid'
  | 'malformed-reply'
  | 'interrupted'
  | 'timeout'
  | 'closed'
  | 'rejected';

/** Optional details of an {@link IpvsError}. */
export interface IpvsErrorDetails {
  /** The operation that failed, for example `add-service`. */
  readonly op?: string | undefined;
  /** The kernel's error number, as a positive number: 2 is ENOENT. */
  readonly errno?: number | undefined;
  readonly cause?: unknown;
}

/** The only error that this library throws deliberately. Its message is written for operators. */
export class IpvsError extends Error {
  override readonly name = 'IpvsError';
  readonly code: IpvsErrorCode;
  /** The operation that failed, for example `add-service`; empty outside the operations of a client. */
  readonly op: string;
  /** The kernel's error number, as a positive number; absent if the error does not come from the kernel. */
  readonly errno?: number;

  constructor(code: IpvsErrorCode, message: string, details: IpvsErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.op = details.op ?? '';
    if (details.errno !== undefined) this.errno = details.errno;
  }
}

/**
 * Whether `error` is an {@link IpvsError}, and has the given code if there is one.
 *
 * Compares the name instead of the class, so it also recognizes errors from another copy of this package.
 */
export function isIpvsError(error: unknown, code?: IpvsErrorCode): error is IpvsError {
  if (typeof error !== 'object' || error === null) return false;
  if (!('name' in error) || error.name !== 'IpvsError' || !('code' in error)) return false;
  return code === undefined || error.code === code;
}

/** The name of a positive error number, such as `ENOENT`; `errno 9999` if the number has no name. */
export function errnoName(errno: number): string {
  try {
    const name = getSystemErrorName(-errno);
    return /^E[A-Z0-9]+$/.test(name) ? name : `errno ${errno}`;
  } catch {
    return `errno ${errno}`;
  }
}

/** Linux error numbers with the same meaning in every netlink protocol. <asm-generic/errno.h> */
export const ERRNO = {
  EPERM: 1,
  ENOENT: 2,
  ESRCH: 3,
  EACCES: 13,
  EEXIST: 17,
  ENODEV: 19,
  EINVAL: 22,
  ERANGE: 34,
} as const;

const codes: ReadonlyMap<number, IpvsErrorCode> = new Map([
  [ERRNO.EPERM, 'not-permitted'],
  [ERRNO.EACCES, 'not-permitted'],
  [ERRNO.ENOENT, 'not-found'],
  [ERRNO.ESRCH, 'not-found'],
  [ERRNO.ENODEV, 'not-found'],
  [ERRNO.EEXIST, 'exists'],
  [ERRNO.EINVAL, 'invalid'],
  [ERRNO.ERANGE, 'invalid'],
  [93, 'unsupported'], // EPROTONOSUPPORT
  [95, 'unsupported'], // EOPNOTSUPP
  [97, 'invalid'], //     EAFNOSUPPORT
]);

/** The error code for a kernel error number to which the operation gives no special meaning. */
export function codeOfErrno(errno: number): IpvsErrorCode {
  return codes.get(errno) ?? 'rejected';
}
