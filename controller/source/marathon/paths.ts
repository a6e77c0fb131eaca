/** Paths of Marathon's API; ids are absolute (`/group/web`). */

export const APPS_PATH = '/v2/apps?embed=apps.tasks';
/** Without tasks: enough for a list shown to a user. */
export const LISTED_APPS_PATH = '/v2/apps?embed=apps.counts&embed=apps.deployments';
export const PODS_PATH = '/v2/pods/::status';
export const INFO_PATH = '/v2/info';

/** One app with its tasks. */
export function appPath(id: string): string {
  return `/v2/apps${encoded(id)}?embed=app.tasks`;
}

/** One version of an app's definition. */
export function appVersionPath(id: string, version: string): string {
  return `/v2/apps${encoded(id)}/versions/${encodeURIComponent(version)}`;
}

/** One pod with its instances. */
export function podPath(id: string): string {
  return `/v2/pods${encoded(id)}::status`;
}

/** One version of a pod's definition. */
export function podVersionPath(id: string, version: string): string {
  return `/v2/pods${encoded(id)}::versions/${encodeURIComponent(version)}`;
}

/** The path to create apps or pods (`id` null), or to change or remove one. */
export function writePath(kind: 'app' | 'pod', id: string | null, force: boolean, whole = false): string {
  // Without this, Marathon keeps the fields that an update does not mention.
  const query = [whole && 'partialUpdate=false', force && 'force=true'].filter((one) => one !== false);
  return `/v2/${kind}s${id === null ? '' : encoded(id)}${query.length === 0 ? '' : `?${query.join('&')}`}`;
}

export const DEPLOYMENTS_PATH = '/v2/deployments';

function encoded(id: string): string {
  return id.split('/').map(encodeURIComponent).join('/');
}

/**
 * Marathon's API paths below an app's own. For an id that ends with one of them, Marathon takes the part before it as
 * the id.
 */
const ENDPOINTS = new Set(['tasks', 'versions', 'restart']);

const NAME = /^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?$/;
const MAX_ID_LENGTH = 1_024;

/**
 * Whether this id has a path of its own, whatever else is wrong with it: `/` would read all apps, and `/*` several.
 */
export function isReadableId(id: string): boolean {
  const names = id.slice(1).split('/');
  const isOne = names.every((name) => !['', '.', '..'].includes(name) && !name.includes('*'));
  return (
    id.startsWith('/') &&
    id.length <= MAX_ID_LENGTH &&
    id.isWellFormed() &&
    isOne &&
    !ENDPOINTS.has(names.at(-1) ?? '')
  );
}

/**
 * Why this is not the absolute id of one app (`/group/web`); null when it is. Other text must not become a path:
 * `DELETE /v2/apps/web/tasks` kills the tasks of `/web`, and `*` matches many apps.
 */
export function appIdProblem(id: string): string | null {
  const names = id.slice(1).split('/');
  if (!id.startsWith('/') || id.length > MAX_ID_LENGTH || !names.every((name) => NAME.test(name))) {
    return 'expected a Marathon id: "/" and a name of a-z, 0-9, "-" and ".", once or several times';
  }
  // The id of a version or a task may follow it.
  const [before, last] = [names.length > 2 ? (names.at(-2) ?? '') : '', names.at(-1) ?? ''];
  const found = [last, before].find((name) => ENDPOINTS.has(name));
  if (found === undefined) return null;
  return `"${found}" here is a path of Marathon's API, not part of an id`;
}
