import { z } from 'zod';
import { ControllerError, messageOf } from '../errors.ts';
import type { StatusDocument } from '../status/document.ts';
import { type WhyDocument, whyDocument } from '../why/document.ts';
import type { VipQuery as Question } from '../why/facts.ts';
import { parseVipQuery } from '../why/query.ts';
import { ok, refused } from './describing.ts';
import { json, notNow, problem } from './route.ts';
import { route } from './services.ts';

/** Walks the way of a connection on this host. Rejects when `signal` aborts. */
export type Explain = (
  asked: Question,
  status: () => Promise<StatusDocument>,
  signal: AbortSignal,
) => Promise<WhyDocument>;

/** The same with what this host knows; null while another way is walked, since each opens connections. */
export type Walk = (asked: Question) => Promise<WhyDocument> | null;

/** A way takes seconds where nobody answers; a name may have several. */
const MOST_MS = 30_000;

export function createWalk(explain: Explain, status: () => Promise<StatusDocument>): Walk {
  let busy = false;
  return (asked) => {
    if (busy) return null;
    busy = true;
    return explain(asked, status, AbortSignal.timeout(MOST_MS)).finally(() => {
      busy = false;
    });
  };
}

export const WHY_ROUTE = route('GET', '/v1/why', 'read', {
  id: 'why',
  summary: 'Why connections to a VIP fail: the first thing on their way that is broken',
  answers: [
    ok({ Why: whyDocument }),
    refused(400, 'The parameter vip is missing, or can mean no VIP.'),
    refused(503, 'Another way is being walked, or it took too long.'),
  ],
  input: z.object({
    vip: z
      .string('expected NAME[:PORT][/udp]')
      .describe(
        'NAME[:PORT][/udp]: a name, with or without framework or zone, an address, or an app. Opens connections to it, and closes them.',
      ),
  }),
  async answer({ walk }, { input: { vip } }) {
    if (walk === undefined) return notNow('no way is walked here');
    try {
      const document = await walk(parseVipQuery(vip));
      return document === null ? notNow('another way is being walked') : json(document);
    } catch (error) {
      if (error instanceof ControllerError && error.code === 'usage') return problem(400, messageOf(error));
      return notNow(`it could not be found out: ${messageOf(error)}`);
    }
  },
});
