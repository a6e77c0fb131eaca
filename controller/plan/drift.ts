import type { BackendKey } from '../model/endpoint.ts';
import type { ObservedService, Table } from '../model/kernel.ts';
import type { ServiceKey } from '../model/service.ts';
import type { FieldChange } from '../settings/rows.ts';
import { backendFields, serviceFields } from '../settings/settings.ts';

/** A change that another program made to an owned service. */
export interface Drift {
  readonly service: ServiceKey;
  /** null: the service itself. */
  readonly backend: BackendKey | null;
  /** The name of a setting (`scheduler`, `weight`, …), or `removed` or `added` for a whole service or backend. */
  readonly field: string;
  readonly was: string | number | null;
  readonly is: string | number | null;
}

/**
 * Compares the last known state of owned services with the kernel's table, and lists every field that another program
 * changed. Counters are ignored.
 */
export function drift(
  before: Table,
  observed: Table,
  owned: ReadonlyMap<ServiceKey, unknown>,
): readonly Drift[] {
  const found: Drift[] = [];
  for (const [key, was] of before) {
    if (!owned.has(key)) continue;
    const is = observed.get(key);
    if (is === undefined) found.push({ service: key, backend: null, field: 'removed', was: key, is: null });
    else if (was !== is) for (const each of serviceDrift(key, was, is)) found.push(each);
  }
  return found;
}

function serviceDrift(service: ServiceKey, was: ObservedService, is: ObservedService): Drift[] {
  const found = changed(service, null, serviceFields.differences(was, is));
  for (const [backend, before] of was.backends) {
    const now = is.backends.get(backend);
    if (now === undefined) found.push({ service, backend, field: 'removed', was: backend, is: null });
    else found.push(...changed(service, backend, backendFields.differences(before, now)));
  }
  for (const backend of is.backends.keys()) {
    if (!was.backends.has(backend)) found.push({ service, backend, field: 'added', was: null, is: backend });
  }
  return found;
}

function changed(service: ServiceKey, backend: BackendKey | null, changes: readonly FieldChange[]): Drift[] {
  return changes.map(({ field, was, becomes }) => ({ service, backend, field, was, is: becomes }));
}
