import { copyOf } from '../map-copy.ts';
import {
  type BackendKey,
  endpointKey,
  type ObservedBackend,
  type ObservedService,
  type Step,
  type Table,
} from '../model.ts';
import { stepKey } from './step-key.ts';

/** So many steps are one part. */
const PART = 64;

/**
 * Returns the table as it is after these steps have been made: what a pass may believe of the kernel until it is
 * read again. Objects that no step touches stay the same objects. It comes in parts.
 */
export function* afterSteps(table: Table, steps: readonly Step[]): Generator<undefined, Table> {
  if (steps.length === 0) return table;
  const result = copyOf(table);
  const fresh = new Set<ObservedService>();

  function open(step: Step): { service: ObservedService; backends: Map<BackendKey, ObservedBackend> } {
    const key = stepKey(step);
    const known = result.get(key);
    if (known !== undefined && fresh.has(known))
      return { service: known, backends: known.backends as Map<BackendKey, ObservedBackend> };
    const backends = new Map(known?.backends);
    const service: ObservedService =
      known === undefined ? { ...EMPTY, ...step.service, backends } : { ...known, backends };
    fresh.add(service);
    result.set(key, service);
    return { service, backends };
  }

  for (const [i, step] of steps.entries()) {
    if (i % PART === PART - 1) yield;
    switch (step.op) {
      case 'add-service':
      case 'update-service': {
        const { service, backends } = open(step);
        fresh.delete(service);
        const prefix = step.service.address.includes(':') ? 128 : 32;
        const written: ObservedService = {
          ...service,
          ...step.service,
          flags: 0,
          persistencePrefix: prefix,
          backends,
        };
        fresh.add(written);
        result.set(stepKey(step), written);
        break;
      }
      case 'remove-service':
        result.delete(stepKey(step));
        break;
      case 'add-backend':
      case 'update-backend': {
        const { backends } = open(step);
        const key = endpointKey(step.backend);
        backends.set(key, { ...UNUSED, ...backends.get(key), ...step.backend, ...WRITTEN });
        break;
      }
      case 'remove-backend':
        open(step).backends.delete(endpointKey(step.backend));
        break;
    }
  }
  return result;
}

const EMPTY = { scheduler: '', flags: 0, persistenceSeconds: 0, persistencePrefix: 32 };
const UNUSED = { activeConnections: 0, inactiveConnections: 0 };
const WRITTEN = { forward: 'masquerade', upperThreshold: 0, lowerThreshold: 0 };
