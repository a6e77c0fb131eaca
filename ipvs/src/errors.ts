import { getSystemErrorName } from 'node:util';

/**
 * Why something failed, for callers to switch on.
 *
 * - `not-found`: the service or destination is not in the kernel (ESRCH, ENOENT).
 * - `exists`: it is there already (EEXIST).
 * - `not-permitted`: the process lacks CAP_NET_ADMIN (EPERM).
 * - `unsupported`: this kernel lacks the IPVS module, the scheduler or the persistence engine asked for.
 * - `invalid`: the kernel, or this library before it, refused a value (EINVAL, ERANGE, …).
 * - `malformed-reply`: what came back is not a well-formed message.
 * - `interrupted`: a dump was disturbed by other writers each time it was repeated.
 * - `timeout`: no reply came in time; whether the change was made is unknown.
 * - `closed`: the client was closed before the reply came.
 * - `rejected`: any other errno, kept in `errno`.
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

/** What an {@link IpvsError} may carry besides its code and its text. */
export interface IpvsErrorDetails {
  /** What was being done, for example `add-service`. */
  readonly op?: string | undefined;
  /** The kernel's error number, positive: 2 is ENOENT. */
  readonly errno?: number | undefined;
  readonly cause?: unknown;
}

/** The only error this library throws on purpose. Its message is a sentence for an operator. */
export class IpvsError extends Error {
  override readonly name = 'IpvsError';
  readonly code: IpvsErrorCode;
  /** What was being done, for example `add-service`; empty when it was no operation of the client's. */
  readonly op: string;
  /** The kernel's error number, positive; absent when the kernel was not the one to object. */
  readonly errno?: number;

  constructor(code: IpvsErrorCode, message: string, details: IpvsErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.op = details.op ?? '';
    if (details.errno !== undefined) this.errno = details.errno;
  }
}

/**
 * Whether `error` is an {@link IpvsError}, and of this code if one is given.
 *
 * Goes by the name and not by the class, so it also holds for an error from another copy of the package.
 */
export function isIpvsError(error: unknown, code?: IpvsErrorCode): error is IpvsError {
  if (typeof error !== 'object' || error === null) return false;
  if (!('name' in error) || error.name !== 'IpvsError' || !('code' in error)) return false;
  return code === undefined || error.code === code;
}

/** The name of a positive error number: `ENOENT`, or `errno 9999` where the system has no name for it. */
export function errnoName(errno: number): string {
  try {
    const name = getSystemErrorName(-errno);
    return /^E[A-Z0-9]+$/.test(name) ? name : `errno ${errno}`;
  } catch {
    return `errno ${errno}`;
  }
}

/** Error numbers of Linux that mean the same in every netlink protocol. <asm-generic/errno.h> */
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

/** The code that a kernel's error number has where no operation gives it a meaning of its own. */
export function codeOfErrno(errno: number): IpvsErrorCode {
  return codes.get(errno) ?? 'rejected';
}
