import { Inventory } from '../inventory/inventory.ts';
import type { Desired } from '../model/desired.ts';
import { EMPTY_NAME_MEMORY, type NameMemory } from '../model/name-memory.ts';
import type { Snapshot } from '../model/snapshot.ts';
import { DesiredState } from './desired-state.ts';
import type { Conditions, TranslationRules } from './translation-rules.ts';

/**
 * Computes the desired services of a snapshot from scratch. The result depends on the arguments alone and not on the order
 * of apps; a `DesiredState` with the same inventory and memory arrives at the same. When missing, nothing is remembered, and the
 * snapshot is complete.
 */
export type Translate = (
  snapshot: Snapshot,
  memory?: NameMemory,
  conditions?: Partial<Conditions>,
) => Desired;

/** Creates the stage from apps to desired services. Throws when the zone has no letter or digit. */
export function createTranslator(rules: TranslationRules): Translate {
  new DesiredState(rules, new Inventory(), EMPTY_NAME_MEMORY);
  return (snapshot, memory = EMPTY_NAME_MEMORY, conditions = {}) => {
    const state = new DesiredState(rules, Inventory.of([snapshot]), memory);
    state.update({ complete: true, ...conditions });
    const { services, withoutService, declares, declared, rejected, warnings, refused } = state;
    return {
      services,
      withoutService,
      declares,
      declared,
      rejected,
      warnings,
      memory: state.memory,
      refused,
    };
  };
}
