import { readFileSync, readlinkSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import * as z from 'zod';
import { ControllerError, hasCode, messageOf } from '../errors.ts';
import type { ServiceKey } from '../model.ts';
import type { Clock, Ledger, LedgerEntry, LedgerState } from '../ports.ts';
import { required } from '../schema-messages.ts';
import { systemClock } from '../time.ts';
import { replaceFile } from './atomic-file.ts';
import { jsonOfMap } from './json-map.ts';
import { readTrusted, UntrustedFile } from './trusted-file.ts';

const entry = z.object({
  name: z.string().nullable(),
  framework: z.string().nullable(),
  // Ledgers of version 0.1 lack it.
  fqdn: z.string().nullable().default(null),
  drains: z.record(z.string(), z.number()).exactOptional(),
});
const file = z.object({
  version: z.literal(1),
  kernel: z.string(),
  services: z.record(z.string(), entry),
});

/**
 * The ledger as a JSON file under /run, which lives exactly as long as the kernel's tables do.
 *
 * A damaged file, or one that another user could have written, counts as empty, with a warning, and is set aside as
 * `PATH.damaged` by the next save: better to leave services of ours behind than to take another program's for ours. One
 * that was written in another network namespace or before a reboot is not used: its tables are gone. A file that cannot be
 * read at all rejects, since what is ours is then unknown.
 */
export function createLedger(
  path: string,
  kernel: string = kernelIdentity(),
  clock: Pick<Clock, 'sleep'> = systemClock,
): Ledger {
  const aside = `${path}.damaged`;
  let damaged = false;
  /** One at a time: one that hung may end long after its time, and must not end after a newer one. */
  let writing: Promise<void> | null = null;

  function entriesOf(text: string): LedgerState {
    try {
      const { services, kernel: writtenIn } = required(file, JSON.parse(text), 'a ledger');
      if (writtenIn === kernel) return { entries: new Map(Object.entries(services)) };
      const warning = `ledger ${path} is of another network namespace or boot: not used`;
      return { entries: new Map(), warning };
    } catch (error) {
      damaged = true;
      const why = firstLine(messageOf(error));
      const warning = `ledger ${path} is damaged (${why}): treated as empty, and set aside as ${aside} by the next write`;
      return { entries: new Map(), warning };
    }
  }

  return {
    async load(): Promise<LedgerState> {
      damaged = false;
      try {
        const text = await readTrusted(path);
        if (text === null) return { entries: new Map() };
        return entriesOf(text);
      } catch (cause) {
        if (!(cause instanceof UntrustedFile))
          throw new ControllerError('state', `ledger ${path} (--ledger) cannot be read`, { cause });
        damaged = true;
        const warning = `ledger ${path} is not used, since another user could have written it: ${cause.message}; it is treated as empty, and set aside as ${aside} by the next write`;
        return { entries: new Map(), warning };
      }
    },

    async save(entries: ReadonlyMap<ServiceKey, LedgerEntry>): Promise<void> {
      try {
        if (writing !== null) throw new Error('the last write has not come to an end');
        const text = `{"version":1,"kernel":${JSON.stringify(kernel)},"services":${jsonOfMap(entries)}}`;
        writing = write(text).finally(() => {
          writing = null;
        });
        await withinTime(writing, clock);
      } catch (cause) {
        throw new ControllerError(
          'state',
          `ledger ${path} (--ledger) cannot be written, and without it no new service is made`,
          { cause },
        );
      }
    },
  };

  async function write(text: string): Promise<void> {
    if (damaged) await setAside(path, aside);
    damaged = false;
    await replaceFile(path, text);
  }
}

/** A file system that hangs must not stop what needs no ledger. */
const WRITE_LIMIT_MS = 3_000;

async function withinTime(writing: Promise<void>, clock: Pick<Clock, 'sleep'>): Promise<void> {
  const enough = new AbortController();
  const limit = clock.sleep(WRITE_LIMIT_MS, enough.signal).then(() => {
    if (!enough.signal.aborted)
      throw new Error(`the file system has not answered for ${WRITE_LIMIT_MS / 1_000} s`);
  });
  // Whichever comes second is of no interest; a rejection of it must not end the process.
  writing.catch(() => undefined);
  try {
    await Promise.race([writing, limit]);
  } finally {
    enough.abort(null);
    limit.catch(() => undefined);
  }
}

async function setAside(path: string, aside: string): Promise<void> {
  await rename(path, aside).catch((error: unknown) => {
    // Whoever read the warning has removed it.
    if (!hasCode(error, 'ENOENT')) throw error;
  });
}

function firstLine(text: string): string {
  return (text.split('\n', 1)[0] ?? '').slice(0, 120);
}

/** Names the kernel tables that a ledger speaks of: this boot and this network namespace. */
function kernelIdentity(): string {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    return `${boot} ${readlinkSync('/proc/self/ns/net')}`;
  } catch {
    return 'unknown';
  }
}
