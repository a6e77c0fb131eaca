/** What is known of the controller's work at one moment: all that health, metrics and the HTTP API tell. */

import type { Desired, Table } from '../model.ts';
import type { MassRemoval } from '../plan/brake.ts';
import type { Drains } from '../plan/drain.ts';
import type { Drift } from '../plan/drift.ts';
import type { Plan } from '../plan/plan.ts';
import type { VipRecords } from './vip-records.ts';

/** Times are milliseconds since the epoch. */
export interface Status {
  readonly startedAt: number;
  /** When the loop last showed that it moves: it does so every few seconds, also while nothing changes. */
  readonly movedAt: number;
  readonly dryRun: boolean;
  /** One for each `--source`, in the order given. */
  readonly sources: readonly SourceStatus[];
  /** null until every source was read once, or loaded from disk. */
  readonly lastPass: PassStatus | null;
  /** Every VIP as passes left it, by its id. */
  readonly vips: VipRecords;
  /** When a pass last ended with the kernel as desired; null if never. */
  readonly convergedAt: number | null;
}

export interface SourceStatus {
  /** As given on the command line, without credentials. */
  readonly name: string;
  /** When it was last read well; null if never since the start. */
  readonly readAt: number | null;
  /** What is used now comes from our own disk, saved at this time; null when it comes from the source. */
  readonly fromDiskOf: number | null;
  /** The last failure, if it came after the last good read. */
  readonly failure: { readonly at: number; readonly message: string } | null;
  readonly apps: number;
}

export interface PassStatus {
  readonly startedAt: number;
  readonly finishedAt: number;
  /** `full`: the kernel's whole table was read; `changes`: what we knew of it was used. */
  readonly kind: 'full' | 'changes';
  readonly desired: Desired;
  readonly plan: Plan;
  /** The table as it is after the pass, as far as known. */
  readonly observed: Table;
  /** Backends that drain, with the deadline of each. */
  readonly drains: Drains;
  /** Steps that failed, in ipvsadm's notation, and why; they are tried again. */
  readonly failures: readonly { readonly step: string; readonly message: string }[];
  /** How many steps were not tried because they failed before and their time has not come; the kernel is not as desired. */
  readonly waiting: number;
  /** What would be taken away but is held, since too much would go at once without being named; null: nothing. */
  readonly held: HeldRemoval | null;
  /** What is wrong with interface or routes and keeps VIPs from being reached, each with what mends it. */
  readonly problems: readonly string[];
  /** What should be other than it is (kernel settings, where names are answered), each with what mends it; VIPs are reached. */
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

/** A mass removal that is held. Times are milliseconds since the epoch. */
export interface HeldRemoval extends MassRemoval {
  readonly since: number;
  /** When the sources are asked again whether it is true. */
  readonly until: number;
}
