import { execFile } from 'node:child_process';
import { messageOf } from '../errors.ts';
import type { Log } from '../ports.ts';

/** Sends assignments of sd_notify(3): `READY=1`, `STATUS=…`. */
export type Notify = (...assignments: readonly string[]) => void;

/** Generous: systemd accepts a message at once unless it hangs itself. */
const TIMEOUT_MS = 10_000;

/**
 * Creates a function that sends to the notification socket of the service manager. Node has no Unix datagram sockets, so it runs
 * systemd's own program, and the unit needs `NotifyAccess=all`. One message is sent at a time, and further assignments are
 * combined into the next one. A failure is logged once, and the message is lost.
 */
export function createNotify(socket: string, log: Log): Notify {
  let waiting: string[] = [];
  let sending = false;
  let logged = false;

  function sendNext(): void {
    if (sending || waiting.length === 0) return;
    const assignments = waiting;
    waiting = [];
    sending = true;
    const env = { PATH: process.env['PATH'], NOTIFY_SOCKET: socket };
    execFile('systemd-notify', assignments, { env, timeout: TIMEOUT_MS }, (error) => {
      sending = false;
      if (error !== null && !logged) {
        logged = true;
        const fix = 'install systemd-notify, which comes with systemd, or use Type=exec without WatchdogSec';
        log.warn('cannot notify systemd of the state of the controller', { error: messageOf(error), fix });
      }
      sendNext();
    });
  }

  return (...assignments) => {
    waiting.push(...assignments);
    sendNext();
  };
}
