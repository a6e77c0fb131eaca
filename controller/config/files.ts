/** Whether what a path option names is what the option wants, before anything depends on it. */

import { accessSync, constants, type Stats, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { systemReason } from '../errors.ts';
import { type Given, refusal } from './given.ts';
import type { FileKind } from './option.ts';
import { describeOption } from './options.ts';

type Named = Pick<Given, 'name' | 'place'>;

/**
 * Checks what stands at `path` already. Throws a `ControllerError` 'usage' for a directory where a file is wanted, a file
 * where a directory is, and a pipe, socket or device.
 *
 * With `needed` an input that is missing, unreadable or empty is refused too: at the start that is a mistake; later its
 * owner may be renewing it, and it is tried again.
 */
export function checkFile(given: Named, path: string, kind: FileKind, { needed }: { needed: boolean }): void {
  if (kind === 'directory' || kind === 'written') checkWritten(given, path, kind);
  else checkInput(given, path, kind, needed);
}

function checkInput(given: Named, path: string, kind: 'read' | 'read once', needed: boolean): void {
  const stats = look(given, path, needed);
  if (stats === null) return;
  if (kind === 'read once' && isOpenPipe(path)) return;
  // An empty list of options, or an empty table, is one.
  const mayBeEmpty = kind === 'read once';
  if (!stats.isFile() && !(mayBeEmpty && path === '/dev/null'))
    throw wrong(given, path, `it is ${kindOf(stats)}`);
  if (!needed) return;
  try {
    accessSync(path, constants.R_OK);
  } catch (cause) {
    throw wrong(given, path, systemReason(cause));
  }
  if (stats.size === 0 && !mayBeEmpty) throw wrong(given, path, 'it is empty');
}

function checkWritten(given: Named, path: string, kind: 'directory' | 'written'): void {
  const stats = look(given, path, false);
  if (stats !== null) {
    if (kind === 'directory' ? stats.isDirectory() : stats.isFile()) return;
    throw wrong(given, path, `it is ${kindOf(stats)}`);
  }
  if (kind === 'written' && path.endsWith('/')) throw wrong(given, path, 'it ends like a directory');
  // What is missing is made, where there is a directory to make it in.
  let parent = dirname(path);
  while (look(given, parent, false) === null && dirname(parent) !== parent) parent = dirname(parent);
  const above = look(given, parent, false);
  if (above?.isDirectory() === false) throw wrong(given, path, `${parent} is ${kindOf(above)}`);
}

/** Checks that `file=PATH` leads to a file, a directory or a pipe of the shell, where anything is there. */
export function checkSourceFile(given: Named, path: string): void {
  const stats = look(given, path, false);
  if (stats === null || stats.isFile() || stats.isDirectory() || isOpenPipe(path)) return;
  throw refusal(given, `file=${path}`, `it is ${kindOf(stats)}; expected a JSON file or a directory of them`);
}

/** What the path leads to; null where nothing is there, or nothing can be known of it. */
function look(given: Named, path: string, needed: boolean): Stats | null {
  try {
    return statSync(path);
  } catch (cause) {
    if (!needed) return null;
    throw wrong(given, path, systemReason(cause));
  }
}

/** `<(command)` of a shell, or standard input: its writer is there already, so that nobody waits for one. */
function isOpenPipe(path: string): boolean {
  return /^\/(?:dev\/stdin|dev\/fd\/\d+|proc\/self\/fd\/\d+)$/.test(path);
}

/** `a directory`. */
function kindOf(stats: Stats): string {
  if (stats.isDirectory()) return 'a directory';
  if (stats.isFIFO()) return 'a named pipe';
  if (stats.isSocket()) return 'a socket';
  return stats.isFile() ? 'a file' : 'a device';
}

function wrong(given: Named, path: string, why: string) {
  return refusal(given, path, `${why}; expected ${describeOption(given.name).accepted}`);
}
