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
