import { codeOfErrno, ERRNO, errnoName, IpvsError, type IpvsErrorCode, isIpvsError } from './errors.ts';
import { destinationKey, serviceKey } from './id.ts';
import type { Change, ServiceOptions } from './types.ts';

/** What was asked of the kernel, as errors tell it. */
export interface Operation {
  /** Its name, for {@link IpvsError.op}: `add-service`; empty outside the operations of a client. */
  readonly op: string;
  /** What was tried, as the start of a message: `get service tcp/10.96.4.7:80`. */
  readonly what: string;
  /** What error numbers mean here. Absent for protocols whose numbers this library does not explain. */
  readonly reasons?: Reasons;
}

/** Meanings by error number. The code is that of {@link codeOfErrno} unless it is given. */
type Reasons = Readonly<Record<number, { readonly why: string; readonly code?: IpvsErrorCode }>>;

/**
 * Returns the error for an operation that the kernel refused with the positive number `errno`.
 *
 * The words are this library's. The kernel has none of its own to add (extended acknowledgement): ip_vs_ctl.c sets none,
 * and the socket option that requests them, NETLINK_EXT_ACK, cannot be set through the npm package `netlink`.
 */
export function kernelError({ op, what, reasons }: Operation, errno: number): IpvsError {
  const name = errnoName(errno);
  if (!reasons) return new IpvsError(codeOfErrno(errno), `${what}: ${name}`, { op, errno });
  const { why, code = codeOfErrno(errno) } = reasons[errno] ?? { why: 'refused by the kernel' };
  return new IpvsError(code, `${what}: ${why} (${name})`, { op, errno });
}

/** Puts what was tried before the message of an `IpvsError`; returns anything else unchanged. */
export function inContext<T>({ op, what }: Operation, cause: T): T | IpvsError {
  if (!isIpvsError(cause)) return cause;
  const { code, errno, message } = cause;
  return new IpvsError(code, `${what}: ${message}`, { op, errno, cause });
}

/** An operation that is not a change. `op`: for example `get-service`; `subject`: what it is about, if anything. */
export function requestOperation(op: string, subject = ''): Operation {
  const reasons = { ...notPermitted, ...requestReasons[op] };
  return { op, what: `${op.replaceAll('-', ' ')} ${subject}`.trim(), reasons };
}

/** A change as an operation. */
export function changeOperation(change: Change): Operation {
  return { op: change.op, what: describe(change), reasons: { ...notPermitted, ...changeReasons(change) } };
}

/** Describes a change: `add destination 10.1.2.3:80 to tcp/10.96.4.7:80`. */
function describe(change: Change): string {
  const op = change.op.replace('-', ' ');
  if (change.op === 'zero')
    return change.service ? `zero ${serviceKey(change.service)}` : 'zero all counters';
  if (!('destination' in change)) return `${op} ${serviceKey(change.service)}`;
  const preposition = { 'add-destination': 'to', 'update-destination': 'of', 'remove-destination': 'from' }[
    change.op
  ];
  return `${op} ${destinationKey(change.destination)} ${preposition} ${serviceKey(change.service)}`;
}

const notPermitted: Reasons = {
  [ERRNO.EPERM]: { why: 'the process lacks CAP_NET_ADMIN in its network namespace' },
};

/** From ip_vs_genl_get_cmd, and from ip_vs_genl_set_daemon (ip_vs_ctl.c) with start_sync_thread and stop_sync_thread (ip_vs_sync.c). */
const requestReasons: Readonly<Record<string, Reasons>> = {
  'get-service': { [ERRNO.ESRCH]: { why: 'no such service' } },
  'start-sync-daemon': {
    [ERRNO.EEXIST]: { why: 'it is already running' },
    [ERRNO.ENODEV]: { why: 'no such interface' },
    [ERRNO.EINVAL]: {
      why: 'kernel refuses these values, or has destinations of another family than their service',
    },
  },
  'stop-sync-daemon': { [ERRNO.ESRCH]: { why: 'it is not running' } },
};

/**
 * From ip_vs_genl_set_cmd (net/netfilter/ipvs/ip_vs_ctl.c) and the functions that it calls; verified on Linux 6.1 by
 * test/kernel/ipvs-errors.test.ts.
 */
function changeReasons(change: Change): Reasons {
  const noService = { [ERRNO.ESRCH]: { why: 'no such service' } };
  if ('destination' in change)
    return {
      ...noService,
      [ERRNO.EEXIST]: { why: 'the destination already exists' },
      [ERRNO.ENOENT]: { why: 'no such destination' },
      [ERRNO.EINVAL]: { why: change.op === 'remove-destination' ? BAD_VALUES : BAD_DESTINATION },
      [ERRNO.ERANGE]: { why: 'a weight or threshold is out of range' },
    };
  const bad = { [ERRNO.EINVAL]: { why: BAD_VALUES }, [ERRNO.ERANGE]: { why: BAD_VALUES } };
  if (change.op === 'zero' || change.op === 'remove-service') return { ...noService, ...bad };
  return {
    ...noService,
    ...bad,
    [ERRNO.EEXIST]: { why: 'the service already exists' },
    [ERRNO.ENOENT]: { why: missingModule(change.service), code: 'unsupported' },
  };
}

const BAD_VALUES = 'kernel refuses these values';
const BAD_DESTINATION =
  'kernel refuses the address (not unicast for this host, or of another family without a tunnel) or the tunnel';

function missingModule({ scheduler, persistenceEngine }: ServiceOptions): string {
  const engine =
    persistenceEngine === undefined ? '' : ` or no persistence engine ${JSON.stringify(persistenceEngine)}`;
  return `kernel has no scheduler ${JSON.stringify(scheduler)}${engine}`;
}
