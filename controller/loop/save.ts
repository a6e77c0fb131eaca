import { messageOf } from '../errors.ts';
import { foldRow } from '../inventory/merge.ts';
import { type App, appKey, type Snapshot } from '../model.ts';
import type { Clock, Log, StateStore, StoredChange } from '../ports.ts';
import { same } from '../same.ts';
import type { Sources } from './sources.ts';

export interface SavePorts {
  readonly store: StateStore;
  readonly clock: Clock;
  readonly log: Log;
}

/** What the disk has of a source. */
export interface SavedSource {
  readonly snapshot: Snapshot;
  /** Its apps, one for each key and kind. */
  readonly rows: ReadonlyMap<string, App>;
}

/** The last good state of the sources is saved at most this often. */
const SAVE_MS = 5_000;

/** Keeps what the sources said on disk, in the background; once more when `signal` aborts. */
export async function saveRegularly(ports: SavePorts, sources: Sources, signal: AbortSignal): Promise<void> {
  const saved = new Map<string, SavedSource>();
  for (let last = false; !last; ) {
    await ports.clock.sleep(SAVE_MS, signal);
    last = signal.aborted;
    await saveChanged(ports, sources, saved);
  }
}

/** Saves what differs from what `saved` remembers, and remembers it. What cannot be saved is logged and tried again. */
export async function saveChanged(
  { store, log }: SavePorts,
  sources: Sources,
  saved: Map<string, SavedSource>,
): Promise<void> {
  for (const [name, snapshot] of sources.fresh()) {
    const before = saved.get(name);
    if (before?.snapshot === snapshot) continue;
    const rows = rowsOf(snapshot);
    const change = before === undefined ? null : changeOf(before, { snapshot, rows });
    try {
      await store.saveSource(name, change, () => ({ ...snapshot, apps: [...rows.values()] }));
      saved.set(name, { snapshot, rows });
    } catch (error) {
      log.warn('last good state could not be saved', { source: name, error: messageOf(error) });
    }
  }
}

function rowsOf({ apps }: Snapshot): ReadonlyMap<string, App> {
  const rows = new Map<string, App>();
  for (const app of apps) {
    const key = `${app.fromTasks === true} ${appKey(app)}`;
    const other = rows.get(key);
    rows.set(key, other === undefined ? app : foldRow([other, app]));
  }
  return rows;
}

function changeOf(before: SavedSource, { snapshot, rows }: SavedSource): StoredChange {
  const upserts = [...rows].filter(([key, app]) => before.rows.get(key) !== app).map(([, app]) => app);
  const removed = [...before.rows]
    .filter(([key]) => !rows.has(key))
    .map(([, app]) => ({ key: appKey(app), fromTasks: app.fromTasks === true }));
  const { apps: _had, ...was } = before.snapshot;
  const { apps: _has, ...about } = snapshot;
  return { upserts, removed, ...(!same(was, about) && { about }) };
}
