/** What of a status is worth an Event of Kubernetes. Pure. */

import type { MarathonAppStatus } from '../../kubernetes/marathon-app.ts';

/** An event to be made. */
export interface Happening {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly note: string;
}

const BAD: ReadonlySet<string> = new Set([
  'Rejected',
  'PartlyRejected',
  'Conflict',
  'BackendNotFound',
  'UnsupportedAddressType',
  'PortMismatch',
  'NoReadyEndpoints',
]);

/** What is wrong and was not told of yet, and that an object has become ready. */
export function happenings(before: MarathonAppStatus, now: MarathonAppStatus): readonly Happening[] {
  const was = (type: string) => before.conditions?.find((one) => one.type === type);
  return (now.conditions ?? []).flatMap(({ type, status, reason, message }): Happening[] => {
    if (type === 'Ready') {
      const news = status === 'True' && was(type)?.status !== 'True';
      return news ? [{ type: 'Normal', reason, note: readyText(now) }] : [];
    }
    const news = BAD.has(reason) && (was(type)?.reason !== reason || was(type)?.message !== message);
    return news ? [{ type: 'Warning', reason, note: message }] : [];
  });
}

function readyText({ vip, address, backends = '' }: MarathonAppStatus): string {
  const [rotating, all] = backends.split('/');
  const at = address === undefined ? '' : ` at ${address}`;
  return `${vip}${at}: ${rotating} of ${all} backends in rotation`;
}
