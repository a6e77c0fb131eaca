import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { DoctorDocument } from '../doctor/document.ts';
import { toJson } from '../plan/print-json.ts';
import { type Check, type HealthLimits, healthz, livez, readyz } from '../status/checks.ts';
import { checksText } from '../status/checks-text.ts';
import type { StatusDocument } from '../status/document.ts';
import { reportOf } from '../status/report.ts';
import { selectVips } from '../status/selection.ts';
import type { PassStatus, Status } from '../status/status.ts';
import { vipsView } from '../status/vips-view.ts';
import { bounded } from './bounded.ts';
import { createLiveStatus, type LiveStatusOptions } from './live-status.ts';
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

export interface RouteOptions extends LiveStatusOptions {
  readonly metrics: Pick<Metrics, 'contentType' | 'text'>;
  /** Examines this host; absent where that is not wanted. */
  readonly doctor?: Doctor | undefined;
}

export type Doctor = (status: StatusDocument) => Promise<DoctorDocument>;

/** It reads some hundred files. */
const DOCTOR_MS = 10_000;

/** Every endpoint by its path. */
export function createRoutes(options: RouteOptions): ReadonlyMap<string, Route> {
  const { status, metrics, limits, clock } = options;
  const health =
    (endpoint: string, checks: (status: Status, now: number, limits: HealthLimits) => readonly Check[]) =>
    ({ query }: Asked): Answer => {
      const wanted = { verbose: query.has('verbose'), exclude: query.getAll('exclude') };
      const { ok, text } = checksText(endpoint, checks(status(), clock.now(), limits), wanted);
      return { status: ok ? 200 : 503, headers: PLAIN, body: `${text}\n` };
    };

  const vips = rememberedByPass((pass) => JSON.stringify(vipsView(pass)));
  const diff = rememberedByPass((pass) => JSON.stringify(toJson(reportOf(pass))));

  const live = createLiveStatus(options);
  const { doctor } = options;
  const examined = doctor && bounded(async () => doctor((await live()).document), DOCTOR_MS, clock);

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
    [
      '/v1/status',
      async ({ query }) => {
        const name = query.get('vip');
        const { document, body } = await live();
        if (name === null) return { status: 200, headers: JSON_TYPE, body };
        return { status: 200, headers: JSON_TYPE, body: `${JSON.stringify(selectVips(document, name))}\n` };
      },
    ],
    [
      '/v1/doctor',
      async () =>
        examined === undefined
          ? notKnown('this host is not examined here')
          : { status: 200, headers: JSON_TYPE, body: `${JSON.stringify(await examined())}\n` },
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
