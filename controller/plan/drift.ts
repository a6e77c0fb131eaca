import type { BackendKey, ObservedBackend, ObservedService, ServiceKey, Table } from '../model.ts';

/** One thing that someone else changed in a service of ours since we last knew it. */
export interface Drift {
  readonly service: ServiceKey;
  /** null: the service itself. */
  readonly backend: BackendKey | null;
  /** What differs: a setting by its name (`scheduler`, `weight`, …), or `removed` / `added` for the whole thing. */
  readonly field: string;
  readonly was: string | number | null;
  readonly is: string | number | null;
}

/**
 * Compares what we last knew of the kernel with what it says now, for the services that are ours, and names every
 * field that changed without us. Counters do not count.
 */
export function drift(
  believed: Table,
  observed: Table,
  owned: ReadonlyMap<ServiceKey, unknown>,
): readonly Drift[] {
  const found: Drift[] = [];
  for (const key of owned.keys()) {
    const was = believed.get(key);
    if (was === undefined) continue;
    const is = observed.get(key);
    if (is === undefined) found.push({ service: key, backend: null, field: 'removed', was: key, is: null });
    else if (was !== is) found.push(...serviceDrift(key, was, is));
  }
  return found;
}

function serviceDrift(service: ServiceKey, was: ObservedService, is: ObservedService): Drift[] {
  const found = fields(service, null, was, is, SERVICE_FIELDS);
  for (const [backend, before] of was.backends) {
    const now = is.backends.get(backend);
    if (now === undefined) found.push({ service, backend, field: 'removed', was: backend, is: null });
    else found.push(...fields(service, backend, before, now, BACKEND_FIELDS));
  }
  for (const backend of is.backends.keys()) {
    if (!was.backends.has(backend)) found.push({ service, backend, field: 'added', was: null, is: backend });
  }
  return found;
}

const SERVICE_FIELDS = [
  'scheduler',
  'flags',
  'persistenceSeconds',
  'persistencePrefix',
] as const satisfies (keyof ObservedService)[];
const BACKEND_FIELDS = [
  'weight',
  'forward',
  'upperThreshold',
  'lowerThreshold',
] as const satisfies (keyof ObservedBackend)[];

function fields<Field extends string>(
  service: ServiceKey,
  backend: BackendKey | null,
  was: Readonly<Record<Field, string | number>>,
  is: Readonly<Record<Field, string | number>>,
  names: readonly Field[],
): Drift[] {
  const found: Drift[] = [];
  for (const field of names) {
    if (was[field] !== is[field]) found.push({ service, backend, field, was: was[field], is: is[field] });
  }
  return found;
}
