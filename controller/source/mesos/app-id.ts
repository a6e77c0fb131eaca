import type { App } from '../../model.ts';
import type { TaskFacts } from './facts.ts';

/** The app that a task belongs to. */
export type AppIdentity = Pick<App, 'id' | 'kind' | 'labelsPerTask'>;

const UUID = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}';

/**
 * Marathon's task ids: `group_web.<uuid>`, `group_web.instance-<uuid>._app.2`, `group_pod.instance-<uuid>.container`
 * (mesosphere.marathon.core.task.Task.Id). Names in a path have no underscore.
 */
const MARATHON_TASK = new RegExp(`^(.+?)\\.(?:instance-|marathon-)?${UUID}(?:[._].*)?$`);

/** `broker-0`, `world-0-server`: SDK services number their pods. */
const NUMBERED = /^(.+?)-\d+(?:-(.+))?$/;

/**
 * The app that a task is an instance of, since Mesos knows only tasks. One of Marathon's carries the id of its app, so
 * that both sources speak of the same one; else tasks of a framework whose names differ in their number only belong
 * together.
 */
export function appOfTask({
  id,
  name,
  container,
}: Pick<TaskFacts, 'id' | 'name' | 'container'>): AppIdentity {
  const path = MARATHON_TASK.exec(id)?.[1];
  if (path !== undefined) {
    return { id: `/${path.replaceAll('_', '/')}`, kind: container === undefined ? 'app' : 'pod' };
  }
  const [, first, rest] = NUMBERED.exec(name) ?? [];
  const service = first === undefined ? name || id : rest === undefined ? first : `${first}-${rest}`;
  return { id: `/${service}`, kind: 'app', ...(first !== undefined && { labelsPerTask: true }) };
}
