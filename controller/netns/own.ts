import { statSync } from 'node:fs';
import { ControllerError } from '../errors.ts';

/**
 * Throws where this process is in another network namespace than it is meant for: a path below /proc leads to another one once its
 * process has ended and the number is given anew.
 */
export function checkOwnNamespace(inode: string | undefined): void {
  const own = String(statSync('/proc/self/ns/net').ino);
  if (inode !== own) throw new ControllerError('kernel', `it leads to namespace ${own}, expected ${inode}`);
}
