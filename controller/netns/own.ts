/** Checks that a program started in a network namespace makes before anything else. */

import { statSync } from 'node:fs';
import { version } from '../config/version.ts';
import { ControllerError } from '../errors.ts';

/**
 * Throws if this process is in another network namespace than intended: a path below /proc leads to another one once its process
 * has ended and the process id is reused.
 */
export function checkOwnNamespace(inode: string | undefined): void {
  const own = String(statSync('/proc/self/ns/net').ino);
  if (inode !== own)
    throw new ControllerError('kernel', `the path leads to namespace ${own}, expected ${inode}`);
}

/**
 * Throws if the controller has another version, because its files were replaced while it runs: the same call may mean different
 * things in two versions. `controller` is undefined for a controller that does not send its version.
 */
export function checkVersion(controller: string | undefined): void {
  const own = version();
  if (controller === own) return;
  const running = controller === undefined ? 'another one' : `version ${controller}`;
  throw new ControllerError(
    'kernel',
    `the installed program is version ${own}, but ${running} is running: restart it, as with \`systemctl restart marathon-ipvs\``,
  );
}
