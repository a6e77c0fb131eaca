/** What is known of the controller's work at one moment: all that health, metrics and the HTTP API tell. */

import type { EjectionReport } from '../ejection.ts';
import type { NamespacesReport } from '../namespace-report.ts';
import type { PassStatus } from '../pass-status.ts';
import type { PastRemoval } from './large-removals.ts';
import type { Spreads } from './spread-watch.ts';
import type { VipRecords } from './vip-records.ts';

/** Times are milliseconds of the monotonic clock. */
export interface Status {
  readonly startedAt: number;
  /** When the loop last showed that it moves: it does so every few seconds, also while nothing changes. */
  readonly movedAt: number;
  /** Added to a time of this status it gives milliseconds since the epoch. */
  readonly epochOffset: number;
  readonly dryRun: boolean;
  /** One for each `--source`, in the order given. */
  readonly sources: readonly SourceStatus[];
  /** null until every source was read once, or loaded from disk. */
  readonly lastPass: PassStatus | null;
  /** Every VIP as passes left it, by its id. */
  readonly vips: VipRecords;
  /** Large removals of the last hour that were not held, the newest first. */
  readonly largeRemovals: readonly PastRemoval[];
  /** What watching the backends has found; null or absent where nobody watches. */
  readonly ejection?: EjectionReport | null;
  /** How new connections spread over the backends of VIPs; null or absent where that is not measured. */
  readonly spreads?: Spreads | null;
  /** How VIPs are kept in other network namespaces; null or absent where none are. */
  readonly namespaces?: NamespacesReport | null;
  /** When a pass last ended with the kernel as desired; null if never. */
  readonly convergedAt: number | null;
}

export interface SourceStatus {
  /** As given on the command line, without credentials. */
  readonly name: string;
  /** When it was last read well; null if never since the start. */
  readonly readAt: number | null;
  /** What is used now comes from our own disk, saved at this time (which may be before the process began); null when it comes from the source. */
  readonly fromDiskOf: number | null;
  /** The last failure, if it came after the last good read. */
  readonly failure: { readonly at: number; readonly message: string } | null;
  readonly apps: number;
}
