/** Which route serves a request, and the input that the request gives its handler. */

import { z } from 'zod';
import { decoded } from '../http/urls.ts';
import { checked } from '../input/schema-messages.ts';
import { didYouMean, nearest } from '../text/suggestion.ts';
import { quoted } from '../text/visible.ts';
import type { Right, Route } from './route.ts';

/** What the table of routes has for a request. */
export interface Match<Services> {
  /** Undefined if no route has this method and path. */
  readonly route: Route<Services> | undefined;
  /** What a client needs to get any answer. To learn that a path does not exist it needs the right to read. */
  readonly needs: Right;
  /** Whether the request does not count towards the limit on writes. */
  readonly frequent: boolean;
  /** The methods of the path; those for reading if it does not exist. */
  readonly methods: readonly string[];
}

const READ: readonly string[] = ['GET', 'HEAD'];

export function matchRoute<Services>(
  routes: readonly Route<Services>[],
  method: string,
  path: string,
): Match<Services> {
  const matching = routes.filter((route) => parameterOf(route, path) !== null);
  const route = matching.find((one) => methodsOf(one).includes(method));
  const { needs = 'read', frequent = false } = route ?? matching[0] ?? {};
  const methods = matching.length === 0 ? READ : matching.flatMap(methodsOf);
  return { route, needs, frequent, methods };
}

/** Every readable route also takes HEAD, except those that need the right to write: only programs use them. */
function methodsOf({ method, needs }: Pick<Route<never>, 'method' | 'needs'>): readonly string[] {
  return method === 'GET' && needs !== 'write' ? READ : [method];
}

/** The paths that a 404 lists: all but files. */
export function listedPaths(routes: readonly Route<never>[]): readonly string[] {
  const listed = routes.filter((route) => route.id !== undefined || parameterName(route) === null);
  return [...new Set(listed.map(({ path }) => path))];
}

/** The name of the path parameter; null if the path has none. */
export function parameterName({ path }: Pick<Route<never>, 'path'>): string | null {
  return /\{(\w+)\}$/.exec(path)?.[1] ?? null;
}

/** The path parameter's value, empty for a route without one; null if `path` does not match. */
function parameterOf(route: Pick<Route<never>, 'path'>, path: string): string | null {
  const name = parameterName(route);
  if (name === null) return path === route.path ? '' : null;
  const before = route.path.slice(0, -`{${name}}`.length);
  return path.startsWith(before) ? path.slice(before.length) : null;
}

const NO_INPUT = z.object({});

/**
 * What is wrong with the names in the query: one is repeated, so that either value would be a guess, or an endpoint of the API
 * does not know it, so that a misspelt filter would return everything. Other paths ignore unknown names, as probes and
 * browsers add some. Null if nothing is wrong.
 */
export function queryProblem(
  { input = NO_INPUT, ...route }: Pick<Route<never>, 'input' | 'path' | 'id'>,
  query: URLSearchParams,
): string | null {
  const known = Object.keys(input.shape).filter((name) => name !== parameterName(route));
  for (const name of new Set(query.keys())) {
    if (!known.includes(name)) {
      if (route.id === undefined) continue;
      const list = known.length === 0 ? 'this endpoint takes none' : `expected ${known.join(', ')}`;
      return `unknown query parameter ${quoted(name)}${didYouMean(nearest(name, known), list)}`;
    }
    const count = query.getAll(name).length;
    if (count > 1 && !(input.shape[name] instanceof z.ZodArray))
      return `the query parameter ${quoted(name)} is given ${count} times, expected once`;
  }
  return null;
}

/** The parameters of the path and of the query, checked by the route's schema. */
export function inputOf(
  { input = NO_INPUT, ...route }: Pick<Route<never>, 'input' | 'path'>,
  path: string,
  query: URLSearchParams,
) {
  const given = (name: string, schema: unknown) => {
    // Clients generated from the OpenAPI description escape slashes in a path parameter as `%2F`.
    if (name === parameterName(route)) return decoded(parameterOf(route, path) ?? '');
    return schema instanceof z.ZodArray ? query.getAll(name) : (query.get(name) ?? undefined);
  };
  const texts = Object.entries(input.shape).map(([name, schema]) => [name, given(name, schema)]);
  return checked(input, Object.fromEntries(texts));
}
