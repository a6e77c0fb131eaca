/** The result of one pass: what was desired, what was done, and what is left to do. */

import type { Desired } from './model/desired.ts';
import type { Step, Table } from './model/kernel.ts';
import type { ServiceKey } from './model/service.ts';
import type { UnknownPart } from './model/snapshot.ts';
import type { Decisions } from './plan/decision.ts';
import type { Drains } from './plan/drain.ts';
import type { Drift } from './plan/drift.ts';
import type { LargeRemoval } from './plan/large-removal.ts';
import type { MassRemoval } from './plan/mass.ts';
import type { Plan } from './plan/plan.ts';
import type { Shortfall } from './plan/shortfall.ts';
import type { Unclaimed } from './plan/unclaimed.ts';

/** Times are milliseconds of the monotonic clock. */
export interface PassStatus {
  readonly startedAt: number;
  readonly finishedAt: number;
  /** `full`: the whole kernel table was read; `changes`: the known state of the kernel was used. */
  readonly kind: 'full' | 'changes';
  readonly desired: Desired;
  readonly plan: Plan;
  /** The table after the pass, as far as known. The next pass changes it in place. */
  readonly observed: Table;
  /** The owned services in it. The next pass changes it in place. */
  readonly owned: ReadonlyMap<ServiceKey, unknown>;
  /** Services that are not as desired after the pass, without conflicts and held ones. */
  readonly shortfall: readonly Shortfall[];
  /** Draining backends and their deadlines. */
  readonly drains: Drains;
  /** The steps that succeeded. */
  readonly made: readonly Step[];
  /** Steps that failed, in the notation of `ipvsadm`, with the reason. They are retried. */
  readonly failures: readonly { readonly step: string; readonly message: string }[];
  /** Addresses that the kernel does not accept as destinations. They count neither as failures nor as shortfall. */
  readonly refused: readonly RefusedBackend[];
  /** Number of steps that failed before and whose retry is not due yet. */
  readonly waiting: number;
  /** The held mass removal; null when none is held. */
  readonly held: HeldRemoval | null;
  /** What of the sources is unknown. */
  readonly unknown: readonly UnknownPart[];
  /** What stays because no source claims it and it may belong to one of these parts. */
  readonly kept: Unclaimed;
  /** Why backends and services are not as the sources want them. */
  readonly decisions: Decisions;
  /** Number of backends in slow start. */
  readonly slowStarts: number;
  /** A large removal that was not held, and why not; null when there was none. */
  readonly largeRemoval: LargeRemoval | null;
  /** Problems with interface or routes that keep VIPs from being reached, each with its fix. */
  readonly problems: readonly string[];
  /** Settings of the host that should be different although VIPs are reached, each with its fix. */
  readonly advice: readonly string[];
  /** What had to be restored of interface, routes and kernel settings. */
  readonly repaired: readonly string[];
  /** Changes that other programs made to owned services since the previous pass. This pass repaired them. */
  readonly drift: readonly Drift[];
  /** When the source reported each change that this pass brought into the kernel. */
  readonly changesSince: readonly number[];
  /** The error that ended the pass early (the kernel could not be read, the ledger could not be written); null if none. */
  readonly error: string | null;
}

/** An address that the kernel refuses as a destination. Times are milliseconds of the monotonic clock. */
export interface RefusedBackend {
  readonly address: string;
  readonly since: number;
  /** When it is retried. */
  readonly endsAt: number;
  readonly reason: string;
}

/** A held mass removal. Times are milliseconds of the monotonic clock. */
export interface HeldRemoval extends MassRemoval {
  readonly since: number;
  /** When the sources are read again to confirm it. */
  readonly until: number;
}
