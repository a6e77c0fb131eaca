import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { DoctorDocument } from '../doctor/document.ts';
import type { PassStatus } from '../pass-status.ts';
import { toJson } from '../plan/print-json.ts';
import type { Clock, Log } from '../ports.ts';
import { type Check, type HealthLimits, healthz, livez, readyz } from '../status/checks.ts';
import { checksText } from '../status/checks-text.ts';
import type { StatusDocument } from '../status/document.ts';
import type { History } from '../status/history.ts';
import { reportOf } from '../status/report.ts';
import { selectVips } from '../status/selection.ts';
import type { Status } from '../status/status.ts';
import { vipsView } from '../status/vips-view.ts';
import { visibleJson } from '../visible.ts';
import { type Answer, type Area, type Asked, JSON_TYPE, problem, type Route } from './answer.ts';
import { createAppsArea, type Writing } from './apps.ts';
import { bounded } from './bounded.ts';
import { createDeploymentsArea } from './deployments.ts';
import { createEvents } from './events.ts';
import { createLiveStatus, type LiveStatusOptions } from './live-status.ts';
import type { Metrics } from './metrics.ts';
import type { PageFacts } from './page/facts.ts';
import { createPage } from './page/page.ts';
import { createWhy, type Explain } from './why.ts';

/** What is served: paths that are read, and areas. */
export interface Routes {
  readonly paths: ReadonlyMap<string, Route>;
  readonly areas: readonly Area[];
  /** Paths that need no right. */
  readonly open: ReadonlySet<string>;
  /** Ends what was begun for people who may have lost the right to it. */
  revoke(): void;
  /** Ends what goes on beyond an answer. */
  close(): void;
}

export interface RouteOptions extends LiveStatusOptions {
  readonly metrics: Pick<Metrics, 'contentType' | 'text'>;
  /** Examines this host; absent where that is not wanted. */
  readonly doctor?: Doctor | undefined;
  /** Walks the way of a connection; absent where that is not wanted. */
  readonly explain?: Explain | undefined;
  readonly history: Pick<History, 'ofVip' | 'latest'>;
  /** What the page is told of this controller. */
  readonly page: PageFacts;
  /** Writes to the source; null where that is off. */
  readonly writing: Writing | null;
  readonly log: Log;
  readonly clock: Clock;
}

export type Doctor = (status: StatusDocument) => Promise<DoctorDocument>;

/** It reads some hundred files. */
const DOCTOR_MS = 10_000;

/** How much of the history one answer has. */
const MOST_CHANGES = 200;

/** Every endpoint. */
export function createRoutes(options: RouteOptions): Routes {
  const { status, metrics, limits, clock, history } = options;
  const health =
    (endpoint: string, checks: (status: Status, now: number, limits: HealthLimits) => readonly Check[]) =>
    ({ query, right }: Asked): Answer => {
      const wanted = { verbose: query.has('verbose'), exclude: query.getAll('exclude') };
      const { ok, text } = checksText(endpoint, checks(status(), clock.monotonic(), limits), wanted);
      // Reasons name apps, sources and addresses; a probe needs the verdict alone.
      const told = right !== 'none' ? text : ok ? 'ok' : `${endpoint} check failed; reasons need a token`;
      return { status: ok ? 200 : 503, headers: PLAIN, body: `${told}\n` };
    };

  const vips = rememberedByPass((pass) => visibleJson(vipsView(pass)));
  const diff = rememberedByPass((pass) => visibleJson(toJson(reportOf(pass))));

  const live = createLiveStatus(options);
  const { doctor } = options;
  const examined = doctor && bounded(async () => doctor((await live()).document), DOCTOR_MS, clock);

  const events = createEvents({ live, clock, log: options.log });
  const page = createPage(options.page);

  const paths = new Map<string, Route>([
    ['/', page.shell],
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
        return { status: 200, headers: JSON_TYPE, body: `${visibleJson(selectVips(document, name))}\n` };
      },
    ],
    [
      '/v1/doctor',
      async () =>
        examined === undefined
          ? notKnown('this host is not examined here')
          : { status: 200, headers: JSON_TYPE, body: `${visibleJson(await examined())}\n` },
    ],
    [
      '/v1/why',
      options.explain === undefined
        ? () => notKnown('no way is walked here')
        : createWhy(options.explain, async () => (await live()).document),
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
    [
      '/v1/history',
      ({ query }) => {
        const id = query.get('vip');
        const changes = id === null ? history.latest(MOST_CHANGES) : history.ofVip(id);
        const { epochOffset } = status();
        const instant = (at: number) => new Date(Math.round(at + epochOffset)).toISOString();
        const told = changes.map(({ at, ...change }) => ({ at: instant(at), ...change }));
        return { status: 200, headers: JSON_TYPE, body: `${visibleJson({ changes: told })}\n` };
      },
    ],
    [
      '/v1/events',
      () =>
        events.hasRoom
          ? { status: 200, headers: EVENTS_TYPE, body: events.add }
          : notKnown('too many watch already; close a page that shows this host'),
    ],
  ]);
  const { writing } = options;
  const areas = [page.assets, createAppsArea(writing), createDeploymentsArea({ writing, live, clock })];
  return { paths, areas, open: OPEN, revoke: events.end, close: events.close };
}

/** The frame of the page, which asks for a token, and what probes ask without one. */
const OPEN = new Set(['/', '/livez', '/readyz', '/healthz']);

const PLAIN = { 'content-type': 'text/plain; charset=utf-8' };
const EVENTS_TYPE = { 'content-type': 'text/event-stream; charset=utf-8', 'x-accel-buffering': 'no' };

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
