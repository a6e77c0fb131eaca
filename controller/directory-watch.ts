import { type FSWatcher, statSync, watch } from 'node:fs';
import { messageOf } from './errors.ts';
import type { Log } from './ports.ts';

/**
 * Calls `changed` when something in a directory changes, with its name if the system reports it. The caller must poll for
 * what is missed: on network file systems, without free inotify watches, or when the directory was replaced.
 */
export class DirectoryWatch {
  readonly #directory: string;
  readonly #changed: (name: string | null) => void;
  readonly #log: Log;
  #watcher: FSWatcher | undefined;
  #inode: number | undefined;
  #warned = false;

  constructor(directory: string, changed: (name: string | null) => void, log: Log) {
    this.#directory = directory;
    this.#changed = changed;
    this.#log = log;
  }

  /**
   * Starts watching, or starts again when the directory was replaced. Returns whether changes until now may have been
   * missed. Cheap when nothing changed.
   */
  arm(): boolean {
    try {
      const { ino } = statSync(this.#directory);
      if (this.#watcher !== undefined && ino === this.#inode) return false;
      this.close();
      this.#watcher = watch(this.#directory, { persistent: false }, (_, name) => this.#changed(name));
      this.#watcher.on('error', (error) => this.#failed(error));
      this.#inode = ino;
    } catch (error) {
      this.#failed(error);
    }
    return true;
  }

  close(): void {
    this.#watcher?.close();
    this.#watcher = undefined;
  }

  #failed(error: unknown): void {
    this.close();
    if (!this.#warned) {
      this.#log.warn('directory cannot be watched; changes are noticed by polling only', {
        directory: this.#directory,
        reason: messageOf(error),
      });
    }
    this.#warned = true;
  }
}
