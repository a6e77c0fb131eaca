import { execFile } from 'node:child_process';
import { messageOf } from '../errors.ts';
import type { Log } from '../ports.ts';

/** Assignments as sd_notify(3) has them: `READY=1`, `STATUS=…`. */
export type Notify = (...assignments: readonly string[]) => void;

/** systemd takes a message at once, or hangs itself. */
const LIMIT_MS = 10_000;

/**
 * Makes the function that sends to the notification socket of the service manager. Node has no datagram sockets of the
 * Unix kind, so the program that comes with systemd does it: the unit needs `NotifyAccess=all`. One message is on its way
 * at a time; what is to be sent meanwhile goes in one message after it. What cannot be sent is logged once, and lost.
 */
export function createNotify(socket: string, log: Log): Notify {
  let waiting: string[] = [];
  let sending = false;
  let complained = false;

  function sendNext(): void {
    if (sending || waiting.length === 0) return;
    const assignments = waiting;
    waiting = [];
    sending = true;
    const env = { PATH: process.env['PATH'], NOTIFY_SOCKET: socket };
    execFile('systemd-notify', assignments, { env, timeout: LIMIT_MS }, (error) => {
      sending = false;
      if (error !== null && !complained) {
        complained = true;
        const fix = 'install systemd-notify, which comes with systemd, or use Type=exec without WatchdogSec';
        log.warn('systemd cannot be told how the controller is', { error: messageOf(error), fix });
      }
      sendNext();
    });
  }

  return (...assignments) => {
    waiting.push(...assignments);
    sendNext();
  };
}
