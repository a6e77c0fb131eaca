import { readFile } from 'node:fs/promises';
import { ControllerError, messageOf, systemReason } from '../../errors.ts';
import type { Log } from '../../ports.ts';

/** A file that an option names. */
export interface NamedFile {
  readonly flag: string;
  readonly path: string;
}

/** What some files hold, as it last was good. */
export interface Renewed<Value> {
  current(): Value;
  /** Why what the files hold now is not used; null where it is. */
  complaint(): string | null;
  /** Reads the files and, where they hold something else, uses that if it can be used. Never rejects. */
  look(): Promise<void>;
  /** Calls back with each new value. */
  onRenewed(listener: (value: Value) => void): void;
}

/** No certificate, key or token is longer; whatever has come to lie there is not read on and on. */
const MOST_BYTES = 1_048_576;

/**
 * Reads the files and makes a value of their contents, which are in the order of `files`. Rejects with a
 * `ControllerError` where that is not possible.
 *
 * Contents are compared, not times: a mounted secret changes by a link that then leads elsewhere. What a later look
 * finds unusable changes nothing and is told: whoever renews a key and its certificate writes one after the other.
 */
export async function openRenewed<Value>(
  files: readonly NamedFile[],
  make: (contents: readonly Buffer[]) => Value,
  log: Log,
): Promise<Renewed<Value>> {
  let contents = await readAll(files);
  let value = make(contents);
  let complaint: string | null = null;
  const listeners: ((value: Value) => void)[] = [];
  const shown = files.map(({ path }) => path);

  function complain(error: unknown): void {
    const reason = messageOf(error);
    const told = `${reason}; what was read before is still in use`;
    if (told !== complaint) log.warn('renewed files are not used', { files: shown, reason });
    complaint = told;
  }

  return {
    current: () => value,
    complaint: () => complaint,
    onRenewed: (listener) => {
      listeners.push(listener);
    },
    async look() {
      try {
        const found = await readAll(files);
        const same = found.every((content, at) => content.equals(contents[at] ?? Buffer.alloc(0)));
        if (!same) {
          value = make(found);
          contents = found;
          log.info('renewed files are in use', { files: shown });
          for (const listener of listeners) listener(value);
        }
        complaint = null;
      } catch (error) {
        complain(error);
      }
    },
  };
}

function readAll(files: readonly NamedFile[]): Promise<Buffer[]> {
  return Promise.all(files.map(read));
}

async function read({ flag, path }: NamedFile): Promise<Buffer> {
  const content = await readFile(path).catch((cause: unknown) => {
    // The reason stands in the message already; as a cause it would be told twice.
    throw new ControllerError('usage', `${flag} ${path} cannot be read: ${systemReason(cause)}`, {
      retry: 'never',
    });
  });
  if (content.length <= MOST_BYTES) return content;
  throw new ControllerError(
    'usage',
    `${flag} ${path} has ${content.length} bytes: too many for such a file`,
    {
      retry: 'never',
    },
  );
}
