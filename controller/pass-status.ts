/** What one pass wanted, did and left. */

import type { Desired, ServiceKey, Step, Table } from './model.ts';
import type { MassRemoval } from './plan/brake.ts';
import type { Decisions } from './plan/decision.ts';
import type { Drains } from './plan/drain.ts';
import type { Drift } from './plan/drift.ts';
import type { LargeRemoval } from './plan/let-go.ts';
import type { Plan } from './plan/plan.ts';
import type { Shortfall } from './plan/shortfall.ts';

/** Times are milliseconds of the monotonic clock. */
export interface PassStatus {
  readonly startedAt: number;
  readonly finishedAt: number;
  /** `full`: the kernel's whole table was read; `changes`: what we knew of it was used. */
  readonly kind: 'full' | 'changes';
  readonly desired: Desired;
  readonly plan: Plan;
  /** The table as it is after the pass, as far as known; it changes with the next pass. */
  readonly observed: Table;
  /** What is ours in it; it changes with the next pass. */
  readonly owned: ReadonlyMap<ServiceKey, unknown>;
  /** What after the pass is not as desired, conflicts and what is held apart. */
  readonly shortfall: readonly Shortfall[];
  /** Backends that drain, with the deadline of each. */
  readonly drains: Drains;
  /** The steps of the plan that were made. */
  readonly made: readonly Step[];
  /** Steps that failed, in ipvsadm's notation, and why; they are tried again. */
  readonly failures: readonly { readonly step: string; readonly message: string }[];
  /** Addresses of backends that the kernel takes for no destination: no failures, and no shortfall. Absent: none. */
  readonly refused?: readonly RefusedBackend[];
  /** How many steps were not tried because they failed before and their time has not come; the kernel is not as desired. */
  readonly waiting: number;
  /** What would be taken away but is held, since too much would go at once without being named; null: nothing. */
  readonly held: HeldRemoval | null;
  /** Why backends and services are not as the sources say. Absent: none. */
  readonly decisions?: Decisions;
  /** How many backends grow to their weight. Absent: none. */
  readonly slowStarts?: number;
  /** A large removal that was not held, with why; null or absent: none. */
  readonly letGo?: LargeRemoval | null;
  /** What is wrong with interface or routes and keeps VIPs from being reached, each with its fix. */
  readonly problems: readonly string[];
  /** What should be other than it is (kernel settings, where names are answered), each with its fix; VIPs are reached. */
  readonly advice: readonly string[];
  /** What of interface, routes and kernel settings had to be put right. */
  readonly repaired: readonly string[];
  /** What someone else had changed in our services since the pass before; repaired by this pass. */
  readonly drift: readonly Drift[];
  /** For each change that this pass brought into the kernel: when the source told of it. */
  readonly changesSince: readonly number[];
  /** The error that ended the pass early (the kernel could not be read, the ledger not written); null if none. */
  readonly error: string | null;
}

/** Backends at an address that the kernel refuses. Times are milliseconds of the monotonic clock. */
export interface RefusedBackend {
  readonly address: string;
  readonly since: number;
  /** When it is tried again. */
  readonly endsAt: number;
  readonly reason: string;
}

/** A mass removal that is held. Times are milliseconds of the monotonic clock. */
export interface HeldRemoval extends MassRemoval {
  readonly since: number;
  /** When the sources are asked again whether it is true. */
  readonly until: number;
}
