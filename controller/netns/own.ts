/** What a program that is started in a network namespace makes sure of before it does anything. */

import { statSync } from 'node:fs';
import { version } from '../config/version.ts';
import { ControllerError } from '../errors.ts';

/**
 * Throws where this process is in another network namespace than it is meant for: a path below /proc leads to another one once its
 * process has ended and the number is given anew.
 */
export function checkOwnNamespace(inode: string | undefined): void {
  const own = String(statSync('/proc/self/ns/net').ino);
  if (inode !== own) throw new ControllerError('kernel', `it leads to namespace ${own}, expected ${inode}`);
}

/**
 * Throws where a controller of another version asks: its files were replaced while it runs. Two versions may mean different things
 * by one call, so a helper serves its own alone. `asking`: undefined from a controller that does not say.
 */
export function checkVersion(asking: string | undefined): void {
  const own = version();
  if (asking === own) return;
  const running = asking === undefined ? 'another one' : `version ${asking}`;
  throw new ControllerError(
    'kernel',
    `the installed program is version ${own}, but ${running} is running: restart it, as with \`systemctl restart marathon-ipvs\``,
  );
}
