import { lstat, readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { DirectoryWatch } from '../../directory-watch.ts';
import { asError, hasCode, systemReason } from '../../errors.ts';
import { isEmpty } from '../../model/delta.ts';
import type { Snapshot } from '../../model/snapshot.ts';
import type { AppSource, Clock, Log, Resolver, SavedApps, SourceListener } from '../../ports.ts';
import { Latch, systemClock } from '../../time.ts';
import { Feed } from '../feed.ts';
import { LastGood } from '../last-good.ts';
import { type FileContentOptions, readContent, unusable } from './content.ts';
import { Files } from './files.ts';
import { Leftover } from './leftover.ts';

export interface FileSourceOptions {
  /** A JSON file, or a directory with `*.json` and `*.jsonl` files; subdirectories and hidden files are ignored. */
  readonly path: string;
  /** The option that the path came from, for advice in errors. Defaults to `--source`. */
  readonly givenBy?: string | undefined;
  /** Framework name for the VIP names. Defaults to `marathon`. */
  readonly framework?: string | undefined;
  readonly resolver: Resolver;
  readonly log: Log;
  readonly clock?: Clock | undefined;
  /** Limit for one file. Defaults to 256 MiB. */
  readonly maxBytes?: number | undefined;
  /** How long to wait after a change for further ones. Defaults to 50 ms. */
  readonly settleMs?: number | undefined;
  /** How often to read when no change is reported. Defaults to 30 s. */
  readonly pollMs?: number | undefined;
  /** Saved state, used for what the first read cannot read. */
  readonly saved?: SavedApps | undefined;
}

/**
 * Apps from a JSON file or a directory of JSON files, watched for changes.
 *
 * If a single file cannot be used, the read fails with a `ControllerError` (code `usage`) that names the file. In a
 * directory, the error becomes a `Rejection` and the file keeps its last good state. A file removed from the directory
 * removes its apps.
 */
export function createFileSource(options: FileSourceOptions): AppSource {
  return new FileSource(options);
}

class FileSource implements AppSource {
  readonly name: string;
  readonly #path: string;
  readonly #options: FileSourceOptions;
  readonly #content: Omit<FileContentOptions, 'mayBePipe'>;
  readonly #files = new Files();
  readonly #lastGood: LastGood;
  readonly #leftover: Leftover;
  #isSingle = true;
  /** Whether a file may be a link: its content can then change under another name. */
  #isLinked = true;
  /** Reads never overlap: each builds on the state that the one before it kept. */
  #lastRead: Promise<unknown> = Promise.resolve();

  constructor(options: FileSourceOptions) {
    this.name = `file=${options.path}`;
    this.#path = options.path;
    this.#options = options;
    const { framework = 'marathon', resolver, maxBytes = 256 * 1024 * 1024 } = options;
    const lastGood = new LastGood(this.name, options.saved);
    this.#lastGood = lastGood;
    this.#leftover = new Leftover(lastGood);
    this.#content = { framework, resolver, maxBytes, saved: lastGood.state };
  }

  async read(signal: AbortSignal): Promise<Snapshot> {
    await this.#refresh(null, signal);
    return this.#files.snapshot;
  }

  async follow(listener: SourceListener, signal: AbortSignal): Promise<void> {
    const { clock = systemClock, settleMs = 50, pollMs = 30_000, log } = this.#options;
    const feed = new Feed();
    const wake = new Latch<'changed'>();
    const names = new Set<string>();
    let since: number | undefined;
    const onChange = (name: string | null) => {
      since ??= clock.monotonic();
      names.add(name ?? ANY);
      wake.set('changed');
    };
    const watch = new DirectoryWatch(await this.#watched(), onChange, log);
    try {
      for (let polled = true, failed = false; !signal.aborted; ) {
        const missed = watch.arm();
        // Cleared before the read: a change during the read must cause another.
        wake.take();
        const learnt = since ?? clock.monotonic();
        since = undefined;
        const only: readonly string[] | null = polled || failed || missed ? null : this.#namesIn(names);
        names.clear();
        failed = !(await this.#publish(listener, feed, learnt, only, polled, signal));

        await wake.wait(pollMs, clock, signal);
        polled = since === undefined;
        if (!polled) await clock.sleep(settleMs, signal);
      }
    } finally {
      watch.close();
    }
  }

  /** The files to read for these names; null to read everything, which is cheaper or safer. */
  #namesIn(names: ReadonlySet<string>): readonly string[] | null {
    const files = [...names].filter(isFileName);
    const isUnsure = this.#isSingle || names.has(ANY) || (this.#isLinked && files.length < names.size);
    return isUnsure || files.length > MAX_NAMES ? null : files;
  }

  /**
   * Reads and publishes; returns whether that succeeded. Changes to other files of a watched directory are not
   * published; a poll without changes is, to show that the read succeeded.
   */
  async #publish(
    listener: SourceListener,
    feed: Feed,
    learnedAt: number,
    only: readonly string[] | null,
    polled: boolean,
    signal: AbortSignal,
  ): Promise<boolean> {
    try {
      await this.#refresh(only, signal);
      const { about } = this.#files;
      const delta = feed.update(this.#files.takeChanged(), { complete: true, learnedAt, about });
      if (delta !== null && (polled || !isEmpty(delta))) listener.changed(delta);
      return true;
    } catch (error) {
      if (!signal.aborted) listener.failed(asError(error));
      return false;
    }
  }

  /** Reads these files of the directory; null for everything. */
  #refresh(only: readonly string[] | null, signal: AbortSignal): Promise<void> {
    const refreshing = this.#lastRead.then(async () => {
      await (only === null ? this.#readAllFiles(signal) : this.#readFiles(only, signal));
      await this.#leftover.update(this.#files);
      this.#lastGood.forget();
    });
    this.#lastRead = refreshing.catch(() => undefined);
    return refreshing;
  }

  async #readAllFiles(signal: AbortSignal): Promise<void> {
    const { paths, isSingle, isLinked } = await this.#list();
    for (const path of paths) await this.#readFile(path, isSingle, signal);
    const there = new Set(paths);
    for (const path of [...this.#files.paths()])
      if (!there.has(path) && !Leftover.isStandIn(path)) this.#files.set(path, null);
    this.#isSingle = isSingle;
    this.#isLinked = isLinked;
    const failure = isSingle ? this.#files.get(this.#path)?.failure : undefined;
    if (failure !== undefined) throw failure;
  }

  async #readFiles(names: readonly string[], signal: AbortSignal): Promise<void> {
    for (const name of names) {
      const path = join(this.#path, name);
      const status = await lstat(path).catch((error: unknown) =>
        hasCode(error, 'ENOENT') ? null : undefined,
      );
      if (status?.isSymbolicLink()) this.#isLinked = true;
      if (status === null) this.#files.set(path, null);
      else await this.#readFile(path, false, signal);
    }
  }

  async #readFile(path: string, mayBePipe: boolean, signal: AbortSignal): Promise<void> {
    const options = { ...this.#content, mayBePipe };
    this.#files.set(path, await readContent(path, this.#files.get(path), options, signal));
  }

  async #list(): Promise<{ paths: readonly string[]; isSingle: boolean; isLinked: boolean }> {
    try {
      if (!(await stat(this.#path)).isDirectory())
        return { paths: [this.#path], isSingle: true, isLinked: true };
      const entries = await readdir(this.#path, { withFileTypes: true });
      const files = entries.filter(({ name }) => isFileName(name));
      const paths = files.map(({ name }) => join(this.#path, name)).sort();
      return { paths, isSingle: false, isLinked: files.some((entry) => entry.isSymbolicLink()) };
    } catch (error) {
      const { givenBy = '--source' } = this.#options;
      throw unusable(this.#path, `${systemReason(error)}; check the path (${givenBy})`);
    }
  }

  /**
   * The directory to watch. For a single file it is the parent: a watch on the file itself would stay with the old file
   * after a replacement.
   */
  async #watched(): Promise<string> {
    const directory = await stat(this.#path).then(
      (status) => status.isDirectory(),
      () => false,
    );
    return directory ? this.#path : dirname(this.#path);
  }
}

/** Stands for a change without a reported file name. */
const ANY = '';
/** With more changed names than this, some events may have been lost. */
const MAX_NAMES = 256;

function isFileName(name: string): boolean {
  return /\.jsonl?$/.test(name) && !name.startsWith('.');
}
