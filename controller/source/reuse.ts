import type { App, Task } from '../model.ts';
import { same } from '../same.ts';

/**
 * `next` with whatever is in it as it was in `before`: the app itself where nothing changed, else its tasks and ports.
 * Later stages know by identity what they have done already; and what a read replaces without need is garbage that has
 * grown old, which costs the most of all to collect.
 */
export function reuse(before: App | undefined | null, next: App): App {
  if (before === undefined || before === null) return next;
  if (same(before, next)) return before;
  const known = new Map(before.tasks.map((task) => [task.id, task]));
  const tasks = next.tasks.map((task) => reuseTask(known.get(task.id), task));
  return { ...next, ports: same(before.ports, next.ports) ? before.ports : next.ports, tasks };
}

function reuseTask(before: Task | undefined, next: Task): Task {
  if (before === undefined) return next;
  if (same(before, next)) return before;
  return same(before.ports, next.ports) ? { ...next, ports: before.ports } : next;
}
