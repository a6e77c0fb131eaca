import { codeOfErrno, ERRNO, errnoName, IpvsError, type IpvsErrorCode, isIpvsError } from './errors.ts';
import { destinationKey, serviceKey } from './id.ts';
import type { Change, ServiceOptions } from './types.ts';

/** Describes a change, as the start of a message: `add destination 10.1.2.3:80 to tcp/10.96.4.7:80`. */
export function describe(change: Change): string {
  const op = change.op.replace('-', ' ');
  if (change.op === 'zero')
    return change.service ? `zero ${serviceKey(change.service)}` : 'zero all counters';
  if (!('destination' in change)) return `${op} ${serviceKey(change.service)}`;
  const preposition = { 'add-destination': 'to', 'update-destination': 'of', 'remove-destination': 'from' }[
    change.op
  ];
  return `${op} ${destinationKey(change.destination)} ${preposition} ${serviceKey(change.service)}`;
}

/** Returns the error for a change that the kernel refused with `errno`. */
export function changeError(change: Change, errno: number, kernelMessage: string | undefined): IpvsError {
  const { code, why } = reason(change, errno);
  return new IpvsError(code, `${describe(change)}: ${kernelMessage ?? why} (${errnoName(errno)})`, {
    op: change.op,
    errno,
  });
}

interface Reason {
  readonly code: IpvsErrorCode;
  readonly why: string;
}

/**
 * What an errno means for a change: from ip_vs_genl_set_cmd and the functions that it calls; verified on Linux 6.1 by
 * test/kernel/ipvs-errors.test.ts.
 */
function reason(change: Change, errno: number): Reason {
  switch (errno) {
    case ERRNO.EPERM:
      return { code: 'not-permitted', why: NOT_PERMITTED };
    case ERRNO.ESRCH:
      return { code: 'not-found', why: 'no such service' };
    case ERRNO.EEXIST:
      return {
        code: 'exists',
        why: change.op === 'add-service' ? 'the service already exists' : 'the destination already exists',
      };
    case ERRNO.ENOENT:
      return change.op === 'add-service' || change.op === 'update-service'
        ? { code: 'unsupported', why: missingModule(change.service) }
        : { code: 'not-found', why: 'no such destination' };
    case ERRNO.EINVAL:
      return { code: 'invalid', why: refused(change) };
    case ERRNO.ERANGE:
      return {
        code: 'invalid',
        why: 'destination' in change ? 'a weight or threshold is out of range' : refused(change),
      };
    default:
      return { code: codeOfErrno(errno), why: 'refused by the kernel' };
  }
}

/** The reason for EPERM, in every operation. */
export const NOT_PERMITTED = 'the process lacks CAP_NET_ADMIN in its network namespace';

function missingModule({ scheduler, persistenceEngine }: ServiceOptions): string {
  const engine =
    persistenceEngine === undefined ? '' : ` or no persistence engine ${JSON.stringify(persistenceEngine)}`;
  return `kernel has no scheduler ${JSON.stringify(scheduler)}${engine}`;
}

function refused(change: Change): string {
  if (change.op === 'add-destination' || change.op === 'update-destination') {
    return 'kernel refuses the address (not unicast for this host, or of another family without a tunnel) or the tunnel';
  }
  return 'kernel refuses these values';
}

/** Describes a request that is not a change: `get service tcp/10.96.4.7:80`. */
export function describeRequest(op: string, subject: string): string {
  return `${op.replaceAll('-', ' ')} ${subject}`.trim();
}

/** Puts the description of the request before the message of an `IpvsError`; returns anything else unchanged. */
export function inContext(op: string, subject: string, cause: unknown): unknown {
  if (!isIpvsError(cause)) return cause;
  const { code, errno, message } = cause;
  return new IpvsError(code, `${describeRequest(op, subject)}: ${message}`, { op, errno, cause });
}

/** Returns the error for a request that is not a change. `op`: for example `get-service`; `subject`: what it is about. */
export function requestError(
  op: string,
  subject: string,
  errno: number,
  kernelMessage: string | undefined,
): IpvsError {
  const what = describeRequest(op, subject);
  const why =
    errno === ERRNO.EPERM ? NOT_PERMITTED : (requestReasons[op]?.[errno] ?? 'refused by the kernel');
  return new IpvsError(codeOfErrno(errno), `${what}: ${kernelMessage ?? why} (${errnoName(errno)})`, {
    op,
    errno,
  });
}

const requestReasons: Readonly<Record<string, Readonly<Record<number, string>>>> = {
  'get-service': { [ERRNO.ESRCH]: 'no such service' },
  'start-sync-daemon': {
    [ERRNO.EEXIST]: 'it is already running',
    [ERRNO.ENODEV]: 'no such interface',
    [ERRNO.EINVAL]: 'kernel refuses these values, or has destinations of another family than their service',
  },
  'stop-sync-daemon': { [ERRNO.ESRCH]: 'it is not running' },
};
