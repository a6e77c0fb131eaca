/** Checks the files that path options name, before anything depends on them. */

import { accessSync, constants, type Stats, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { systemReason } from '../errors.ts';
import type { FileKind } from './option.ts';
import { type OptionText, refusal } from './option-text.ts';
import { describeOption } from './options.ts';

type Named = Pick<OptionText, 'name' | 'place'>;

/**
 * Checks what is at `path`. Throws a `ControllerError` 'usage' for a directory instead of a file, a file instead of a
 * directory, and a pipe, socket or device.
 *
 * With `needed` it also refuses an input that is missing, unreadable or empty. At the start that is a mistake; later the file
 * may just be being replaced, so reading it is retried.
 */
export function checkFile(
  option: Named,
  path: string,
  kind: FileKind,
  { needed }: { needed: boolean },
): void {
  if (kind === 'directory' || kind === 'written') checkWritten(option, path, kind);
  else checkInput(option, path, kind, needed);
}

function checkInput(option: Named, path: string, kind: 'read' | 'read once', needed: boolean): void {
  const stats = statsOf(option, path, needed);
  if (stats === null) return;
  if (kind === 'read once' && isOpenPipe(path)) return;
  // An empty list of options, or an empty table, is valid.
  const mayBeEmpty = kind === 'read once';
  if (!stats.isFile() && !(mayBeEmpty && path === '/dev/null'))
    throw wrong(option, path, `it is ${kindOf(stats)}`);
  if (!needed) return;
  try {
    accessSync(path, constants.R_OK);
  } catch (cause) {
    throw wrong(option, path, systemReason(cause));
  }
  if (stats.size === 0 && !mayBeEmpty) throw wrong(option, path, 'it is empty');
}

function checkWritten(option: Named, path: string, kind: 'directory' | 'written'): void {
  const stats = statsOf(option, path, false);
  if (stats !== null) {
    if (kind === 'directory' ? stats.isDirectory() : stats.isFile()) return;
    throw wrong(option, path, `it is ${kindOf(stats)}`);
  }
  if (kind === 'written' && path.endsWith('/')) throw wrong(option, path, 'it ends with a slash');
  // A missing file or directory will be created, so its closest existing parent must be a directory.
  let parent = dirname(path);
  while (statsOf(option, parent, false) === null && dirname(parent) !== parent) parent = dirname(parent);
  const above = statsOf(option, parent, false);
  if (above?.isDirectory() === false) throw wrong(option, path, `${parent} is ${kindOf(above)}`);
}

/**
 * Checks that `file=PATH` is a file, a directory or a pipe, if it exists. A pipe is waited for like any other source: its
 * reader ends with the program.
 */
export function checkSourceFile(option: Named, path: string): void {
  const stats = statsOf(option, path, false);
  if (stats === null || stats.isFile() || stats.isDirectory() || stats.isFIFO() || isOpenPipe(path)) return;
  throw refusal(
    option,
    `file=${path}`,
    `it is ${kindOf(stats)}; expected a JSON file or a directory of them`,
  );
}

/** The stats of the path; null if it does not exist or cannot be examined, which throws if it is `needed`. */
function statsOf(option: Named, path: string, needed: boolean): Stats | null {
  try {
    return statSync(path);
  } catch (cause) {
    if (!needed) return null;
    throw wrong(option, path, systemReason(cause));
  }
}

/** Whether the path is standard input or `<(command)` of a shell: such a pipe has a writer, so reading it does not block. */
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

function wrong(option: Named, path: string, why: string) {
  return refusal(option, path, `${why}; expected ${describeOption(option.name).accepted}`);
}
