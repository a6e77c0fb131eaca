/** An app's definition within what Marathon tells of the app. */

type Json = Readonly<Record<string, unknown>>;

/** What Marathon adds when it is asked for an app. Sent back, `version` would mean to go back to that one. */
const ADDED: ReadonlySet<string> = new Set([
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

/** Older names for what the definition also says under another one. */
const SAID_TWICE: Readonly<Record<string, string>> = { ports: 'portDefinitions', uris: 'fetch' };

/** The app as it could be written again: without what Marathon adds, and without fields that are null. */
export function definitionOf(app: Json): Json {
  return Object.fromEntries(
    Object.entries(app).filter(([key, value]) => {
      const other = SAID_TWICE[key];
      return value !== null && !ADDED.has(key) && (other === undefined || !(other in app));
    }),
  );
}

export function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
