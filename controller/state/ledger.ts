import { readFileSync, readlinkSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import * as z from 'zod';
import { ControllerError, hasCode } from '../errors.ts';
import type { ServiceKey } from '../model.ts';
import type { Clock, Ledger, LedgerEntry, LedgerState } from '../ports.ts';
import { systemClock } from '../time.ts';
import { ForeignJournal, Journal, type JournalRow, NoJournal } from './journal.ts';
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
 * The ledger as a journal under /run, which lives exactly as long as the kernel's tables do.
 *
 * A damaged file, or one that another user could have written, counts as empty, with a warning, and is set aside as
 * `PATH.damaged` by the next save: better to leave services of ours behind than to take another program's for ours. One
 * that was written in another network namespace or before a reboot is not used: its tables are gone. A file that cannot be
 * read at all rejects, since what is ours is then unknown.
 */
export function createLedger(
  path: string,
  kernel: string = kernelIdentity(),
  clock: Pick<Clock, 'sleep' | 'epoch'> = systemClock,
): Ledger {
  const aside = `${path}.damaged`;
  const journal = new Journal(path, `ledger of ${kernel}`, clock);
  let isDamaged = false;
  /** Whether the file may have more than what was saved: a write that failed may have come to its end later. */
  let isUnsure = false;
  /** One at a time: one that hung may end long after its time, and must not end after a newer one. */
  let writing: Promise<void> | null = null;

  async function read(): Promise<LedgerState> {
    try {
      const state = await journal.load(isEntry);
      if (state === null) return EMPTY_LEDGER;
      if (state.damaged > 0) throw new Damaged(`${state.damaged} of its lines are not as they were written`);
      return { entries: state.rows as ReadonlyMap<ServiceKey, LedgerEntry> };
    } catch (error) {
      if (error instanceof ForeignJournal)
        return {
          ...EMPTY_LEDGER,
          warning: `ledger ${path} is of another network namespace or boot: not used`,
        };
      if (error instanceof NoJournal) throw new Damaged(error.message);
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
            ? `is damaged (${cause.message}): treated as empty`
            : `is not used, since another user could have written it: ${cause.message}; it is treated as empty`;
        return {
          ...EMPTY_LEDGER,
          warning: `ledger ${path} ${what}, and set aside as ${aside} by the next write`,
        };
      }
    },

    async save(entries, changed): Promise<void> {
      try {
        if (writing !== null) throw new Error('the last write has not come to an end');
        const changes = isUnsure || isDamaged || changed === null ? null : rowsOf(changed, entries);
        writing = write(changes, entries).finally(() => {
          writing = null;
        });
        await withinTime(writing, WRITE_LIMIT_MS, clock);
        isUnsure = false;
      } catch (cause) {
        isUnsure = true;
        throw new ControllerError(
          'state',
          `ledger ${path} (--ledger) cannot be written, and without it no new service is made`,
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

/** A file system that hangs must not stop what needs no ledger. */
const WRITE_LIMIT_MS = 3_000;

async function setAside(path: string, aside: string): Promise<void> {
  await rename(path, aside).catch((error: unknown) => {
    // Whoever read the warning has removed it.
    if (!hasCode(error, 'ENOENT')) throw error;
  });
}

/** Names the kernel tables that a ledger speaks of: this boot and a network namespace, `net:[4026531840]`; when missing, our own. */
export function kernelIdentity(netns?: string): string {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    return `${boot} ${netns ?? readlinkSync('/proc/self/ns/net')}`;
  } catch {
    return 'unknown';
  }
}
