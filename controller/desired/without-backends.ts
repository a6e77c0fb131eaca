import type { App, Task } from '../model.ts';

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
  const [running, starting, unreachable] = [
    count('running', 'killing'),
    count('staging'),
    count('unreachable'),
  ];
  const parts = [
    ...(running > 0
      ? [
          `${running} ${running === 1 ? 'runs' : 'run'} without an address for this VIP${lack === null ? '' : ` (${lack})`}`,
        ]
      : []),
    ...(starting > 0 ? [`${starting} ${starting === 1 ? 'starts' : 'start'}`] : []),
    ...(unreachable > 0 ? [`${unreachable} ${unreachable === 1 ? 'is' : 'are'} unreachable`] : []),
  ];
  const [unreadable] = rejected.filter(({ at }) => /^(tasks|instances)\[/.test(at));
  if (parts.length === 0 && unreadable !== undefined)
    return `no task can be read: ${unreadable.at} is "${unreadable.value}": ${unreadable.reason}`;
  return parts.length === 0
    ? 'no task runs'
    : `of ${tasks.length === 1 ? '1 task' : `${tasks.length} tasks`}, ${parts.join(', ')}`;
}
