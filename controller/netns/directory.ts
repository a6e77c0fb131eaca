import { opendir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DirectoryWatch } from '../directory-watch.ts';
import { messageOf, systemReason } from '../errors.ts';
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
  /** Has a file for each namespace; need not exist yet. Names that begin with a dot are left out. */
  readonly directory: string;
  readonly log: Log;
  readonly clock?: Clock | undefined;
  /** How long to wait after a change for the rest of it. Defaults to 20 ms. */
  readonly settleMs?: number | undefined;
  /** How often to look without having been told of a change. Defaults to 1 s. */
  readonly pollMs?: number | undefined;
  /** So many namespaces are kept at most. Defaults to 1,000. */
  readonly most?: number | undefined;
}

/** Called when something changed, and when the first look is done. Must not throw. */
export interface NamespaceListener {
  changed(changes: NamespaceChanges): void;
  /** The directory could not be looked at; what was found before stays. */
  failed(error: Error): void;
}

export const MOST_NAMESPACES = 1_000;
/** A directory with more files is not looked at: it is no directory of namespaces. */
const MOST_FILES = 10_000;

/**
 * Finds the network namespaces that a directory names, and which of them come and go, until `signal` aborts; resolves then.
 * Never rejects. A directory that is not there, or not to be trusted, changes nothing: the namespaces found before stay.
 */
export async function followNamespaces(
  options: NamespaceDirectoryOptions,
  listener: NamespaceListener,
  signal: AbortSignal,
): Promise<void> {
  const { directory, log, clock = systemClock, settleMs = 20, pollMs = 1_000, most } = options;
  const told = new Latch<'changed'>();
  const watch = new DirectoryWatch(directory, () => told.set('changed'), log);
  let known: ReadonlyMap<string, Namespace> = new Map();
  let last: string | null = null;
  try {
    while (!signal.aborted) {
      watch.arm();
      // Before the look: a change that lands during it must cause another.
      told.take();
      try {
        const changes = await lookAtNamespaces(directory, known, most);
        const isOther = [...changes.namespaces].some(([id, namespace]) => known.get(id) !== namespace);
        known = changes.namespaces;
        const now = reasonsOf(changes.refused);
        if (isOther || changes.removed.length > 0 || now !== last) listener.changed(changes);
        last = now;
      } catch (error) {
        const now = messageOf(error);
        if (now !== last) listener.failed(error instanceof Error ? error : new Error(now));
        last = now;
      }
      await told.wait(pollMs, clock, signal);
      await clock.sleep(settleMs, signal);
    }
  } finally {
    watch.close();
  }
}

/** One complete look at the directory. Rejects with an error whose message is for the operator. */
export async function lookAtNamespaces(
  directory: string,
  known: ReadonlyMap<string, Namespace> = new Map(),
  most = MOST_NAMESPACES,
): Promise<NamespaceChanges> {
  return compareNamespaces(known, await readAll(directory), { own: await ownInode(), most });
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
      if (names.length === MOST_FILES) throw new Error(`it has more than ${MOST_FILES} files`);
      names.push(name);
    }
  } catch (error) {
    throw new Error(`network namespaces in ${directory}: ${systemReason(error)}`);
  }
  return names;
}
