import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { same } from '../compare.ts';
import { ControllerError, messageOf } from '../errors.ts';
import { rowKey, rowOf } from '../model/app.ts';
import { EMPTY_NAME_MEMORY, type NamedAddresses, type NameMemory } from '../model/name-memory.ts';
import type { Snapshot } from '../model/snapshot.ts';
import type { Clock, Log, SavedApps, StateStore, StoredChange } from '../ports.ts';
import { Journal, type JournalRow, type JournalState } from './journal.ts';
import { isStoredAbout, isStoredAddresses, isStoredApp } from './stored-app.ts';
import { fromStored, type StoredApp, toStored } from './stored-ports.ts';

/**
 * Creates a store that keeps state as journals in `directory` (default /var/lib/marathon-ipvs): `names.journal`,
 * `dns.journal`, and `source-….journal` for each source. A file that cannot be used is logged and counts as missing; of a damaged file the
 * intact lines are used.
 */
export function createStateStore(directory: string, clock: Clock, log: Log): StateStore {
  const files = new Map<string, StateFile>();
  const fileOf = (name: string, of: string): StateFile => {
    const known = files.get(name);
    if (known !== undefined) return known;
    const path = join(directory, `${name}.journal`);
    const unsaved = new Set<string>();
    const saved = (key: string, reason: string | null) => {
      if (reason === null) unsaved.delete(key);
      // Logged once rather than at each save.
      else if (unsaved.size < MAX_UNSAVED && unsaved.size !== unsaved.add(key).size)
        log.warn('entry is too long, left out of the saved state', {
          path,
          row: key,
          error: reason,
        });
    };
    const file = { path, journal: new Journal(path, of, clock, saved) };
    files.set(name, file);
    return file;
  };
  const sourceFile = (source: string) => fileOf(`source-${digest(source)}`, source);
  const namesFile = fileOf('names', 'names and labels');
  const dnsFile = fileOf('dns', 'DNS serial');
  let savedMemory: NameMemory | null = null;

  /** Resolves with null if the file is missing or cannot be used, which is logged. */
  async function loadRows(
    { path, journal }: StateFile,
    isValid: (key: string, value: unknown) => boolean,
  ): Promise<JournalState | null> {
    try {
      const state = await journal.load(isValid);
      if (state !== null && state.damaged > 0)
        log.warn('saved state is damaged, its intact lines are used', { path, lines: state.damaged });
      return state;
    } catch (error) {
      log.warn('saved state cannot be used', { path, error: messageOf(error).slice(0, 300) });
      return null;
    }
  }

  async function save(
    file: StateFile,
    changes: Iterable<JournalRow> | null,
    all: () => Iterable<JournalRow>,
  ) {
    try {
      await file.journal.save(changes, all);
    } catch (cause) {
      throw new ControllerError('state', `write ${file.path} (--state-dir)`, { cause });
    }
  }

  return {
    async loadSource(source) {
      const state = await loadRows(sourceFile(source), isSourceRow);
      if (state === null) return null;
      const { [ABOUT]: about, ...apps } = Object.fromEntries(state.rows);
      const { rejected = [], warnings = [], ...rest } = (about ?? {}) as Partial<Snapshot>;
      const stored = Object.values(apps) as StoredApp[];
      const snapshot = { apps: stored.map(fromStored), rejected, warnings, ...rest };
      return { savedAt: state.savedAt, snapshot };
    },
    async saveSource(source, change, all) {
      await save(sourceFile(source), change === null ? null : changedRows(change), () => sourceRows(all()));
    },
    async loadMemory() {
      const state = await loadRows(namesFile, isMemoryRow);
      if (state === null) return EMPTY_NAME_MEMORY;
      const addresses = new Map<string, NamedAddresses>();
      const labels = new Map<string, string>();
      for (const [key, value] of state.rows)
        if (key.startsWith(NAME)) addresses.set(key.slice(NAME.length), value as NamedAddresses);
        else labels.set(key.slice(LABEL.length), value as string);
      savedMemory = { addresses, labels };
      return savedMemory;
    },
    async saveMemory(memory) {
      const changes = savedMemory === null ? null : changedMemory(savedMemory, memory);
      await save(namesFile, changes, () => memoryRows(memory));
      savedMemory = memory;
    },
    async loadSerial() {
      const state = await loadRows(dnsFile, isSerialRow);
      return (state?.rows.get(SERIAL) as number | undefined) ?? null;
    },
    async saveSerial(serial) {
      await save(dnsFile, null, () => [[SERIAL, serial]]);
    },
  };
}

/** Returns what a store has saved of a source. */
export function savedIn(store: Pick<StateStore, 'loadSource'>): SavedApps {
  return async (source) => (await store.loadSource(source))?.snapshot ?? null;
}

interface StateFile {
  readonly path: string;
  readonly journal: Journal;
}

/** Maximum number of rows that cannot be saved to log, for each file. */
const MAX_UNSAVED = 1_000;
const ABOUT = 'about';
const NAME = 'name ';
const LABEL = 'label ';
const SERIAL = 'serial';

function isSourceRow(key: string, value: unknown): boolean {
  return key === ABOUT ? isStoredAbout(value) : isStoredApp(value) && rowOf(value) === key;
}

function* sourceRows({ apps, ...about }: Snapshot): Generator<JournalRow> {
  yield [ABOUT, about];
  for (const app of apps) yield [rowOf(app), toStored(app)];
}

function* changedRows({ upserts, removed, about }: StoredChange): Generator<JournalRow> {
  if (about !== undefined) yield [ABOUT, about];
  for (const { key, fromTasks } of removed) yield [rowKey(key, fromTasks)];
  for (const app of upserts) yield [rowOf(app), toStored(app)];
}

function isMemoryRow(key: string, value: unknown): boolean {
  return key.startsWith(NAME) ? isStoredAddresses(value) : key.startsWith(LABEL) && typeof value === 'string';
}

function isSerialRow(key: string, value: unknown): boolean {
  return key === SERIAL && Number.isInteger(value) && Number(value) >>> 0 === value;
}

function* memoryRows({ addresses, labels }: NameMemory): Generator<JournalRow> {
  for (const [name, value] of addresses) yield [`${NAME}${name}`, value];
  for (const [label, value] of labels) yield [`${LABEL}${label}`, value];
}

function* changedMemory(before: NameMemory, after: NameMemory): Generator<JournalRow> {
  const had = new Map(memoryRows(before) as Iterable<[string, unknown]>);
  for (const [key, value] of memoryRows(after)) {
    if (!same(had.get(key), value)) yield [key, value];
    had.delete(key);
  }
  for (const key of had.keys()) yield [key];
}

/** The name of a source may contain characters that a file name must not. */
function digest(source: string): string {
  return createHash('sha256').update(source).digest('hex').slice(0, 16);
}
