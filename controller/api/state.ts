/** What this host does: its status, and what the last pass left. */

import { z } from 'zod';
import type { PassStatus } from '../pass-status.ts';
import { statusDocument } from '../status/document.ts';
import { selectVips } from '../status/selection.ts';
import type { Status } from '../status/status.ts';
import { ok, refused } from './descriptions.ts';
import { diffDocument, historyDocument, vipsDocument } from './documents.ts';
import { type Answer, json, unavailable } from './route.ts';
import { endpoint } from './services.ts';

/** The most changes in one answer. */
const MAX_CHANGES = 200;

export const STATUS = endpoint({
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

export const VIPS = endpoint({
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

export const DIFF = endpoint({
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

export const HISTORY = endpoint({
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

function withLastPass({ lastPass }: Status, answer: (pass: PassStatus) => Answer): Answer {
  return lastPass === null ? unavailable('no pass yet: a source has not been read') : answer(lastPass);
}
