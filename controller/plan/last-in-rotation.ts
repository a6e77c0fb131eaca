import { type BackendKey, endpointKey } from '../model/endpoint.ts';
import type { Step, Table } from '../model/kernel.ts';
import { type ServiceKey, serviceKey } from '../model/service.ts';
import { inRotation } from './losses.ts';

export interface LastRules {
  /** The kernel's table after what could be added has been added. */
  readonly table: Table;
  /** Services with a new backend that could not be added. */
  readonly short: ReadonlySet<ServiceKey>;
  /** Whether a source named the task at an endpoint as ended, or as no longer serving this VIP. */
  readonly named: (endpoint: BackendKey, service: ServiceKey) => boolean;
  /** Whether a source knows a task there that has not ended. */
  readonly lives: (endpoint: BackendKey) => boolean;
}

/**
 * Removes a step that would take the last backend out of rotation when its replacement could not be added. One old backend
 * stays, preferably one whose task still lives; never one that a source named as ended.
 */
export function withoutLastInRotation(shrinking: readonly Step[], rules: LastRules): readonly Step[] {
  if (rules.short.size === 0) return shrinking;
  const leaving = new Map<ServiceKey, { step: Step; endpoint: BackendKey }[]>();
  for (const step of shrinking) {
    const key = serviceKey(step.service);
    if (!rules.short.has(key) || !('backend' in step)) continue;
    const endpoint = endpointKey(step.backend);
    if ((rules.table.get(key)?.backends.get(endpoint)?.weight ?? 0) === 0) continue;
    leaving.set(key, [...(leaving.get(key) ?? []), { step, endpoint }]);
  }
  const kept = new Set<Step>();
  for (const [key, steps] of leaving) {
    if (inRotation(rules.table.get(key)) > steps.length) continue;
    const old = steps.filter(({ endpoint }) => !rules.named(endpoint, key));
    const last = old.find(({ endpoint }) => rules.lives(endpoint)) ?? old[0];
    if (last !== undefined) kept.add(last.step);
  }
  return kept.size === 0 ? shrinking : shrinking.filter((step) => !kept.has(step));
}
