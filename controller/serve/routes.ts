import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { toJson } from '../plan/print-json.ts';
import type { Clock } from '../ports.ts';
import { type Check, type HealthLimits, healthz, livez, readyz } from '../status/checks.ts';
import { checksText } from '../status/checks-text.ts';
import { reportOf } from '../status/report.ts';
import type { PassStatus, Status } from '../status/status.ts';
import { vipsView } from '../status/vips-view.ts';
import type { Metrics } from './metrics.ts';

/** What an endpoint answers. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer;
}

interface Asked {
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
}

export type Route = (asked: Asked) => Answer | Promise<Answer>;

export interface RouteOptions {
  readonly status: () => Status;
  readonly metrics: Pick<Metrics, 'contentType' | 'text'>;
  readonly limits: HealthLimits;
  readonly clock: Pick<Clock, 'now'>;
}

/** Every endpoint by its path. */
export function createRoutes({ status, metrics, limits, clock }: RouteOptions): ReadonlyMap<string, Route> {
  const health =
    (endpoint: string, checks: (status: Status, now: number, limits: HealthLimits) => readonly Check[]) =>
    ({ query }: Asked): Answer => {
      const wanted = { verbose: query.has('verbose'), exclude: query.getAll('exclude') };
      const { ok, text } = checksText(endpoint, checks(status(), clock.now(), limits), wanted);
      return { status: ok ? 200 : 503, headers: PLAIN, body: `${text}\n` };
    };

  const vips = rememberedByPass((pass) => JSON.stringify(vipsView(pass)));
  const diff = rememberedByPass((pass) => JSON.stringify(toJson(reportOf(pass))));

  return new Map<string, Route>([
    ['/livez', health('livez', livez)],
    ['/readyz', health('readyz', readyz)],
    ['/healthz', health('healthz', healthz)],
    [
      '/metrics',
      async () => ({
        status: 200,
        headers: { 'content-type': metrics.contentType },
        body: await metrics.text(),
      }),
    ],
    ['/v1/vips', ({ headers }) => ofLastPass(status(), (pass) => tagged(vips(pass), headers))],
    [
      '/v1/diff',
      () =>
        ofLastPass(status(), (pass) =>
          // What a pass planned that could not read the kernel is no diff with it.
          pass.error === null
            ? { status: 200, headers: JSON_TYPE, body: diff(pass).body }
            : notKnown(pass.error),
        ),
    ],
  ]);
}

/** A problem told as JSON. */
export function problem(
  status: number,
  error: string,
  more: Readonly<Record<string, unknown>> = {},
  headers: Readonly<Record<string, string>> = {},
): Answer {
  return { status, headers: { ...JSON_TYPE, ...headers }, body: `${JSON.stringify({ error, ...more })}\n` };
}

const PLAIN = { 'content-type': 'text/plain; charset=utf-8' };
const JSON_TYPE = { 'content-type': 'application/json; charset=utf-8' };

function ofLastPass({ lastPass }: Status, answer: (pass: PassStatus) => Answer): Answer {
  return lastPass === null ? notKnown('no pass yet: a source has not been read') : answer(lastPass);
}

function notKnown(why: string): Answer {
  return problem(503, why, {}, { 'retry-after': '5' });
}

interface Document {
  readonly body: Buffer;
  readonly tag: string;
}

/** Large documents are made once a pass, not for everyone who asks. */
function rememberedByPass(write: (pass: PassStatus) => string): (pass: PassStatus) => Document {
  let made: { readonly pass: WeakRef<PassStatus>; readonly document: Document } | undefined;
  return (pass) => {
    if (made?.pass.deref() === pass) return made.document;
    const body = Buffer.from(`${write(pass)}\n`);
    const tag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`;
    made = { pass: new WeakRef(pass), document: { body, tag } };
    return made.document;
  };
}

function tagged({ body, tag }: Document, headers: IncomingHttpHeaders): Answer {
  // May be kept, but is to be asked about every time.
  const caching = { etag: tag, 'cache-control': 'no-cache' };
  const known = headers['if-none-match'] ?? '';
  const same = known.trim() === '*' || known.split(',').some((one) => one.trim().replace(/^W\//, '') === tag);
  if (same) return { status: 304, headers: caching, body: '' };
  return { status: 200, headers: { ...JSON_TYPE, ...caching }, body };
}
