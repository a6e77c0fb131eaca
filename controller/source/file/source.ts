import { readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isEmpty } from '../../delta.ts';
import { systemReason } from '../../errors.ts';
import { Inventory } from '../../inventory/inventory.ts';
import type { Rejection, Snapshot } from '../../model.ts';
import type { AppSource, Clock, Log, Resolver, SourceListener } from '../../ports.ts';
import { Latch, systemClock } from '../../time.ts';
import { givenTwice } from '../document/convert.ts';
import { Feed } from '../feed.ts';
import { type FileContent, type FileContentOptions, readContent, unusable } from './content.ts';
import { DirectoryWatch } from './watch.ts';

export interface FileSourceOptions {
  /** A JSON file, or a directory of `*.json` and `*.jsonl` files: not its subdirectories, nor names that begin with a dot. */
  readonly path: string;
  /** By what the operator gave the path, for advice. Defaults to `--source`. */
  readonly givenBy?: string | undefined;
  /** Framework name for the VIP names. Defaults to `marathon`. */
  readonly framework?: string | undefined;
  readonly resolver: Resolver;
  readonly log: Log;
  readonly clock?: Clock | undefined;
  /** Limit for one file. Defaults to 256 MiB. */
  readonly maxBytes?: number | undefined;
  /** How long to wait after a change for the rest of it. Defaults to 50 ms. */
  readonly settleMs?: number | undefined;
  /** How often to look without having been told of a change. Defaults to 30 s. */
  readonly pollMs?: number | undefined;
}

/**
 * Apps from a JSON file or a directory of them, watched.
 *
 * A single file that cannot be used fails the read (`ControllerError` code `usage`, naming the file). In a
 * directory it is a `Rejection` and what that file last gave stays. A file that leaves the directory takes
 * its apps along.
 */
export function createFileSource(options: FileSourceOptions): AppSource {
  return new FileSource(options);
}

class FileSource implements AppSource {
  readonly name: string;
  readonly #path: string;
  readonly #options: FileSourceOptions;
  readonly #content: FileContentOptions;
  #files: ReadonlyMap<string, FileContent> = new Map();
  /** Reads never overlap: each builds on what the one before it kept. */
  #lastRead: Promise<unknown> = Promise.resolve();

  constructor(options: FileSourceOptions) {
    this.name = `file=${options.path}`;
    this.#path = options.path;
    this.#options = options;
    const { framework = 'marathon', resolver, maxBytes = 256 * 1024 * 1024 } = options;
    this.#content = { framework, resolver, maxBytes };
  }

  async read(signal: AbortSignal): Promise<Snapshot> {
    const reading = this.#lastRead.then(() => this.#read(signal));
    this.#lastRead = reading.catch(() => undefined);
    return reading;
  }

  async follow(listener: SourceListener, signal: AbortSignal): Promise<void> {
    const { clock = systemClock, settleMs = 50, pollMs = 30_000, log } = this.#options;
    const feed = new Feed();
    const told = new Latch<'changed'>();
    let since: number | undefined;
    const onChange = () => {
      since ??= clock.monotonic();
      told.set('changed');
    };
    const watch = new DirectoryWatch(await this.#watched(), onChange, log);
    try {
      for (let polled = true; !signal.aborted; ) {
        watch.arm();
        // Before the read: a change that lands during it must cause another.
        told.take();
        const learnt = since ?? clock.monotonic();
        since = undefined;
        await this.#tell(listener, feed, learnt, polled, signal);

        await told.wait(pollMs, clock, signal);
        polled = since === undefined;
        if (!polled) await clock.sleep(settleMs, signal);
      }
    } finally {
      watch.close();
    }
  }

  /** A change elsewhere in the watched directory is no news; a poll that finds all as it was is a good read. */
  async #tell(
    listener: SourceListener,
    feed: Feed,
    since: number,
    polled: boolean,
    signal: AbortSignal,
  ): Promise<void> {
    try {
      const delta = feed.list(await this.read(signal), since);
      if (polled || !isEmpty(delta)) listener.changed(delta);
    } catch (error) {
      if (!signal.aborted) listener.failed(error instanceof Error ? error : new Error(String(error)));
    }
  }

  async #read(signal: AbortSignal): Promise<Snapshot> {
    const { paths, single } = await this.#list();
    const files = new Map<string, FileContent>();
    for (const path of paths) {
      files.set(path, await readContent(path, this.#files.get(path), this.#content, signal));
    }
    this.#files = files;
    const failure = single ? files.get(this.#path)?.failure : undefined;
    if (failure !== undefined) throw failure;
    // Of files that disagree the first by name decides.
    return (await Inventory.inSlices(snapshotsOf(files))).toSnapshot();
  }

  async #list(): Promise<{ paths: readonly string[]; single: boolean }> {
    try {
      if (!(await stat(this.#path)).isDirectory()) return { paths: [this.#path], single: true };
      const names = (await readdir(this.#path)).filter(
        (name) => /\.jsonl?$/.test(name) && !name.startsWith('.'),
      );
      return { paths: names.sort().map((name) => join(this.#path, name)), single: false };
    } catch (error) {
      const { givenBy = '--source' } = this.#options;
      throw unusable(this.#path, `${systemReason(error)}; check the path (${givenBy})`);
    }
  }

  /**
   * For a file the directory around it: a watch on the file itself would stay with the old one when it is
   * replaced.
   */
  async #watched(): Promise<string> {
    const directory = await stat(this.#path).then(
      (status) => status.isDirectory(),
      () => false,
    );
    return directory ? this.#path : dirname(this.#path);
  }
}

/** What each file gives; of apps that are defined twice the first one counts. */
function snapshotsOf(files: ReadonlyMap<string, FileContent>): readonly Snapshot[] {
  const defined = new Set<string>();
  return [...files].map(([path, content]) => {
    const rejected: Rejection[] = [];
    const apps = [...content.apps.values()].filter(({ id, fromTasks }) => {
      // Tasks of one app may be told of by several agents, each in a file of its own.
      if (fromTasks) return true;
      if (defined.has(id)) rejected.push(givenTwice(id, path));
      return !defined.has(id) && defined.add(id);
    });
    rejected.push(...content.rejected);
    if (content.failure !== undefined) {
      rejected.push({ app: path, at: '', value: '', reason: content.failure.message });
    }
    const agents = content.listed;
    const about = { rejected, warnings: content.warnings ?? [], ...(agents !== undefined && { agents }) };
    return { apps, ...about };
  });
}
