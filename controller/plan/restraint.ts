import { type Ejection, type Ejections, targetKey } from '../model/ejection.ts';
import type { BackendKey } from '../model/endpoint.ts';
import type { Service } from '../model/service.ts';

/**
 * Which of a VIP's unresponsive backends leave the rotation: at most half of those that its sources want in rotation, and
 * never the last one. Those that have failed longest go first.
 */
export function ejectedOf(
  { protocol, backends }: Pick<Service, 'protocol' | 'backends'>,
  ejections: Ejections,
): ReadonlyMap<BackendKey, Ejection> {
  let wanted = 0;
  const failed: [BackendKey, Ejection][] = [];
  for (const [key, { weight, eject }] of backends) {
    if (weight === 0) continue;
    wanted += 1;
    const ejection = eject === false ? undefined : ejections.get(targetKey(protocol, key));
    if (ejection !== undefined) failed.push([key, ejection]);
  }
  failed.sort(([a, one], [b, other]) => one.since - other.since || (a < b ? -1 : 1));
  return new Map(failed.slice(0, Math.floor(wanted / 2)));
}
