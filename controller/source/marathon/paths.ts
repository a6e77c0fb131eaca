/** Paths of Marathon's API; ids are absolute (`/group/web`). */

export const APPS_PATH = '/v2/apps?embed=apps.tasks';
/** Without tasks: what a list for eyes needs. */
export const LISTED_APPS_PATH = '/v2/apps?embed=apps.counts&embed=apps.deployments';
export const PODS_PATH = '/v2/pods/::status';
export const INFO_PATH = '/v2/info';

/** One app with its tasks. */
export function appPath(id: string): string {
  return `/v2/apps${encoded(id)}?embed=app.tasks`;
}

/** The definition of an app in one version. */
export function appVersionPath(id: string, version: string): string {
  return `/v2/apps${encoded(id)}/versions/${encodeURIComponent(version)}`;
}

/** One pod with its instances. */
export function podPath(id: string): string {
  return `/v2/pods${encoded(id)}::status`;
}

/** The definition of a pod in one version. */
export function podVersionPath(id: string, version: string): string {
  return `/v2/pods${encoded(id)}::versions/${encodeURIComponent(version)}`;
}

/** Where apps or pods are made, and where one that there is can be changed and removed. */
export function writePath(kind: 'app' | 'pod', id: string | null, force: boolean, whole = false): string {
  // Without this Marathon keeps the fields of an app that an update does not mention.
  const query = [whole && 'partialUpdate=false', force && 'force=true'].filter((one) => one !== false);
  return `/v2/${kind}s${id === null ? '' : encoded(id)}${query.length === 0 ? '' : `?${query.join('&')}`}`;
}

export const DEPLOYMENTS_PATH = '/v2/deployments';

function encoded(id: string): string {
  return id.split('/').map(encodeURIComponent).join('/');
}

/** Paths of Marathon's API below an app's own: of an id that ends so, Marathon takes the rest for the id. */
const ENDPOINTS = new Set(['tasks', 'versions', 'restart']);

const NAME = /^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?$/;
const LONGEST = 1_024;

/**
 * Why this is not the absolute id of one app, as Marathon has them (`/group/web`); null where it is. What is no id must
 * not become a path: `DELETE /v2/apps/web/tasks` kills the tasks of `/web`, and `*` stands for many apps.
 */
export function appIdProblem(id: string): string | null {
  const names = id.slice(1).split('/');
  if (!id.startsWith('/') || id.length > LONGEST || !names.every((name) => NAME.test(name))) {
    return 'expected an id as Marathon has them: names of a-z, 0-9, "-" and ".", with "/" between them';
  }
  // The id of a version or a task may come after it.
  const [before, last] = [names.length > 2 ? (names.at(-2) ?? '') : '', names.at(-1) ?? ''];
  const found = [last, before].find((name) => ENDPOINTS.has(name));
  if (found === undefined) return null;
  return `"${found}" there is a part of Marathon's API and not of an id`;
}
