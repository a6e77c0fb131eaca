import { readFileSync, readlinkSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import * as z from 'zod';
import { ControllerError, hasCode } from '../errors.ts';
import type { ServiceKey } from '../model/service.ts';
import type { Clock, Ledger, LedgerEntry, LedgerState } from '../ports.ts';
import { systemClock } from '../time.ts';
import { ForeignJournal, Journal, type JournalRow, NotAJournal } from './journal.ts';
import { UntrustedFile } from './trusted-file.ts';
import { withinTime } from './within-time.ts';

const entry = z.object({
  name: z.string().nullable(),
  framework: z.string().nullable(),
  fqdn: z.string().nullable(),
  near: z.string().exactOptional(),
  drains: z.record(z.string(), z.number()).exactOptional(),
});

/**
 * Creates a ledger that is kept as a journal, by default under /run, which is emptied at a reboot as the kernel's tables are.
 * `kernel`: the tables that it is about, from {@link kernelIdentity}.
 *
 * `load` resolves with an empty ledger and a warning if the file is damaged or another user could have written it, and the next
 * save renames the file to `PATH.damaged`: it is better to leave this controller's services behind than to take another
 * program's for its own. A ledger of another network namespace or boot is not used either. `load` rejects if the file cannot
 * be read at all, since it is then unknown which services are this controller's.
 */
export function createLedger(
  path: string,
  kernel: string = kernelIdentity(),
  clock: Pick<Clock, 'sleep' | 'epoch'> = systemClock,
): Ledger {
  const aside = `${path}.damaged`;
  const journal = new Journal(path, `ledger of ${kernel}`, clock);
  let isDamaged = false;
  /** Whether the file may differ from what was saved last: a write that timed out may have finished later. */
  let isUncertain = false;
  /** The write in progress. A write that hangs may end long after its time limit, and must not end after a newer one. */
  let writing: Promise<void> | null = null;

  async function read(): Promise<LedgerState> {
    try {
      const state = await journal.load(isEntry);
      if (state === null) return EMPTY_LEDGER;
      if (state.damaged > 0) throw new Damaged(`lines that cannot be used: ${state.damaged}`);
      return { entries: state.rows as ReadonlyMap<ServiceKey, LedgerEntry> };
    } catch (error) {
      if (error instanceof ForeignJournal)
        return {
          ...EMPTY_LEDGER,
          warning: `ledger ${path} was written in another network namespace or boot, so it is not used`,
        };
      if (error instanceof NotAJournal) throw new Damaged(error.message);
      throw error;
    }
  }

  return {
    async load(): Promise<LedgerState> {
      isDamaged = false;
      try {
        return await read();
      } catch (cause) {
        if (!(cause instanceof UntrustedFile || cause instanceof Damaged))
          throw new ControllerError('state', `ledger ${path} (--ledger) cannot be read`, { cause });
        isDamaged = true;
        const what =
          cause instanceof Damaged
            ? `is damaged (${cause.message}): it is treated as empty`
            : `could have been written by another user (${cause.message}): it is treated as empty`;
        return {
          ...EMPTY_LEDGER,
          warning: `ledger ${path} ${what}, and the next write renames it to ${aside}`,
        };
      }
    },

    async save(entries, changed): Promise<void> {
      try {
        if (writing !== null) throw new Error('the previous write has not finished');
        const changes = isUncertain || isDamaged || changed === null ? null : rowsOf(changed, entries);
        writing = write(changes, entries).finally(() => {
          writing = null;
        });
        await withinTime(writing, WRITE_LIMIT_MS, clock);
        isUncertain = false;
      } catch (cause) {
        isUncertain = true;
        throw new ControllerError(
          'state',
          `ledger ${path} (--ledger) cannot be written, so no new service is added`,
          { cause },
        );
      }
    },
  };

  async function write(
    changes: Iterable<JournalRow> | null,
    entries: ReadonlyMap<ServiceKey, LedgerEntry>,
  ): Promise<void> {
    if (isDamaged) await setAside(path, aside);
    isDamaged = false;
    await journal.save(changes, () => entries);
  }
}

class Damaged extends Error {}

const EMPTY_LEDGER: LedgerState = { entries: new Map() };

function isEntry(_key: string, value: unknown): boolean {
  return entry.safeParse(value).success;
}

function* rowsOf(
  keys: Iterable<ServiceKey>,
  entries: ReadonlyMap<ServiceKey, LedgerEntry>,
): Generator<JournalRow> {
  for (const key of keys) {
    const value = entries.get(key);
    yield value === undefined ? [key] : [key, value];
  }
}

/** Time limit of a write: a file system that hangs must not stop what needs no ledger. */
const WRITE_LIMIT_MS = 3_000;

async function setAside(path: string, aside: string): Promise<void> {
  await rename(path, aside).catch((error: unknown) => {
    // ENOENT: an operator has removed it since.
    if (!hasCode(error, 'ENOENT')) throw error;
  });
}

/**
 * Identifies the kernel tables that a ledger is about: this boot and a network namespace such as `net:[4026531840]`, by default
 * this process's own. `unknown` if /proc cannot be read.
 */
export function kernelIdentity(netns?: string): string {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    return `${boot} ${netns ?? readlinkSync('/proc/self/ns/net')}`;
  } catch {
    return 'unknown';
  }
}
