import { Inventory } from '../inventory/inventory.ts';
import type { Desired, Snapshot } from '../model.ts';
import type { NameMemory } from '../name-memory.ts';
import { DesiredState } from './desired-state.ts';
import type { TranslationRules } from './translation-rules.ts';

/**
 * Computes the desired services of a snapshot from scratch. The result depends on the arguments alone and not on the order
 * of apps; a `DesiredState` with the same inventory and memory arrives at the same.
 *
 * `complete` (default true), `held` and `lacking` are the `Conditions` of `DesiredState`.
 */
export type Translate = (
  snapshot: Snapshot,
  memory: NameMemory,
  complete?: boolean,
  held?: ReadonlySet<string>,
  lacking?: ReadonlySet<string>,
) => Desired;

/** Creates the stage from apps to desired services. Throws when the zone has no letter or digit. */
export function createTranslator(rules: TranslationRules): Translate {
  new DesiredState(rules, new Inventory(), { addresses: new Map(), labels: new Map() });
  return (snapshot, memory, complete = true, heldNames = NONE, lacking = NONE) => {
    const state = new DesiredState(rules, Inventory.of([snapshot]), memory);
    state.update({ complete, heldNames, lacking });
    const { services, unserved, declares, declared, rejected, warnings, refused } = state;
    return { services, unserved, declares, declared, rejected, warnings, memory: state.memory, refused };
  };
}

const NONE: ReadonlySet<string> = new Set();
