import { ControllerError, messageOf } from '../errors.ts';
import type { StatusDocument } from '../status/document.ts';
import { visibleJson } from '../visible.ts';
import { parseAsked } from '../why/asked.ts';
import type { WhyDocument } from '../why/document.ts';
import type { Asked as Question } from '../why/facts.ts';
import { JSON_TYPE, problem, type Route } from './answer.ts';

/** Walks the way of a connection on this host. Rejects when `signal` aborts. */
export type Explain = (
  asked: Question,
  status: () => Promise<StatusDocument>,
  signal: AbortSignal,
) => Promise<WhyDocument>;

/** A way takes seconds where nobody answers; a name may have several. */
const MOST_MS = 30_000;

/** `/v1/why?vip=`: one at a time, since each opens connections. */
export function createWhy(explain: Explain, status: () => Promise<StatusDocument>): Route {
  let busy = false;
  return async ({ query }) => {
    const text = query.get('vip');
    if (text === null) return problem(400, 'the parameter vip is missing, expected vip=NAME[:PORT][/udp]');
    if (busy) return problem(503, 'another way is being walked', {}, { 'retry-after': '5' });
    busy = true;
    try {
      const document = await explain(parseAsked(text), status, AbortSignal.timeout(MOST_MS));
      return { status: 200, headers: JSON_TYPE, body: `${visibleJson(document)}\n` };
    } catch (error) {
      if (error instanceof ControllerError && error.code === 'usage') return problem(400, messageOf(error));
      return problem(503, `it could not be found out: ${messageOf(error)}`, {}, { 'retry-after': '5' });
    } finally {
      busy = false;
    }
  };
}
