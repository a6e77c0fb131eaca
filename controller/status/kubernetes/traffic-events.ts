/** Kubernetes Events for changes in where an app's traffic on this host goes. Pure. */

import type { BackendKey } from '../../model/endpoint.ts';
import { leftOutOf } from '../../plan/nearest.ts';
import { nearnessText } from '../../plan/nearness-text.ts';
import type { AppEvent } from './app-events.ts';
import { nameOf } from './conditions.ts';
import type { AppFacts, VipFacts } from './pass-facts.ts';

/** Where traffic goes, by the name of each VIP. */
export type TrafficFacts = ReadonlyMap<string, VipTraffic>;

interface VipTraffic {
  /** Ejected backends, each with the reason. */
  readonly ejected: ReadonlyMap<BackendKey, string>;
  readonly isInRotation: (backend: BackendKey) => boolean;
  /** Describes the backends in use while connections leave the zone; null while they do not. */
  readonly beyondZone: string | null;
  /** Describes the backends in use while connections stay in the zone; null if the VIP does not prefer near ones. */
  readonly near: string | null;
}

const MAX_NAMED = 10;

/** Extracts what `trafficEvents` compares. */
export function trafficOf({ vips }: Pick<AppFacts, 'vips'>): TrafficFacts {
  return new Map(vips.map((vip) => [`${nameOf(vip)}:${vip.declared.port}`, vipTraffic(vip)]));
}

function vipTraffic({ services, ejected }: VipFacts): VipTraffic {
  const texts = services.flatMap((service) =>
    service.nearness === undefined ? [] : [{ tier: service.nearness.tier, leftOut: leftOutOf(service) }],
  );
  // The two address families may differ only for a moment.
  const beyond = texts.find(({ tier }) => tier === 'region' || tier === 'all');
  const [near] = texts;
  return {
    ejected,
    isInRotation: (backend) => services.some(({ backends }) => (backends.get(backend)?.weight ?? 0) > 0),
    beyondZone: beyond === undefined ? null : nearnessText(beyond),
    near: beyond !== undefined || near === undefined ? null : nearnessText(near),
  };
}

/** Returns Events for what changed on `host`; VIPs that are new have none. */
export function trafficEvents(before: TrafficFacts, now: TrafficFacts, host: string): readonly AppEvent[] {
  return [...now].flatMap(([vip, traffic]): AppEvent[] => {
    const was = before.get(vip);
    if (was === undefined) return [];
    const event = (type: AppEvent['type'], reason: string, note: string) => [
      { type, reason, note: `${vip}: ${note}` },
    ];
    const gone = [...traffic.ejected.keys()].filter((key) => !was.ejected.has(key));
    const back = [...was.ejected.keys()].filter(traffic.isInRotation);
    const [first = ''] = gone;
    return [
      ...(gone.length === 0
        ? []
        : event(
            'Warning',
            'BackendEjected',
            `${named(gone)} out of rotation on ${host}, ${traffic.ejected.get(first)}`,
          )),
      ...(back.length === 0
        ? []
        : event('Normal', 'BackendReturned', `${named(back)} in rotation again on ${host}`)),
      ...(was.near !== null && traffic.beyondZone !== null
        ? event('Warning', 'ZoneLeft', `connections from ${host} go to ${traffic.beyondZone}`)
        : []),
      ...(was.beyondZone !== null && traffic.near !== null
        ? event('Normal', 'ZoneKept', `connections from ${host} go to ${traffic.near}`)
        : []),
    ];
  });
}

function named(keys: readonly BackendKey[]): string {
  const rest = keys.length - MAX_NAMED;
  const names = keys.slice(0, MAX_NAMED).join(', ') + (rest > 0 ? ` and ${rest} more` : '');
  return `${names} ${keys.length === 1 ? 'is' : 'are'}`;
}
