import type { MarathonApp, Unread } from '../../input/marathon-json.ts';
import type { Documents } from '../document/documents.ts';

/**
 * Marks apps that have running tasks by Marathon's own count but no `tasks`, although the request asked for them: which
 * tasks there are cannot be read, so the last known ones stay. Without this the app would look as if it had none.
 */
export function markUnlistedTasks(documents: Documents): Documents {
  return documents.apps.some(isUnlisted)
    ? { ...documents, apps: documents.apps.map((app) => (isUnlisted(app) ? withoutList(app) : app)) }
    : documents;
}

function isUnlisted({ tasks = null, tasksRunning, unread }: MarathonApp): boolean {
  return tasks === null && (tasksRunning ?? 0) > 0 && unread?.taskList !== true;
}

function withoutList(app: MarathonApp): MarathonApp {
  const reason = `expected the list of tasks, since tasksRunning is ${app.tasksRunning}: known tasks keep their last known ports`;
  const rejection = { app: app.id, at: 'tasks', value: 'nothing', reason };
  const unread = app.unread ?? NOTHING_UNREAD;
  return { ...app, unread: { ...unread, taskList: true, rejected: [...unread.rejected, rejection] } };
}

const NOTHING_UNREAD: Unread = {
  definition: null,
  tasks: [],
  taskList: false,
  ports: new Map(),
  places: new Map(),
  health: new Set(),
  rejected: [],
};
