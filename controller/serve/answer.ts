/** What endpoints are asked and what they answer. */

import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import { visibleJson } from '../visible.ts';

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** A function writes it by itself, for as long as either side likes; the head has been sent by then. */
  readonly body: string | Buffer | ((response: ServerResponse) => void);
  /** Is sent after so many milliseconds, to slow the client down. */
  readonly afterMs?: number;
}

/** `none`: to be served what tells nothing. Each has those before it. */
export type Right = 'none' | 'read' | 'write';

export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  /** What whoever asks may do. */
  readonly right: Right;
  /** The whole body; null where it is longer than `most` bytes. */
  body(most: number): Promise<Buffer | null>;
}

export type Route = (asked: Asked) => Answer | Promise<Answer>;

/** Every path that begins so. */
export interface Area {
  readonly under: string;
  readonly methods: readonly string[];
  readonly needs: Right;
  /** It bounds itself, and what asks for it does not count among the writes of a minute. */
  readonly frequent?: true;
  /** Its paths in the OpenAPI description, which has all of `/v1`; empty for an area outside. */
  readonly described: readonly string[];
  readonly route: Route;
}

export const JSON_TYPE = { 'content-type': 'application/json; charset=utf-8' };

/** A problem told as JSON. */
export function problem(
  status: number,
  error: string,
  more: Readonly<Record<string, unknown>> = {},
  headers: Readonly<Record<string, string>> = {},
): Answer {
  return { status, headers: { ...JSON_TYPE, ...headers }, body: `${visibleJson({ error, ...more })}\n` };
}
