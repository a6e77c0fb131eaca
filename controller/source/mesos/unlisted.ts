import type { MesosState } from './state.ts';
import type { TaskEntry } from './task-table.ts';

/** How long the tasks of an agent that its master gave up are kept: longer than connections drain by default. */
const UNREACHABLE_KEPT_MS = 600_000;

/**
 * What becomes of a known task that a whole state does not list: the task as it is kept, and until when, in
 * milliseconds of the monotonic clock; null where it has ended.
 */
export function unlisted(
  { facts, keptUntil }: TaskEntry,
  { agents, recovered }: Pick<MesosState, 'agents' | 'recovered'>,
  now: number,
): Pick<TaskEntry, 'facts' | 'keptUntil'> | null {
  if (recovered.has(facts.agentId)) return { facts, keptUntil: Number.POSITIVE_INFINITY };
  // A master lists all tasks of an agent that has registered with it, and no new master has been waiting for this one.
  if (agents.has(facts.agentId) || keptUntil === null) return null;
  return Number.isFinite(keptUntil) && facts.state === 'unreachable'
    ? { facts, keptUntil }
    : givenUp(facts, now);
}

/** A kept task whose agent the master gave up: what runs there, if it still does, may end its connections. */
export function givenUp(facts: TaskEntry['facts'], now: number): Pick<TaskEntry, 'facts' | 'keptUntil'> {
  return { facts: { ...facts, state: 'unreachable' }, keptUntil: now + UNREACHABLE_KEPT_MS };
}
