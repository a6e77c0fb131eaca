import { ControllerError, messageOf, systemReason } from '../../errors.ts';
import { readSmallFile } from '../../input/small-file.ts';
import type { Log } from '../../ports.ts';

/** A file that an option names. */
export interface NamedFile {
  readonly flag: string;
  readonly path: string;
}

/** A value made from files that are reloaded; it stays the last good one. */
export interface Reloadable<Value> {
  current(): Value;
  /** Why the files' current contents are not used; null if they are. */
  warning(): string | null;
  /** Reads the files and uses their contents if they have changed and are valid. Never rejects. */
  reload(): Promise<void>;
  /** Calls `listener` with each new value. */
  onReload(listener: (value: Value) => void): void;
}

/**
 * Reads the files and makes a value of their contents, which are in the order of `files`. Rejects with a
 * `ControllerError` if that fails.
 *
 * A reload compares contents, not times: a mounted secret changes by a symbolic link. Contents that cannot be used leave
 * the value as it is and become the `warning`, since a key and its certificate are not replaced at the same instant.
 */
export async function openReloadable<Value>(
  files: readonly NamedFile[],
  make: (contents: readonly Buffer[]) => Value,
  log: Log,
): Promise<Reloadable<Value>> {
  let contents = await readAll(files);
  let value = make(contents);
  let warning: string | null = null;
  const listeners: ((value: Value) => void)[] = [];
  const paths = files.map(({ path }) => path);

  function warn(error: unknown): void {
    const reason = messageOf(error);
    const next = `${reason}; the previous contents stay in use`;
    if (next !== warning) log.warn('changed files cannot be used', { files: paths, reason });
    warning = next;
  }

  return {
    current: () => value,
    warning: () => warning,
    onReload: (listener) => {
      listeners.push(listener);
    },
    async reload() {
      try {
        const found = await readAll(files);
        const same = found.every((content, at) => content.equals(contents[at] ?? Buffer.alloc(0)));
        if (!same) {
          value = make(found);
          contents = found;
          log.info('changed files reloaded', { files: paths });
          for (const listener of listeners) listener(value);
        }
        warning = null;
      } catch (error) {
        warn(error);
      }
    },
  };
}

function readAll(files: readonly NamedFile[]): Promise<Buffer[]> {
  return Promise.all(files.map(read));
}

async function read({ flag, path }: NamedFile): Promise<Buffer> {
  return await readSmallFile(path).catch((cause: unknown) => {
    // Without a cause: the message already contains the reason.
    throw new ControllerError('usage', `${flag} ${path} cannot be read: ${systemReason(cause)}`, {
      retry: 'never',
    });
  });
}
