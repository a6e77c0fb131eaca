/** What one pass intends: every service with what happens to it, and the writes in the order in which they are made. */

import type { Declared, Endpoint, Rejection, ServiceKey, Step } from '../model.ts';
import type { Tier } from '../place.ts';
import type { FieldChange } from '../setting-fields.ts';
import type { BackendSettings, ServiceSettings } from '../settings.ts';

/** `keep`: the kernel has it as desired. */
export type Op = 'add' | 'change' | 'remove' | 'keep';

export interface Plan {
  /** The services that were looked at. Of the others it is known that the kernel has them as desired, or that they are none of ours. */
  readonly keys: ReadonlySet<ServiceKey>;
  /** Sorted by name, then key: desired services, and owned ones that go. */
  readonly services: readonly PlannedService[];
  /** What adds or alters, in order. */
  readonly growing: readonly Step[];
  /** What takes away, a backend's weight of zero too, in order; made after `growing`, so that no VIP goes empty on the way. */
  readonly shrinking: readonly Step[];
  readonly conflicts: readonly Conflict[];
  /** Of the services that were looked at, those that are ours before or after: they must be in the ledger before the first step is made. */
  readonly owned: ReadonlyMap<ServiceKey, Owned>;
  readonly summary: Summary;
}

/** How an owned service is called, so that one that leaves can still be named. */
export interface Owned {
  readonly name: string | null;
  readonly framework: string | null;
  /** null for an IP VIP. */
  readonly fqdn: string | null;
  /** By what it was asked to have the nearest backends alone when it was last planned; absent where by nothing. */
  readonly near?: string;
}

/** Counts services; one whose backends differ is `change`. */
export interface Summary {
  readonly add: number;
  readonly change: number;
  readonly remove: number;
  readonly keep: number;
}

export interface PlannedService extends ServiceSettings {
  readonly op: Op;
  readonly key: ServiceKey;
  readonly name: string | null;
  readonly framework: string | null;
  readonly fqdn: string | null;
  readonly protocol: string;
  readonly address: string;
  readonly port: number;
  readonly apps: readonly string[];
  /** As of its service; absent where weights are not scaled, and of one that goes. */
  readonly slowStartSeconds?: number;
  /** The kernel had it, another program's until now; it lies in the pool (or `--adopt` is given), so it becomes ours. */
  readonly adopted: boolean;
  /** Part of what would be taken from it is held: too much would go at once without being named (`brake.ts`). */
  readonly held: boolean;
  /** Settings of the service itself that differ. */
  readonly changes: readonly FieldChange[];
  /** Why it goes, or is held; null otherwise. */
  readonly reason: string | null;
  /** Which backends it has, where only the nearest ones are wanted, and how many others are left out for that. */
  readonly nearness?: { readonly tier: Tier; readonly leftOut: number };
  readonly backends: readonly PlannedBackend[];
}

export interface PlannedBackend extends Endpoint, BackendSettings {
  readonly op: Op;
  /** How other hosts reach it, where that differs. */
  readonly hostPort?: Endpoint;
  /** null for one that goes: the source no longer knows it. */
  readonly app: string | null;
  readonly task: string | null;
  readonly reason: string;
  readonly changes: readonly FieldChange[];
}

/** A VIP that cannot be programmed because another program's service has its address and port. */
export interface Conflict {
  readonly key: ServiceKey;
  readonly apps: readonly string[];
  readonly reason: string;
}

/** What a document that people or scripts read is made from. */
export interface Report {
  readonly plan: Plan;
  readonly declared: readonly Declared[];
  readonly rejected: readonly Rejection[];
  readonly warnings: readonly string[];
  /** A line about a mass removal that is held; null: none is. */
  readonly held: string | null;
  /** Services of other programs that nobody desires, and of which nothing is changed. */
  readonly leftAlone: number;
}

/** Counts the services by what happens to them. */
export function summaryOf(services: readonly PlannedService[]): Summary {
  const counts: Record<Op, number> = { add: 0, change: 0, remove: 0, keep: 0 };
  for (const { op } of services) counts[op] += 1;
  return counts;
}
