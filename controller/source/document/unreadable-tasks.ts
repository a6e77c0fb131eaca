import { BOUNDS } from '../../bounds.ts';
import type { UnreadableTask } from '../../marathon-json.ts';
import type { App, Rejection, Task } from '../../model.ts';

/**
 * Adds to an app the tasks in which something is wrong, as they were read last (in `previous`), and what is wrong with each.
 * One without an id may be any that is not listed.
 */
export function withUnreadable(
  app: App,
  unreadable: readonly UnreadableTask[] | undefined,
  previous: App | undefined,
): App {
  if (unreadable === undefined) return app;
  const listed = new Set(app.tasks.map(({ id }) => id));
  const ids = new Set(unreadable.map(({ id }) => id));
  const kept = new Set<string>();
  const tasks = [...app.tasks];
  for (const task of previous?.tasks ?? []) {
    const id = app.kind === 'app' ? task.id : instanceOf(task, ids);
    if (listed.has(task.id) || !(ids.has(id) || ids.has(null))) continue;
    tasks.push(task);
    kept.add(id);
  }
  const noun = app.kind === 'app' ? 'task' : 'instance';
  const told = unreadable
    .slice(0, BOUNDS.rejections)
    .map(({ id, rejection }) => ({ ...rejection, reason: `${rejection.reason}: ${fate(noun, id, kept)}` }));
  return { ...app, tasks, rejected: [...app.rejected, ...told, ...andMore(app, noun, unreadable.length)] };
}

/** Ids of a pod's tasks begin with that of the instance, which may have dots itself. */
function instanceOf({ id }: Task, instances: ReadonlySet<string | null>): string {
  for (let end = id.lastIndexOf('.'); end > 0; end = id.lastIndexOf('.', end - 1)) {
    const instance = id.slice(0, end);
    if (instances.has(instance)) return instance;
  }
  return id;
}

function fate(noun: string, id: string | null, kept: ReadonlySet<string>): string {
  if (id === null)
    return kept.size === 0
      ? `this ${noun} is left out`
      : `whichever ${noun} this is serves what it last served`;
  return `${noun} ${id} ${kept.has(id) ? 'serves what it last served' : 'is left out'}`;
}

function andMore({ id, kind }: App, noun: string, count: number): readonly Rejection[] {
  const more = count - BOUNDS.rejections;
  if (more <= 0) return [];
  const at = kind === 'app' ? 'tasks' : 'instances';
  return [{ app: id, at, value: '', reason: `and ${more} more ${noun}s like these` }];
}
