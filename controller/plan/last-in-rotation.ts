import {
  type BackendKey,
  endpointKey,
  type ServiceKey,
  type Step,
  serviceKey,
  type Table,
} from '../model.ts';
import { inRotation } from './losses.ts';

export interface LastRules {
  /** The kernel's table after what could be added has been added. */
  readonly table: Table;
  /** Services with a backend that should have come into rotation and could not be added. */
  readonly short: ReadonlySet<ServiceKey>;
  /** Whether a source said by name that what is at an endpoint is gone, or serves this VIP no more. */
  readonly named: (endpoint: BackendKey, service: ServiceKey) => boolean;
  /** Whether a source knows a task there that has not ended. */
  readonly lives: (endpoint: BackendKey) => boolean;
}

/**
 * Returns those of the `shrinking` steps that may be made now: all, but where the replacements of a VIP's backends could not
 * be added and it would be left without any in rotation, one old backend stays as it is, one whose task lives if there is
 * one. A backend that is gone by a source's own word never stays.
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
