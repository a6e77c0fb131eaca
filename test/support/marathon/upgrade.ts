/** Which instances to start and which to end next, so that an app gets from one version or size to another. */

import { type Instance, ready } from './instance.ts';
import type { RunSpec } from './run-spec.ts';

export interface Wanted {
  readonly spec: RunSpec;
  readonly instances: readonly Instance[];
  readonly stopping: boolean;
}

export interface Moves {
  readonly start: number;
  readonly kill: readonly Instance[];
}

/**
 * As Marathon's upgradeStrategy has it: new instances as the capacity allows, and an old one goes for each new one
 * that is ready, so that minimumHealthCapacity always remains.
 */
export function nextMoves({ spec, instances, stopping }: Wanted): Moves {
  const active = instances.filter((instance) => !instance.killing);
  if (stopping) return { start: 0, kill: active };

  const current = active.filter((instance) => instance.spec.version >= spec.configVersion);
  const old = active.filter((instance) => instance.spec.version < spec.configVersion);
  if (old.length === 0) {
    return {
      start: Math.max(0, spec.instances - current.length),
      kill: youngestFirst(current).slice(0, Math.max(0, current.length - spec.instances)),
    };
  }

  const minimum = Math.ceil(spec.instances * spec.minimumHealthCapacity);
  // With no room at all an upgrade could never begin: Marathon then allows itself one more.
  const maximum = Math.max(minimum + 1, Math.floor(spec.instances * (1 + spec.maximumOverCapacity)));
  const readyCurrent = current.filter(ready).length;
  const keep = readyCurrent >= spec.instances ? 0 : Math.max(0, minimum - readyCurrent);
  const kill = oldestFirst(old).slice(0, Math.max(0, old.length - keep));
  // Those that are ending still take their place.
  const room = maximum - instances.length;
  return { start: Math.max(0, Math.min(spec.instances - current.length, room)), kill };
}

function youngestFirst(instances: readonly Instance[]): readonly Instance[] {
  // Those that are not ready go first: they serve nobody yet.
  return instances.toReversed().toSorted((a, b) => Number(ready(a)) - Number(ready(b)));
}

function oldestFirst(instances: readonly Instance[]): readonly Instance[] {
  return instances.toSorted((a, b) => Number(ready(a)) - Number(ready(b)));
}
