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

/**
 * Whether enough agents answer to blame those that do not: at least one, and as many as fail. Otherwise this host may be at
 * fault. `failing` and `answering` are agents other than this host.
 */
export function isHostHealthy(failing: ReadonlySet<string>, answering: ReadonlySet<string>): boolean {
  let answers = 0;
  for (const agent of answering) if (!failing.has(agent)) answers += 1;
  return answers >= failing.size && answers > 0;
}
