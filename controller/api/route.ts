/** Routes and endpoints: how they are declared, what their handlers get, and what they answer. */

import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import type { z } from 'zod';
import type { Metrics } from '../metrics/metrics.ts';
import { visibleJson } from '../visible.ts';

/** What a client may do; each right includes those before it. `none`: open to everyone, since it reveals nothing. */
export type Right = 'none' | 'read' | 'write';

/** An endpoint and where it is served. The OpenAPI description is generated from both. */
export interface Route<Services> extends Endpoint<Services> {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** `/v1/apps`, or `/v1/apps/{id}`: a parameter at the end matches the rest of the path, slashes included. */
  readonly path: string;
  readonly needs: Right;
}

/** What a request to a route may contain, what it does, and what it is answered with. */
export interface Endpoint<Services, Shape extends z.ZodRawShape = z.ZodRawShape> {
  /** Whether it limits its own cost and so does not count towards the limit on writes. */
  readonly frequent?: true;
  /** Operation id in the OpenAPI description, which covers `/v1`; an endpoint without one is left out. */
  readonly id?: string;
  readonly summary?: string;
  /** The handler's own answers; the server adds its own. Answers with the same status are merged. */
  readonly answers?: readonly DescribedAnswer[];
  /** The path parameter and the query parameters, as strings; an array gets every value of its name. */
  readonly input?: z.ZodObject<Shape>;
  /** The request body; without it none is read. */
  readonly body?: Body;
  answer(services: Services, request: RouteRequest<z.output<z.ZodObject<Shape>>>): Answer | Promise<Answer>;
}

/** Schemas by their name in the OpenAPI description. */
export type Schemas = Readonly<Record<string, z.ZodType>>;

export interface DescribedAnswer {
  readonly status: number;
  readonly description: string;
  /** Defaults to JSON. */
  readonly type?: string;
  /** The body matches one of them; empty if there is no body, or one without a schema. */
  readonly schemas: Schemas;
}

/** A JSON request body, which the handler gets as text. */
export interface Body {
  /** For messages: `an app`. */
  readonly what: string;
  readonly maxBytes: number;
  readonly description: string;
  readonly schemas: Schemas;
}

/** What a handler gets of a request. */
export interface RouteRequest<Input = unknown> {
  readonly input: Input;
  readonly headers: IncomingHttpHeaders;
  /** What the client may do. */
  readonly right: Right;
  /** Empty for an endpoint without a body. */
  readonly body: string;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** A function streams the body until either side ends it; it is called after the headers were sent. */
  readonly body: string | Buffer | ((response: ServerResponse) => void);
  /** Milliseconds to wait before sending, to slow down a client that guesses tokens. */
  readonly delayMs?: number;
}

/** Returns a function that declares endpoints; it infers the type of a handler's input from the endpoint's schema. */
export function endpointOf<Services>() {
  return <Shape extends z.ZodRawShape>(endpoint: Endpoint<Services, Shape>): Endpoint<Services> => endpoint;
}

/** Returns a function that creates routes, of endpoints that are declared already or in its last argument. */
export function routeOf<Services>() {
  return <Shape extends z.ZodRawShape>(
    method: Route<Services>['method'],
    path: string,
    needs: Right,
    endpoint: Endpoint<Services, Shape>,
  ): Route<Services> => ({ method, path, needs, ...endpoint });
}

const JSON_TYPE = { 'content-type': 'application/json; charset=utf-8' };

/** An answer with a JSON document; a `Buffer` is sent as it is. */
export function json(body: unknown, status = 200, headers: Answer['headers'] = {}): Answer {
  const text = Buffer.isBuffer(body) ? body : `${visibleJson(body)}\n`;
  return { status, headers: { ...JSON_TYPE, ...headers }, body: text };
}

/** An answer with one line of plain text. */
export function line(status: number, text: string): Answer {
  return { status, headers: { 'content-type': 'text/plain; charset=utf-8' }, body: `${text}\n` };
}

/** An error answer: a JSON object with `error` and the fields of `more`. */
export function problem(
  status: number,
  error: string,
  more: Readonly<Record<string, unknown>> = {},
  headers: Answer['headers'] = {},
): Answer {
  return json({ error, ...more }, status, headers);
}

/** 503 with `Retry-After`. */
export function unavailable(why: string): Answer {
  return problem(503, why, {}, { 'retry-after': '5' });
}

/** `/metrics`, of the controller and of the relay. */
export const METRICS = {
  answer: async ({ metrics: { contentType, text } }: { metrics: Pick<Metrics, 'contentType' | 'text'> }) => ({
    status: 200,
    headers: { 'content-type': contentType },
    body: await text(),
  }),
};
