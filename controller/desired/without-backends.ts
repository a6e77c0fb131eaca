import type { App, Rejection, Task } from '../model/app.ts';

/**
 * Why a VIP has no backends, as text, from the states of the app's tasks: `of 3 tasks, 2 start, 1 is unreachable`. `lack`: why
 * a running task is no backend; null when unknown.
 */
export function withoutBackends(
  { tasks, rejected }: Pick<App, 'tasks' | 'rejected'>,
  lack: string | null,
): string {
  const count = (...states: readonly Task['state'][]) =>
    tasks.reduce((sum, { state }) => (states.includes(state) ? sum + 1 : sum), 0);
  const [running, starting, all] = [count('running', 'killing'), count('staging'), count('unreachable')];
  const odd = rejected.filter(isUnknownState);
  const unknown = Math.min(odd.length, all);
  const unreachable = all - unknown;
  const strange = `in an unknown state ("${odd[0]?.value}")`;
  const address = `without an address for this VIP${lack === null ? '' : ` (${lack})`}`;
  const parts = [
    ...counted(running, `runs ${address}`, `run ${address}`),
    ...counted(starting, 'starts', 'start'),
    ...counted(unreachable, 'is unreachable', 'are unreachable'),
    ...counted(unknown, `is ${strange}`, `are ${strange}`),
  ];
  const unreadable = rejected.find(isLost);
  if (parts.length === 0 && unreadable !== undefined)
    return `no task can be read: ${unreadable.at} is "${unreadable.value}": ${unreadable.reason}`;
  return parts.length === 0
    ? 'no task runs'
    : `of ${tasks.length === 1 ? '1 task' : `${tasks.length} tasks`}, ${parts.join(', ')}`;
}

function counted(count: number, one: string, many: string): readonly string[] {
  return count > 0 ? [`${count} ${count === 1 ? one : many}`] : [];
}

/** Whether a rejection cost a whole task, or all of them. With any other, the task serves. */
function isLost({ at, reason }: Rejection): boolean {
  if (at === 'tasks' || at === 'instances') return /\blist\b/.test(reason);
  return /^(tasks|instances)\[/.test(at) && reason.endsWith('is left out');
}

/** Whether a rejection is about the state of a task, which therefore counts as unreachable. */
function isUnknownState({ at, reason }: Rejection): boolean {
  return /(^|\.)(state|status)$/.test(at) && reason.includes('counts as unreachable');
}
