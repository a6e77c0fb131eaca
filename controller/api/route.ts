/** How a route is described, and what it is asked and answers. */

import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import type { z } from 'zod';
import type { Metrics } from '../metrics/metrics.ts';
import { visibleJson } from '../visible.ts';

/** `none`: for everyone, since it tells nothing. Each has those before it. */
export type Right = 'none' | 'read' | 'write';

/** One entry of a list of routes: the server serves it, and the OpenAPI description has what it says of itself. */
export interface Route<Services, Shape extends z.ZodRawShape = z.ZodRawShape> {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** `/v1/apps`, or `/v1/apps/{id}`: a name at the end stands for all that follows. */
  readonly path: string;
  readonly needs: Right;
  /** It bounds itself, and does not count among the writes of a minute. */
  readonly frequent?: true;
  /** Its name in the OpenAPI description, which has all of `/v1`; without one it is not in there. */
  readonly id?: string;
  readonly summary?: string;
  /** Those that it gives itself; the server adds its own. Several with one status are told as one. */
  readonly answers?: readonly DescribedAnswer[];
  /** The name in the path and the parameters of the query, as texts; a list has all values of its name. */
  readonly input?: z.ZodObject<Shape>;
  /** What is sent along; without it a body is not read. */
  readonly body?: Body;
  answer(services: Services, asked: Asked<z.output<z.ZodObject<Shape>>>): Answer | Promise<Answer>;
}

/** Schemas by their name in the OpenAPI description. */
export type Schemas = Readonly<Record<string, z.ZodType>>;

export interface DescribedAnswer {
  readonly status: number;
  readonly description: string;
  /** Defaults to JSON. */
  readonly type?: string;
  /** The body is one of them; none: it has no body, or one without a schema. */
  readonly schemas: Schemas;
}

/** A JSON document, whose text the route gets. */
export interface Body {
  /** In words: `an app`. */
  readonly what: string;
  readonly mostBytes: number;
  readonly description: string;
  readonly schemas: Schemas;
}

export interface Asked<Input = unknown> {
  readonly input: Input;
  readonly headers: IncomingHttpHeaders;
  /** What whoever asks may do. */
  readonly right: Right;
  /** The text of the body; empty for a route that takes none. */
  readonly body: string;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** A function writes it by itself, for as long as either side likes; the head has been sent by then. */
  readonly body: string | Buffer | ((response: ServerResponse) => void);
  /** Is sent after so many milliseconds, to slow the client down. */
  readonly afterMs?: number;
}

/** Makes the function that makes an entry: its answer gets the input that its schema describes. */
export function routeOf<Services>() {
  return <Shape extends z.ZodRawShape>(
    method: Route<Services>['method'],
    path: string,
    needs: Right,
    rest: Omit<Route<Services, Shape>, 'method' | 'path' | 'needs'>,
  ): Route<Services> => ({ method, path, needs, ...rest });
}

const JSON_TYPE = { 'content-type': 'application/json; charset=utf-8' };

/** A document as JSON; bytes are one already. */
export function json(body: unknown, status = 200, headers: Answer['headers'] = {}): Answer {
  const text = Buffer.isBuffer(body) ? body : `${visibleJson(body)}\n`;
  return { status, headers: { ...JSON_TYPE, ...headers }, body: text };
}

/** Plain text, a line. */
export function line(status: number, text: string): Answer {
  return { status, headers: { 'content-type': 'text/plain; charset=utf-8' }, body: `${text}\n` };
}

/** A problem told as JSON. */
export function problem(
  status: number,
  error: string,
  more: Readonly<Record<string, unknown>> = {},
  headers: Answer['headers'] = {},
): Answer {
  return json({ error, ...more }, status, headers);
}

/** There is no answer for now. */
export function notNow(why: string): Answer {
  return problem(503, why, {}, { 'retry-after': '5' });
}

/** What Prometheus reads. */
export const METRICS = {
  answer: async ({ metrics: { contentType, text } }: { metrics: Pick<Metrics, 'contentType' | 'text'> }) => ({
    status: 200,
    headers: { 'content-type': contentType },
    body: await text(),
  }),
};
