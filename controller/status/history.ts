/** The latest changes of each VIP since the controller's start. */

import type { BackendKey } from '../model/endpoint.ts';
import { largeRemovalText } from '../plan/large-removal.ts';
import { changeText, type ServiceSettings, serviceFields } from '../settings/settings.ts';
import { weightChangeText, weightText } from '../settings/slow-start.ts';
import type { BackendRecord } from './backend-records.ts';
import { plural } from './format.ts';
import type { PastRemoval } from './large-removals.ts';
import type { RecordsBefore, VipRecord, VipRecords } from './vip-records.ts';

/** A difference between two passes. Times are milliseconds of the monotonic clock. */
export interface Change {
  readonly at: number;
  /** Id of the VIP. */
  readonly vip: string;
  readonly kind:
    | 'appeared'
    | 'gone'
    | 'state'
    | 'settings'
    | 'backend added'
    | 'backend removed'
    | 'backend'
    | 'not held';
  /** The backend that changed; null if the change concerns the whole VIP. */
  readonly backend: BackendKey | null;
  /** A description such as `weight 1 -> 0: TASK_KILLING`. */
  readonly text: string;
}

/** A change in the form of `GET /v1/history`, with an RFC 3339 time. */
export interface ChangeDocument extends Omit<Change, 'at'> {
  readonly at: string;
}

/** The recent changes of VIPs. */
export interface History {
  /** Records what a pass changed: `before` has the records that it replaced, `now` all current ones. */
  passed(before: RecordsBefore, now: VipRecords, at: number): void;
  /** Records why a large removal was not held. */
  notHeld(removal: PastRemoval): void;
  /** Returns the changes of one VIP, the newest first, even if the VIP is gone. */
  ofVip(id: string): readonly Change[];
  /** Returns the latest `count` changes of all VIPs, the newest first. */
  latest(count: number): readonly Change[];
}

/** How much of the history is kept. */
export interface HistoryLimits {
  /** Changes kept for each VIP, so that one that flaps does not push out the changes of others. */
  readonly perVip: number;
  /** VIPs kept; the one whose last change is oldest is dropped first. */
  readonly vips: number;
}

/** A change takes about 200 bytes: 20 MB on a host of 2,000 VIPs that all flap. */
const LIMITS: HistoryLimits = { perVip: 50, vips: 2_000 };

/** Creates an empty history. The first pass only sets the baseline. */
export function createHistory({ perVip, vips }: HistoryLimits = LIMITS): History {
  // In the order of their last change.
  const byVip = new Map<string, readonly Change[]>();
  let started = false;

  function add(id: string, changes: readonly Change[]): void {
    const all = [...changes, ...(byVip.get(id) ?? [])].slice(0, perVip);
    byVip.delete(id);
    byVip.set(id, all);
    for (const oldest of byVip.keys()) {
      if (byVip.size <= vips) break;
      byVip.delete(oldest);
    }
  }

  return {
    passed(before, now, at) {
      if (!started) {
        started = true;
        return;
      }
      for (const [id, had] of before) {
        const record = now.get(id);
        const changes = record === undefined ? gone(id, had, at) : changesOf(had, record, at);
        if (changes.length > 0) add(id, changes);
      }
    },
    notHeld(removal) {
      const text = largeRemovalText(removal);
      for (const id of removal.services)
        add(id, [{ at: removal.at, vip: id, kind: 'not held', backend: null, text }]);
    },
    ofVip: (id) => byVip.get(id) ?? [],
    latest(count) {
      const newest = [...byVip.values()].flatMap((changes) => changes.slice(0, count));
      return newest.sort((a, b) => b.at - a.at).slice(0, count);
    },
  };
}

function gone(id: string, had: VipRecord | undefined, at: number): Change[] {
  const text = had?.reason ?? 'no longer declared';
  return [{ at, vip: id, kind: 'gone', backend: null, text }];
}

function changesOf(had: VipRecord | undefined, now: VipRecord, at: number): Change[] {
  const { id } = now;
  if (had === undefined) {
    const text = `${stateText(now)}; ${plural(now.backends.size, 'backend')}`;
    return [{ at, vip: id, kind: 'appeared', backend: null, text }];
  }
  const changes: Change[] = [];
  if (had.state !== now.state || had.reason !== now.reason) {
    const text = had.state === now.state ? stateText(now) : `${had.state} -> ${stateText(now)}`;
    changes.push({ at, vip: id, kind: 'state', backend: null, text });
  }
  const settings = settingsText(had, now);
  if (settings !== '') changes.push({ at, vip: id, kind: 'settings', backend: null, text: settings });
  for (const [key, backend] of now.backends) {
    const change = backendChange(had.backends.get(key), backend, now.slowStartSeconds);
    if (change !== null) changes.push({ at, vip: id, backend: key, ...change });
  }
  for (const [key, { reason }] of had.backends) {
    if (now.backends.has(key)) continue;
    changes.push({ at, vip: id, kind: 'backend removed', backend: key, text: reason });
  }
  return changes;
}

function stateText({ state, reason }: VipRecord): string {
  return reason === null ? state : `${state}: ${reason}`;
}

function settingsText(had: VipRecord, now: VipRecord): string {
  const texts = [
    ...serviceFields.differences(settingsOf(had), settingsOf(now)).map(changeText),
    had.apps.join() !== now.apps.join() && `apps ${had.apps.join(', ')} -> ${now.apps.join(', ')}`,
  ];
  return texts.filter((text) => text !== false).join('; ');
}

function settingsOf(record: VipRecord): ServiceSettings {
  return { ...record, scheduler: record.scheduler ?? '' };
}

function backendChange(
  had: BackendRecord | undefined,
  now: BackendRecord,
  slowStart: number | undefined,
): Pick<Change, 'kind' | 'text'> | null {
  if (had === undefined)
    return { kind: 'backend added', text: `weight ${weightText(now.weight, slowStart)}: ${now.reason}` };
  // Only the start and the end of a slow start are recorded: its steps would push out other changes.
  if (had.decision?.rule === 'slow start' && now.decision?.rule === 'slow start') return null;
  if (had.weight !== now.weight) {
    const weights = weightChangeText(had.weight, now.weight, slowStart);
    return { kind: 'backend', text: `weight ${weights}: ${now.reason}` };
  }
  if (had.reason !== now.reason) return { kind: 'backend', text: now.reason };
  if (had.task !== now.task) {
    return { kind: 'backend', text: `task ${had.task ?? 'unknown'} -> ${now.task ?? 'unknown'}` };
  }
  return null;
}
