import type { z } from 'zod';
import type { Rejection } from '../../model.ts';
import { issueRejection, valueAt } from '../../rejection.ts';
import { type Path, readLeniently } from '../json/lenient.ts';

/** What is wrong within one object; `at` is the path in it. */
export type Problem = Omit<Rejection, 'app'>;

/** What of an object could be read. */
export interface Readable<Data> {
  /** null where something is wrong that the object cannot be without. */
  readonly data: Data | null;
  /** What is wrong, the first few. */
  readonly problems: readonly Problem[];
  /** The fields of the object in which something is wrong. */
  readonly unread: ReadonlySet<string>;
}

const MOST_REPORTED = 10;

/**
 * Reads `json` without what is wrong in it. A field that may be absent is left out, and so is an element of a list; what
 * cannot be without such a field is left out with it.
 */
export function readable<Schema extends z.ZodType>(
  schema: Schema,
  json: unknown,
): Readable<z.output<Schema>> {
  const problems: Problem[] = [];
  const unread = new Set<string>();
  const data = readLeniently(schema, json, (issues, cuts) => {
    // What something lacks that was cut out of it was told already.
    const found = new Set(issues.filter(({ path }) => !cuts.affects(path)));
    for (const issue of found) {
      unread.add(String(issue.path[0] ?? ''));
      const { app: _, ...problem } = issueRejection('', json, issue);
      if (problems.length < MOST_REPORTED) problems.push(problem);
    }
    for (const issue of issues) {
      const { path } = issue;
      cuts.add(found.has(issue) && isOptional(json, path) ? path : path.slice(0, -1));
    }
  });
  return { data, problems, unread };
}

/** A port of another protocol, or a mapping to another port, is no port at all. */
const DECISIVE: ReadonlySet<PropertyKey> = new Set(['protocol', 'host_port', 'container_port']);

/** Whether something stands there that may be left out: what is missing is missed by the object around it. */
function isOptional(json: unknown, path: Path): boolean {
  return valueAt(json, path) !== undefined && !DECISIVE.has(path.at(-1) ?? '');
}
