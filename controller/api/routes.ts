/** Every route. The server serves this list, and the OpenAPI description is generated from it. */

import { z } from 'zod';
import { doctorDocument } from '../doctor/document.ts';
import type { PassStatus } from '../pass-status.ts';
import { type Check, type HealthLimits, healthz, livez, readyz } from '../status/checks.ts';
import { checksText } from '../status/checks-text.ts';
import { statusDocument } from '../status/document.ts';
import { selectVips } from '../status/selection.ts';
import type { Status } from '../status/status.ts';
import { APP_ROUTES } from './apps.ts';
import { DEPLOYMENT_ROUTE } from './deployments.ts';
import { flag, ok, refused } from './descriptions.ts';
import { diffDocument, historyDocument, vipsDocument } from './documents.ts';
import { PAGE_ROUTES } from './page/page.ts';
import { type Answer, json, line, METRICS, type Route, unavailable } from './route.ts';
import { route, type Services } from './services.ts';
import { WHY_ROUTE } from './why.ts';

/** The most changes in one answer. */
const MAX_CHANGES = 200;

const STATUS = route('GET', '/v1/status', 'read', {
  id: 'status',
  summary: 'Returns every VIP and backend, the sources, and the state of the host',
  answers: [ok({ Status: statusDocument })],
  input: z.object({
    vip: z
      .string()
      .optional()
      .describe(
        'Only matching VIPs: a name, with or without framework or zone, an address, or an app, each optionally with :PORT; * matches any characters.',
      ),
  }),
  async answer({ live }, { input: { vip } }) {
    const { document, body } = await live();
    return json(vip === undefined ? body : selectVips(document, vip));
  },
});

const DOCTOR = route('GET', '/v1/doctor', 'read', {
  id: 'doctor',
  summary: 'Checks this host and returns its problems, each with the command that fixes it',
  answers: [ok({ Doctor: doctorDocument }), refused(503, 'The checks are disabled, or took too long.')],
  answer: async ({ examine }) =>
    examine === undefined
      ? unavailable('host checks are disabled on this controller')
      : json(await examine()),
});

const VIPS = route('GET', '/v1/vips', 'read', {
  id: 'vips',
  summary: 'Returns the VIPs of this host and their backends, in the form of dcos-net',
  answers: [
    ok({ Vips: vipsDocument }),
    { status: 304, description: 'The document still has the ETag given in If-None-Match.', schemas: {} },
    refused(503, 'No source has been read yet.'),
  ],
  answer: ({ status, vips }, { headers }) =>
    withLastPass(status(), (pass) => {
      const { body, tag } = vips(pass);
      // Clients may cache it, but must revalidate every time.
      const caching = { etag: tag, 'cache-control': 'no-cache' };
      const known = headers['if-none-match'] ?? '';
      const same =
        known.trim() === '*' || known.split(',').some((one) => one.trim().replace(/^W\//, '') === tag);
      return same ? { status: 304, headers: caching, body: '' } : json(body, 200, caching);
    }),
});

const DIFF = route('GET', '/v1/diff', 'read', {
  id: 'diff',
  summary: 'Returns the diff of the last pass, as `diff -o json` prints it',
  answers: [
    ok({ Diff: diffDocument }),
    refused(503, 'No source has been read yet, or the kernel could not be read.'),
  ],
  answer: ({ status, diff }) =>
    // A pass that could not read the kernel has no diff with it.
    withLastPass(status(), (pass) => (pass.error === null ? json(diff(pass).body) : unavailable(pass.error))),
});

const HISTORY = route('GET', '/v1/history', 'read', {
  id: 'history',
  summary: 'Returns what has changed since the controller started, newest first',
  answers: [ok({ History: historyDocument })],
  input: z.object({ vip: z.string().optional().describe('Only changes of the VIP with this id.') }),
  answer({ history, status }, { input: { vip } }) {
    const changes = vip === undefined ? history.latest(MAX_CHANGES) : history.ofVip(vip);
    const { epochOffset } = status();
    const instant = (at: number) => new Date(Math.round(at + epochOffset)).toISOString();
    return json({ changes: changes.map(({ at, ...change }) => ({ at: instant(at), ...change })) });
  },
});

const EVENTS = route('GET', '/v1/events', 'read', {
  id: 'events',
  summary: 'Streams the status and its changes as server-sent events; for the page only, and may change',
  answers: [
    { status: 200, description: 'A stream.', type: 'text/event-stream', schemas: {} },
    refused(503, 'Too many streams are open.'),
  ],
  answer: ({ events }) =>
    events.hasRoom
      ? { status: 200, headers: EVENTS_TYPE, body: events.add }
      : unavailable('too many event streams are open; close other pages that show this host'),
});

const EVENTS_TYPE = { 'content-type': 'text/event-stream; charset=utf-8', 'x-accel-buffering': 'no' };

export const ROUTES: readonly Route<Services>[] = [
  PAGE_ROUTES.shell,
  health('livez', livez),
  health('readyz', readyz),
  health('healthz', healthz),
  route('GET', '/metrics', 'read', METRICS),
  STATUS,
  DOCTOR,
  WHY_ROUTE,
  VIPS,
  DIFF,
  HISTORY,
  EVENTS,
  ...APP_ROUTES,
  DEPLOYMENT_ROUTE,
  PAGE_ROUTES.files,
];

/** A health route, which probes query without a token. */
function health(
  name: string,
  checks: (status: Status, now: number, limits: HealthLimits) => readonly Check[],
): Route<Services> {
  return route('GET', `/${name}`, 'none', {
    input: z.object({ verbose: flag, exclude: z.array(z.string()) }),
    answer({ status, clock, limits }, { input, right }) {
      const { ok: passed, text } = checksText(name, checks(status(), clock.monotonic(), limits), input);
      // Reasons name apps, sources and addresses; a probe needs only the verdict.
      const shown = right !== 'none' ? text : passed ? 'ok' : `${name} check failed; reasons need a token`;
      return line(passed ? 200 : 503, shown);
    },
  });
}

function withLastPass({ lastPass }: Status, answer: (pass: PassStatus) => Answer): Answer {
  return lastPass === null ? unavailable('no pass yet: a source has not been read') : answer(lastPass);
}
