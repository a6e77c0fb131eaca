import { opendir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DirectoryWatch } from '../directory-watch.ts';
import { asError, messageOf, systemReason } from '../errors.ts';
import type { Clock, Log } from '../ports.ts';
import { Latch, systemClock } from '../time.ts';
import { mountRoots, ownInode, readNamespaceFile } from './namespace-file.ts';
import {
  compareNamespaces,
  type Namespace,
  type NamespaceChanges,
  type NamespaceFile,
  type RefusedNamespace,
} from './namespaces.ts';
import { othersMayWrite } from './trust.ts';

export interface NamespaceDirectoryOptions {
  /** The directory, with one file for each namespace. Need not exist yet. Names that begin with a dot are ignored. */
  readonly directory: string;
  readonly log: Log;
  readonly clock?: Clock | undefined;
  /** How long to wait for further changes after one. Defaults to 20 ms. */
  readonly settleMs?: number | undefined;
  /** How often to read the directory without a notification. Defaults to 1 s. */
  readonly pollMs?: number | undefined;
  /** Maximum number of namespaces. Defaults to 1,000. */
  readonly max?: number | undefined;
}

/** Must not throw. */
export interface NamespaceListener {
  /** Called after the first read and after each change. */
  changed(changes: NamespaceChanges): void;
  /** The directory cannot be read; the namespaces found before are kept. */
  failed(error: Error): void;
}

export const MAX_NAMESPACES = 1_000;
/** Maximum number of files: a directory with more is hardly one of namespaces. */
const MAX_FILES = 10_000;

/**
 * Follows the network namespaces in a directory until `signal` aborts, then resolves. Never rejects. If the directory does not
 * exist or cannot be trusted, the namespaces found before are kept.
 */
export async function followNamespaces(
  options: NamespaceDirectoryOptions,
  listener: NamespaceListener,
  signal: AbortSignal,
): Promise<void> {
  const { directory, log, clock = systemClock, settleMs = 20, pollMs = 1_000, max } = options;
  const wakeUp = new Latch<'changed'>();
  const watch = new DirectoryWatch(directory, () => wakeUp.set('changed'), log);
  let known: ReadonlyMap<string, Namespace> = new Map();
  let last: string | null = null;
  try {
    while (!signal.aborted) {
      watch.arm();
      // Before the read: a change during it must cause another.
      wakeUp.take();
      try {
        const changes = await readNamespaces(directory, known, max);
        const isOther = [...changes.namespaces].some(([id, namespace]) => known.get(id) !== namespace);
        known = changes.namespaces;
        const now = reasonsOf(changes.refused);
        if (isOther || changes.removed.length > 0 || now !== last) listener.changed(changes);
        last = now;
      } catch (error) {
        const now = messageOf(error);
        if (now !== last) listener.failed(asError(error));
        last = now;
      }
      await wakeUp.wait(pollMs, clock, signal);
      await clock.sleep(settleMs, signal);
    }
  } finally {
    watch.close();
  }
}

/** Reads the whole directory. Rejects with an error whose message is for the operator. */
export async function readNamespaces(
  directory: string,
  known: ReadonlyMap<string, Namespace> = new Map(),
  max = MAX_NAMESPACES,
): Promise<NamespaceChanges> {
  return compareNamespaces(known, await readAll(directory), { own: await ownInode(), max });
}

function reasonsOf(refused: readonly RefusedNamespace[]): string {
  return JSON.stringify(refused.map(({ id, reason }) => [id, reason]));
}

/** Rejects with an error whose message is for the operator. */
async function readAll(directory: string): Promise<ReadonlyMap<string, NamespaceFile>> {
  const files = new Map<string, NamespaceFile>();
  const mounts = mountRoots();
  for (const id of await namesIn(directory))
    files.set(id, await readNamespaceFile(join(directory, id), mounts));
  return files;
}

async function namesIn(directory: string): Promise<readonly string[]> {
  const names: string[] = [];
  try {
    const others = othersMayWrite(await stat(directory));
    if (others !== null) throw new Error(others);
    for await (const { name } of await opendir(directory)) {
      if (name.startsWith('.')) continue;
      if (names.length === MAX_FILES) throw new Error(`it has more than ${MAX_FILES} files`);
      names.push(name);
    }
  } catch (error) {
    throw new Error(`network namespaces in ${directory}: ${systemReason(error)}`);
  }
  return names;
}
