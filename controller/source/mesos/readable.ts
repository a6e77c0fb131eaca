import type { z } from 'zod';
import { issueRejection, valueAt } from '../../input/rejection.ts';
import type { Rejection } from '../../model/app.ts';
import { type Path, readLeniently } from '../json/lenient.ts';

/** A mistake within one object; `at` is its path there. */
export type Problem = Omit<Rejection, 'app'>;

/** The readable part of an object. */
export interface Readable<Data> {
  /** null if a required value is wrong. */
  readonly data: Data | null;
  /** The first few mistakes. */
  readonly problems: readonly Problem[];
  /** The fields of the object that contain a mistake. */
  readonly unread: ReadonlySet<string>;
}

const MAX_REPORTED = 10;

/**
 * Reads `json` without its wrong values. A wrong optional field is left out, and so is a wrong element of a list; if a
 * required field is wrong, the object that requires it is left out.
 */
export function readable<Schema extends z.ZodType>(
  schema: Schema,
  json: unknown,
): Readable<z.output<Schema>> {
  const problems: Problem[] = [];
  const unread = new Set<string>();
  const data = readLeniently(schema, json, (issues, cuts) => {
    // A field that is missing because it was cut out was reported already.
    const found = new Set(issues.filter(({ path }) => !cuts.affects(path)));
    for (const issue of found) {
      unread.add(String(issue.path[0] ?? ''));
      const { app: _, ...problem } = issueRejection('', json, issue);
      if (problems.length < MAX_REPORTED) problems.push(problem);
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

/** Whether the value there may be left out. A missing value was required by the object around it. */
function isOptional(json: unknown, path: Path): boolean {
  return valueAt(json, path) !== undefined && !DECISIVE.has(path.at(-1) ?? '');
}
