import { readFile, stat } from 'node:fs/promises';
import { ControllerError, messageOf } from '../errors.ts';
import type { App, Rejection } from '../model.ts';
import type { Resolver } from '../ports.ts';
import { awaitsAddress, convertDocuments } from './convert.ts';
import { parseJson } from './json-text.ts';
import { KNOWN_SHAPES, readDocuments } from './marathon-documents.ts';
import { shown } from './rejection.ts';

/** One file as it was read last. */
export interface FileContent {
  /** Tells whether the file is still the same; null: look again in any case. */
  readonly stamp: string | null;
  readonly apps: ReadonlyMap<string, App>;
  readonly rejected: readonly Rejection[];
  /** Set when the file as it is now cannot be used; `apps` is then what it gave before. */
  readonly failure?: ControllerError;
}

export interface FileContentOptions {
  readonly framework: string;
  readonly resolver: Resolver;
  readonly maxBytes: number;
}

/**
 * Reads one file, or gives `before` back when it has not been touched since. A file that cannot be used gives what it
 * gave before, with `failure` (code `usage`). Rejects only when `signal` aborts.
 */
export async function readContent(
  path: string,
  before: FileContent | undefined,
  options: FileContentOptions,
  signal: AbortSignal,
): Promise<FileContent> {
  let stamp: string | null = null;
  try {
    const status = await stat(path, { bigint: true });
    // The inode too: a file that is replaced by rename may have the age and size of the old one.
    stamp = [status.mtimeNs, status.ctimeNs, status.size, status.ino].join(' ');
    if (before !== undefined && stamp === before.stamp) return before;
    if (status.size > options.maxBytes) {
      throw unusable(
        path,
        `it has ${status.size} bytes and the limit is ${options.maxBytes}; split it into a directory of files`,
      );
    }
    const text = await readFile(path, { encoding: 'utf8', signal });
    const { apps, rejected } = await convert(path, text, before, options);
    const unresolved = [...apps.values()].some(awaitsAddress);
    return { stamp: unresolved ? null : stamp, apps, rejected };
  } catch (error) {
    signal.throwIfAborted();
    const failure = error instanceof ControllerError ? error : unusable(path, messageOf(error), error);
    return { stamp, apps: before?.apps ?? new Map(), rejected: before?.rejected ?? [], failure };
  }
}

/** Line and column, or the value, that made a file unusable are part of the message. */
export function unusable(path: string, reason: string, cause?: unknown): ControllerError {
  return new ControllerError('usage', `file ${path}: ${reason}`, cause === undefined ? {} : { cause });
}

async function convert(
  path: string,
  text: string,
  before: FileContent | undefined,
  options: FileContentOptions,
) {
  const json = parseText(path, text);
  const documents = readDocuments(json, path);
  if (documents === null) throw unusable(path, `expected ${KNOWN_SHAPES}; it begins ${shown(json)}`);
  const { framework, resolver } = options;
  return convertDocuments(documents, { framework, resolver, previous: before?.apps ?? new Map() });
}

function parseText(path: string, text: string): unknown {
  try {
    return parseJson(text);
  } catch (error) {
    throw unusable(path, `not JSON: ${messageOf(error)}`);
  }
}
