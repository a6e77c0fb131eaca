import type { PassStatus } from '../pass-status.ts';
import type { Clock, Log, Observer } from '../ports.ts';
import { plural } from '../status/words.ts';
import { createNotify, type Notify } from './notify-socket.ts';

/** Tells systemd how the controller is (sd_notify(3)): ready once VIPs forward, alive as long as the loop moves. */
export interface ServiceManager extends Observer {
  /** The whole table is to be read and put right; told to be over by the next pass that has done so. */
  reloading(): void;
  stopping(): void;
}

interface Options {
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly log: Log;
  /** How messages are sent, unless to the socket that the environment names. */
  readonly createNotify?: ((socket: string, log: Log) => Notify) | undefined;
}

/** Without a watchdog the state is still worth telling this often. */
const STATUS_MS = 30_000;
/** Of the time that the manager waits for a sign of life: one that is late, and one that is lost, do no harm. */
const SHARE = 1 / 4;

/**
 * The service manager that started this process with these variables; null where none wants to be told: there is no
 * `NOTIFY_SOCKET`. Nothing is sent but by the loop itself: one that stands still is restarted (`WatchdogSec`), also before
 * it was ever ready.
 */
export function createServiceManager(
  environment: Readonly<Record<string, string | undefined>>,
  { clock, log, createNotify: create = createNotify }: Options,
): ServiceManager | null {
  const socket = environment['NOTIFY_SOCKET'] ?? '';
  if (socket === '') return null;
  const notify = create(socket, log);
  const watchdogMs = watchdogOf(environment);
  const everyMs = watchdogMs === null ? STATUS_MS : watchdogMs * SHARE;
  let ready = false;
  let reloading = false;
  let status = 'waiting for the sources';
  let toldAt = Number.NEGATIVE_INFINITY;

  function moved(): void {
    const now = clock.monotonic();
    if (now - toldAt < everyMs) return;
    toldAt = now;
    // Before it is ready the watchdog does not run, and the start-up has a limit of its own.
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
    stopping: () => notify('STOPPING=1', 'STATUS=stopping: the kernel forwards on'),
    sourceRead: () => undefined,
    sourceFailed: () => undefined,
    repaired: () => undefined,
  };
}

/** How long the manager waits for a sign of life; null where it waits for none, or for one of another process. */
function watchdogOf(environment: Readonly<Record<string, string | undefined>>): number | null {
  const { WATCHDOG_USEC: micros, WATCHDOG_PID: pid } = environment;
  if (pid !== undefined && pid !== String(process.pid)) return null;
  const ms = Number(micros) / 1_000;
  return Number.isFinite(ms) && ms > 0 ? ms : null;
}

/** One line, which `systemctl status` shows. */
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
