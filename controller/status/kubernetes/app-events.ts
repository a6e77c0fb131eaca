/** Kubernetes Events for changes of a MarathonApp's conditions. Pure. */

import type { MarathonAppStatus } from '../../kubernetes/marathon-app.ts';

/** The content of a Kubernetes Event. */
export interface AppEvent {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly note: string;
}

const PROBLEMS: ReadonlySet<string> = new Set([
  'Rejected',
  'PartlyRejected',
  'Conflict',
  'BackendNotFound',
  'UnsupportedAddressType',
  'PortMismatch',
  'NoReadyEndpoints',
]);

/** Returns an Event for each new problem, and one when the object becomes ready. */
export function conditionEvents(before: MarathonAppStatus, now: MarathonAppStatus): readonly AppEvent[] {
  const was = (type: string) => before.conditions?.find((one) => one.type === type);
  return (now.conditions ?? []).flatMap(({ type, status, reason, message }): AppEvent[] => {
    if (type === 'Ready') {
      const isNew = status === 'True' && was(type)?.status !== 'True';
      return isNew ? [{ type: 'Normal', reason, note: readyText(now) }] : [];
    }
    const isNew = PROBLEMS.has(reason) && (was(type)?.reason !== reason || was(type)?.message !== message);
    return isNew ? [{ type: 'Warning', reason, note: message }] : [];
  });
}

function readyText({ vip, address, backends = '' }: MarathonAppStatus): string {
  const [rotating, all] = backends.split('/');
  const at = address === undefined ? '' : ` at ${address}`;
  return `${vip}${at}: ${rotating} of ${all} backends in rotation`;
}
