import type { BigIntStats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { same } from '../../compare.ts';
import { ControllerError, messageOf, systemReason } from '../../errors.ts';
import { IrregularFile, readWithin } from '../../input/bounded-read.ts';
import { OverBound } from '../../input/bounds.ts';
import { shown } from '../../input/rejection.ts';
import { utf8Problem } from '../../input/utf8.ts';
import { type App, type AppKey, appKey, rowKey } from '../../model/app.ts';
import { Pace } from '../../pace.ts';
import type { Resolver, SavedApps } from '../../ports.ts';
import { type AgentAddresses, resolveAgents } from '../document/agents.ts';
import { type Converted, convertDocuments } from '../document/convert.ts';
import { readDocumentBytes } from '../document/document-bytes.ts';
import { type Documents, KNOWN_SHAPES } from '../document/documents.ts';
import { WrongType } from '../json/walk.ts';
import { LastGood } from '../last-good.ts';
import type { Cluster } from '../mesos/cluster.ts';
import { RECORDED_SHAPES, readRecording } from '../mesos/recording.ts';

/** One file, as last read. */
export interface FileContent extends Omit<Converted, 'apps'> {
  readonly apps: ReadonlyMap<AppKey, App>;
  readonly warnings?: readonly string[];
  /** Addresses of the agents listed in the file itself, even without tasks. */
  readonly listed?: readonly string[];
  /** Identifies the file's version; empty while unknown. */
  readonly stamp: string;
  /** Set when the file cannot be used; `apps` is then its last good state. */
  readonly failure?: ControllerError;
  /** Set when the file has never been usable since the start, so there is no last good state. */
  readonly isUnknown?: true;
  /** Set with `isUnknown` when its apps, if any, are among the saved ones. */
  readonly isSaved?: true;
}

/** How a file is read, and what fills the gaps. */
export interface FileContentOptions {
  readonly framework: string;
  readonly resolver: Resolver;
  readonly maxBytes: number;
  /** Whether the file may be a pipe. In a directory it may not: every entry there is read. */
  readonly mayBePipe: boolean;
  /** Saved state for files that have not been read since the start. */
  readonly saved: SavedApps;
}

/**
 * Reads one file. Returns `before` if neither the file nor any of its agents' addresses has changed. A file that cannot
 * be used keeps its last good state, with `failure` (code `usage`). Rejects only when `signal` aborts.
 */
export async function readContent(
  path: string,
  before: FileContent | undefined,
  options: FileContentOptions,
  signal: AbortSignal,
): Promise<FileContent> {
  let stamp = '';
  try {
    const status = await stat(path, { bigint: true });
    stamp = stampOf(status);
    if (stamp !== '' && before?.stamp === stamp && (await sameAgents(before.agents, options.resolver)))
      return before;
    if (status.size > options.maxBytes)
      throw tooLong(path, `${status.size} bytes and the limit is ${options.maxBytes}`);
    const bytes = await readWithin(path, options, signal);
    if (bytes === null) throw tooLong(path, `more bytes than the limit, ${options.maxBytes}`);
    return { stamp, ...(await convert(path, bytes, before, options)) };
  } catch (error) {
    signal.throwIfAborted();
    const failure = error instanceof ControllerError ? error : unusable(path, reasonOf(error), error);
    return { ...(before ?? (await neverRead(path, options))), stamp, failure };
  }
}

function reasonOf(error: unknown): string {
  return error instanceof IrregularFile ? error.message : systemReason(error);
}

function tooLong(path: string, what: string): ControllerError {
  return unusable(path, `it has ${what}; split it into a directory of files`);
}

/** File times have a granularity of a kernel tick (up to 10 ms), or of a second on some file systems. */
const TICK_MS = 1_000;

/** Empty for a file that was just written: it can change again without a new timestamp. */
function stampOf({ mtimeMs, mtimeNs, ctimeNs, size, ino }: BigIntStats): string {
  if (Date.now() - Number(mtimeMs) < TICK_MS) return '';
  // Includes the inode: a file replaced by rename may have the same time and size.
  return [mtimeNs, ctimeNs, size, ino].join(' ');
}

const NEVER_READ: Omit<FileContent, 'stamp'> = {
  apps: new Map(),
  rejected: [],
  agents: new Map(),
  isUnknown: true,
};

async function neverRead(path: string, { saved }: FileContentOptions): Promise<Omit<FileContent, 'stamp'>> {
  const state = await saved(path);
  const isSaved = state !== null && state.unknown?.some(({ part }) => part === path) !== true;
  return { ...NEVER_READ, ...(isSaved && { isSaved }) };
}

async function sameAgents(before: AgentAddresses, resolver: Resolver): Promise<boolean> {
  const now = await resolveAgents(before.keys(), resolver);
  return [...before].every(([host, address]) => now.get(host) === address);
}

/** The error for a file that cannot be used. `reason` includes the line and column, or the value, that is wrong. */
export function unusable(path: string, reason: string, cause?: unknown): ControllerError {
  return new ControllerError('usage', `file ${path}: ${reason}`, cause === undefined ? {} : { cause });
}

async function convert(
  path: string,
  bytes: Buffer,
  before: FileContent | undefined,
  options: FileContentOptions,
): Promise<Omit<FileContent, 'stamp'>> {
  const { framework, resolver } = options;
  const wrong = utf8Problem(bytes);
  if (wrong !== null) throw unusable(path, `${wrong}; save the file as UTF-8`);
  const isKnown = before !== undefined && before.isUnknown !== true;
  const inMemory = async () => ({ apps: [...(before?.apps.values() ?? [])] });
  const lastGood = new LastGood(path, isKnown ? inMemory : options.saved);
  const recording = await recordingIn(path, bytes, lastGood);
  if (recording !== null) return convertRecording(recording, resolver);

  const keyOf = (id: string) => appKey({ framework, id });
  const previous = (id: string) =>
    isKnown ? before.apps.get(keyOf(id)) : lastGood.find(rowKey(keyOf(id), false));
  const recall = isKnown ? undefined : () => lastGood.load();
  // Reuses an equal app that is already in memory.
  const adjust = (app: App) => {
    const known = before?.apps.get(keyOf(app.id));
    return known !== undefined && same(known, app) ? known : app;
  };
  const documents = await documentsIn(path, bytes);
  if (documents === null) {
    const beginning = bytes.toString('utf8', 0, 1_000).replace(/\s+/g, ' ').trim();
    throw unusable(path, `expected ${KNOWN_SHAPES}, or ${RECORDED_SHAPES}; it begins ${shown(beginning)}`);
  }
  const converted = await convertDocuments(documents, {
    framework,
    resolver,
    previous,
    isUnknown: (id) => !isKnown && lastGood.isUnknown(id),
    mayBeAnyApp: !isKnown,
    ...(recall && { recall }),
    adjust,
  });
  return { ...converted, apps: byKey(converted.apps.values()) };
}

async function convertRecording(cluster: Cluster, resolver: Resolver): Promise<Omit<FileContent, 'stamp'>> {
  const agents = await resolveAgents(cluster.hosts, resolver);
  const { apps, rejected, warnings, agents: listed } = await cluster.snapshot(agents, new Pace());
  return { apps: byKey(apps), rejected, warnings, agents, ...(listed !== undefined && { listed }) };
}

function byKey(apps: Iterable<App>): ReadonlyMap<AppKey, App> {
  return new Map([...apps].map((app) => [appKey(app), app]));
}

async function recordingIn(path: string, bytes: Buffer, lastGood: LastGood): Promise<Cluster | null> {
  try {
    return await readRecording(bytes, `file=${path}`, lastGood);
  } catch (error) {
    throw unusable(path, `invalid Mesos data: ${messageOf(error)}`);
  }
}

async function documentsIn(path: string, bytes: Buffer): Promise<Documents | null> {
  try {
    return await readDocumentBytes(bytes, path);
  } catch (error) {
    if (error instanceof OverBound) throw unusable(path, `it exceeds a limit: ${error.message}`);
    if (error instanceof WrongType) throw unusable(path, error.message);
    throw unusable(path, `not JSON: ${messageOf(error)}`);
  }
}
