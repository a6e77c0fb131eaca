/** Where the traffic of an app goes on this host, and what of it is worth an Event of Kubernetes. Pure. */

import type { BackendKey } from '../../model.ts';
import { leftOutOf } from '../../plan/nearest.ts';
import { nearnessText } from '../../plan/nearness-text.ts';
import type { Happening } from './app-events.ts';
import { nameOf } from './conditions.ts';
import type { AppFacts, VipFacts } from './pass-facts.ts';

/** By the name of each VIP. */
export type TrafficFacts = ReadonlyMap<string, VipTraffic>;

interface VipTraffic {
  /** Backends that are ejected, with why. */
  readonly ejected: ReadonlyMap<BackendKey, string>;
  readonly isInRotation: (backend: BackendKey) => boolean;
  /** Which backends get connections, in words, while these leave the zone; null while they do not. */
  readonly beyondZone: string | null;
  /** The same while they do not; null where all backends are wanted. */
  readonly near: string | null;
}

const MOST_NAMED = 10;

/** What of a pass `trafficNews` compares. */
export function trafficOf({ vips }: Pick<AppFacts, 'vips'>): TrafficFacts {
  return new Map(vips.map((vip) => [`${nameOf(vip)}:${vip.declared.port}`, vipTraffic(vip)]));
}

function vipTraffic({ services, ejected }: VipFacts): VipTraffic {
  const texts = services.flatMap((service) =>
    service.nearness === undefined ? [] : [{ tier: service.nearness.tier, leftOut: leftOutOf(service) }],
  );
  // One of each family: they go the same way but for a moment.
  const beyond = texts.find(({ tier }) => tier === 'region' || tier === 'all');
  const [near] = texts;
  return {
    ejected,
    isInRotation: (backend) => services.some(({ backends }) => (backends.get(backend)?.weight ?? 0) > 0),
    beyondZone: beyond === undefined ? null : nearnessText(beyond),
    near: beyond !== undefined || near === undefined ? null : nearnessText(near),
  };
}

/** What has changed for VIPs that were there before, as seen from `host`. */
export function trafficNews(before: TrafficFacts, now: TrafficFacts, host: string): readonly Happening[] {
  return [...now].flatMap(([vip, traffic]): Happening[] => {
    const was = before.get(vip);
    if (was === undefined) return [];
    const happening = (type: Happening['type'], reason: string, note: string) => [
      { type, reason, note: `${vip}: ${note}` },
    ];
    const gone = [...traffic.ejected.keys()].filter((key) => !was.ejected.has(key));
    const back = [...was.ejected.keys()].filter(traffic.isInRotation);
    const [first = ''] = gone;
    return [
      ...(gone.length === 0
        ? []
        : happening(
            'Warning',
            'BackendEjected',
            `${named(gone)} out of rotation on ${host}, ${traffic.ejected.get(first)}`,
          )),
      ...(back.length === 0
        ? []
        : happening('Normal', 'BackendReturned', `${named(back)} in rotation again on ${host}`)),
      ...(was.near !== null && traffic.beyondZone !== null
        ? happening('Warning', 'ZoneLeft', `connections from ${host} go to ${traffic.beyondZone}`)
        : []),
      ...(was.beyondZone !== null && traffic.near !== null
        ? happening('Normal', 'ZoneKept', `connections from ${host} go to ${traffic.near}`)
        : []),
    ];
  });
}

function named(keys: readonly BackendKey[]): string {
  const rest = keys.length - MOST_NAMED;
  const names = keys.slice(0, MOST_NAMED).join(', ') + (rest > 0 ? ` and ${rest} more` : '');
  return `${names} ${keys.length === 1 ? 'is' : 'are'}`;
}
