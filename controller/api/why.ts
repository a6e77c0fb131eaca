import { z } from 'zod';
import { ControllerError, messageOf } from '../errors.ts';
import type { StatusDocument } from '../status/document.ts';
import { type WhyDocument, whyDocument } from '../why/document.ts';
import type { VipQuery } from '../why/facts.ts';
import { parseVipQuery } from '../why/query.ts';
import { ok, refused } from './descriptions.ts';
import { json, problem, unavailable } from './route.ts';
import { endpoint, type TraceConnection } from './services.ts';

/** Traces a connection to `vip` on this host. Rejects when `signal` aborts. */
export type Explain = (
  vip: VipQuery,
  status: () => Promise<StatusDocument>,
  signal: AbortSignal,
) => Promise<WhyDocument>;

/** A backend that does not answer takes seconds, and a name may stand for several VIPs. */
const TIMEOUT_MS = 30_000;

/** Limits `explain` to one trace at a time. */
export function createTrace(explain: Explain, status: () => Promise<StatusDocument>): TraceConnection {
  let busy = false;
  return (vip) => {
    if (busy) return null;
    busy = true;
    return explain(vip, status, AbortSignal.timeout(TIMEOUT_MS)).finally(() => {
      busy = false;
    });
  };
}

export const WHY = endpoint({
  id: 'why',
  summary: 'Why connections to a VIP fail: the first broken step of the path',
  answers: [
    ok({ Why: whyDocument }),
    refused(400, 'The parameter `vip` is missing, or cannot name a VIP.'),
    refused(503, 'Another trace is running, or this one took too long.'),
  ],
  input: z.object({
    vip: z
      .string('expected NAME[:PORT][/udp]')
      .describe(
        'NAME[:PORT][/udp]: a name, with or without framework or zone, an address, or an app. The trace opens connections to it and closes them.',
      ),
  }),
  async answer({ trace }, { input: { vip } }) {
    if (trace === undefined) return unavailable('connection tracing is disabled on this controller');
    try {
      const document = await trace(parseVipQuery(vip));
      return document === null ? unavailable('another trace is running') : json(document);
    } catch (error) {
      if (error instanceof ControllerError && error.code === 'usage') return problem(400, messageOf(error));
      return unavailable(`cannot trace the connection: ${messageOf(error)}`);
    }
  },
});
