import type { PassStatus } from '../pass-status.ts';
import type { Clock, Log, Observer } from '../ports.ts';
import { plural } from '../status/format.ts';
import { createNotify, type Notify } from './notify-socket.ts';

/** Notifies systemd of the controller's state (sd_notify(3)): ready once VIPs forward, alive while the loop moves. */
export interface ServiceManager extends Observer {
  /** A reload has begun; it ends with the next full pass. */
  reloading(): void;
  stopping(): void;
}

interface Options {
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly log: Log;
  /** Creates the function that sends messages. Defaults to one for the socket in the environment. */
  readonly createNotify?: ((socket: string, log: Log) => Notify) | undefined;
}

/** How often the status is sent without a watchdog. */
const STATUS_MS = 30_000;
/** Interval of watchdog messages as a share of its timeout, so that a late or lost one does no harm. */
const WATCHDOG_SHARE = 1 / 4;

/**
 * Creates the connection to the service manager that started this process, or returns null if the environment has no
 * `NOTIFY_SOCKET`. Only the loop sends messages, so that systemd restarts a loop that is stuck (`WatchdogSec`), even before it
 * was ever ready.
 */
export function createServiceManager(
  environment: Readonly<Record<string, string | undefined>>,
  { clock, log, createNotify: create = createNotify }: Options,
): ServiceManager | null {
  const socket = environment['NOTIFY_SOCKET'] ?? '';
  if (socket === '') return null;
  const notify = create(socket, log);
  const watchdogMs = watchdogOf(environment);
  const everyMs = watchdogMs === null ? STATUS_MS : watchdogMs * WATCHDOG_SHARE;
  let ready = false;
  let reloading = false;
  let status = 'waiting for the sources';
  let sentAt = Number.NEGATIVE_INFINITY;

  function moved(): void {
    const now = clock.monotonic();
    if (now - sentAt < everyMs) return;
    sentAt = now;
    // Before READY=1 the watchdog is not active; the start-up timeout is extended instead.
    const alive = ready || watchdogMs === null ? 'WATCHDOG=1' : `EXTEND_TIMEOUT_USEC=${watchdogMs * 1_000}`;
    notify(alive, `STATUS=${status}`);
  }

  function passed(pass: PassStatus): void {
    status = statusOf(pass);
    if (pass.error !== null) return;
    const isReload = reloading && pass.kind === 'full';
    if (ready && !isReload) return;
    ready = true;
    if (isReload) reloading = false;
    notify('READY=1', `STATUS=${status}`);
  }

  return {
    moved,
    passed,
    reloading() {
      if (!ready) return;
      reloading = true;
      notify('RELOADING=1', `MONOTONIC_USEC=${process.hrtime.bigint() / 1_000n}`);
    },
    stopping: () => notify('STOPPING=1', 'STATUS=stopping: the kernel keeps forwarding'),
    sourceRead: () => undefined,
    sourceFailed: () => undefined,
    repaired: () => undefined,
  };
}

/** The watchdog's timeout; null if there is none, or if it is for another process. */
function watchdogOf(environment: Readonly<Record<string, string | undefined>>): number | null {
  const { WATCHDOG_USEC: micros, WATCHDOG_PID: pid } = environment;
  if (pid !== undefined && pid !== String(process.pid)) return null;
  const ms = Number(micros) / 1_000;
  return Number.isFinite(ms) && ms > 0 ? ms : null;
}

/** The line that `systemctl status` shows. */
function statusOf({ error, desired, held, failures, plan }: PassStatus): string {
  if (error !== null) return `the last pass failed: ${error.replace(/\s+/g, ' ').slice(0, 200)}`;
  const notes = [
    plural(desired.services.size, 'VIP'),
    ...(failures.length === 0 ? [] : [`${plural(failures.length, 'write')} failed`]),
    ...(plan.conflicts.length === 0 ? [] : [plural(plan.conflicts.length, 'conflict')]),
    ...(held === null ? [] : ['a mass removal is held']),
  ];
  return notes.join(', ');
}
