/** The definition of an app, extracted from what Marathon returns for it. */

type Json = Readonly<Record<string, unknown>>;

/** Fields that Marathon adds. If `version` were sent back, Marathon would roll the app back to that version. */
const READ_ONLY: ReadonlySet<string> = new Set([
  'version',
  'versionInfo',
  'deployments',
  'tasks',
  'tasksStaged',
  'tasksRunning',
  'tasksHealthy',
  'tasksUnhealthy',
  'taskStats',
  'lastTaskFailure',
  'readinessCheckResults',
]);

/** Older names of fields that the definition may also have under their newer name. */
const ALIASES: Readonly<Record<string, string>> = { ports: 'portDefinitions', uris: 'fetch' };

/** The app in a form that can be sent back: without the fields that Marathon adds and those that are null. */
export function definitionOf(app: Json): Json {
  return Object.fromEntries(
    Object.entries(app).filter(([key, value]) => {
      const other = ALIASES[key];
      return value !== null && !READ_ONLY.has(key) && (other === undefined || !(other in app));
    }),
  );
}

export function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
