/** Every route. The OpenAPI description is made of this list, and the server serves it. */

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
import { diffDocument, historyDocument, vipsDocument } from './described.ts';
import { flag, ok, refused } from './describing.ts';
import { PAGE_ROUTES } from './page/page.ts';
import { type Answer, json, line, METRICS, notNow, type Route } from './route.ts';
import { route, type Services } from './services.ts';
import { WHY_ROUTE } from './why.ts';

/** How much of the history one answer has. */
const MOST_CHANGES = 200;

const STATUS = route('GET', '/v1/status', 'read', {
  id: 'status',
  summary: 'Every VIP and backend, the sources, and the state of the host',
  answers: [ok({ Status: statusDocument })],
  input: z.object({
    vip: z
      .string()
      .optional()
      .describe(
        'Only the VIPs that this means: a name, with or without framework or zone, an address, or an app, each also with :PORT; * stands for any characters.',
      ),
  }),
  async answer({ live }, { input: { vip } }) {
    const { document, body } = await live();
    return json(vip === undefined ? body : selectVips(document, vip));
  },
});

const DOCTOR = route('GET', '/v1/doctor', 'read', {
  id: 'doctor',
  summary: 'What this host lacks, each with the command that fixes it',
  answers: [
    ok({ Doctor: doctorDocument }),
    refused(503, 'This host is not examined, or that took too long.'),
  ],
  answer: async ({ examine }) =>
    examine === undefined ? notNow('this host is not examined here') : json(await examine()),
});

const VIPS = route('GET', '/v1/vips', 'read', {
  id: 'vips',
  summary: 'What this host forwards, as dcos-net tells it',
  answers: [
    ok({ Vips: vipsDocument }),
    { status: 304, description: 'The same as the one whose ETag If-None-Match has.', schemas: {} },
    refused(503, 'No source has been read yet.'),
  ],
  answer: ({ status, vips }, { headers }) =>
    ofLastPass(status(), (pass) => {
      const { body, tag } = vips(pass);
      // May be kept, but is to be asked about every time.
      const caching = { etag: tag, 'cache-control': 'no-cache' };
      const known = headers['if-none-match'] ?? '';
      const same =
        known.trim() === '*' || known.split(',').some((one) => one.trim().replace(/^W\//, '') === tag);
      return same ? { status: 304, headers: caching, body: '' } : json(body, 200, caching);
    }),
});

const DIFF = route('GET', '/v1/diff', 'read', {
  id: 'diff',
  summary: 'What the last pass intended, as `diff -o json` prints it',
  answers: [
    ok({ Diff: diffDocument }),
    refused(503, 'No source has been read yet, or the kernel could not be.'),
  ],
  answer: ({ status, diff }) =>
    // What a pass planned that could not read the kernel is no diff with it.
    ofLastPass(status(), (pass) => (pass.error === null ? json(diff(pass).body) : notNow(pass.error))),
});

const HISTORY = route('GET', '/v1/history', 'read', {
  id: 'history',
  summary: 'What changed since the start of the controller, the newest first',
  answers: [ok({ History: historyDocument })],
  input: z.object({ vip: z.string().optional().describe('Only changes of the VIP with this id.') }),
  answer({ history, status }, { input: { vip } }) {
    const changes = vip === undefined ? history.latest(MOST_CHANGES) : history.ofVip(vip);
    const { epochOffset } = status();
    const instant = (at: number) => new Date(Math.round(at + epochOffset)).toISOString();
    return json({ changes: changes.map(({ at, ...change }) => ({ at: instant(at), ...change })) });
  },
});

const EVENTS = route('GET', '/v1/events', 'read', {
  id: 'events',
  summary: 'The status and what changes of it, as server-sent events: for the page, without a promise',
  answers: [
    { status: 200, description: 'A stream.', type: 'text/event-stream', schemas: {} },
    refused(503, 'There are too many streams already.'),
  ],
  answer: ({ events }) =>
    events.hasRoom
      ? { status: 200, headers: EVENTS_TYPE, body: events.add }
      : notNow('too many watch already; close a page that shows this host'),
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

/** Probes ask without a right. */
function health(
  name: string,
  checks: (status: Status, now: number, limits: HealthLimits) => readonly Check[],
): Route<Services> {
  return route('GET', `/${name}`, 'none', {
    input: z.object({ verbose: flag, exclude: z.array(z.string()) }),
    answer({ status, clock, limits }, { input, right }) {
      const { ok: passed, text } = checksText(name, checks(status(), clock.monotonic(), limits), input);
      // Reasons name apps, sources and addresses; a probe needs the verdict alone.
      const told = right !== 'none' ? text : passed ? 'ok' : `${name} check failed; reasons need a token`;
      return line(passed ? 200 : 503, told);
    },
  });
}

function ofLastPass({ lastPass }: Status, answer: (pass: PassStatus) => Answer): Answer {
  return lastPass === null ? notNow('no pass yet: a source has not been read') : answer(lastPass);
}
