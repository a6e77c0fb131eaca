import { endpointKey } from '../model/endpoint.ts';
import { serviceKey } from '../model/service.ts';
import type { HeldRemoval, PassStatus } from '../pass-status.ts';
import { heldText } from '../plan/held-text.ts';
import { largeRemovalText } from '../plan/large-removal.ts';
import type { Log } from '../ports.ts';
import { createDecisionLog } from './decision-log.ts';

/** Returns a function that logs each pass: what it did, what failed, and what is wrong with the host. */
export function createPassLog(log: Log): (pass: PassStatus) => void {
  const logDecisions = createDecisionLog(log);
  let advised = '';
  let before: PassStatus['held'] = null;
  let loggedRemoval = '';

  const logOnce = (pass: PassStatus): void => {
    const { advice, held } = pass;
    // Logged once: a host that may not be changed stays as it is.
    if (advice.join() !== advised)
      for (const line of advice) log.warn('a setting of this host should be changed', { advice: line });
    advised = advice.join();
    if (held !== null && before === null) log.warn('mass removal held', { why: heldText(held) });
    if (held === null && before !== null)
      log.warn('mass removal no longer held', { why: endText(before, pass) });
    before = held;
  };

  // Logged once: a removal that fails is planned again.
  const logLargeRemoval = ({ largeRemoval: removal }: PassStatus): void => {
    const text = removal === null ? '' : largeRemovalText(removal);
    if (text !== '' && text !== loggedRemoval) log.warn('large removal not held', { why: text });
    loggedRemoval = text;
  };

  return (pass) => {
    const { kind, plan, failures, problems, repaired, drift, error } = pass;
    for (const { service, backend, field, was, is } of drift) {
      log.warn('another program changed a service of this controller', { service, backend, field, was, is });
    }
    for (const { step, message } of failures) log.error('step failed', { step, error: message });
    if (error !== null) log.error('pass failed', { kind, error });
    logOnce(pass);
    logLargeRemoval(pass);
    logDecisions(pass);

    const steps = plan.growing.length + plan.shrinking.length;
    const fields = {
      kind,
      durationMs: Math.round(pass.finishedAt - pass.startedAt),
      ...plan.summary,
      steps,
      repaired,
      problems,
    };
    const isQuiet = steps + repaired.length + problems.length === 0 || onlyGrows(pass);
    log[isQuiet ? 'debug' : 'info']('pass', fields);
  };
}

/** Whether a pass only raised weights in slow start, whose begin and end are logged for each VIP. */
function onlyGrows({ plan, decisions, changesSince, repaired, problems }: PassStatus): boolean {
  if (changesSince.length + repaired.length + problems.length + plan.shrinking.length > 0) return false;
  return plan.growing.every(
    (step) =>
      step.op === 'update-backend' &&
      decisions.get(serviceKey(step.service))?.get(endpointKey(step.backend))?.rule === 'slow start',
  );
}

/** The outcome of a held removal: how much is in rotation again, and why the rest left. */
function endText({ services, endpoints }: HeldRemoval, { observed, largeRemoval }: PassStatus): string {
  let serving = 0;
  for (const service of services)
    for (const [endpoint, { weight }] of observed.get(service)?.backends ?? [])
      if (endpoints.has(endpoint) && weight > 0) serving += 1;
  const stay = `the sources list ${serving} of its backends again`;
  const left =
    largeRemoval === null
      ? 'the others were removed: a source named them, or they were too few to be held'
      : largeRemovalText(largeRemoval);
  if (serving === endpoints.size) return 'the sources list all of it again';
  return serving === 0 ? left : `${stay}; ${left}`;
}
