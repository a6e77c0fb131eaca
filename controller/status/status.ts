/** The controller's status at one moment: the data behind health checks, metrics and the HTTP API. */

import type { EjectionReport } from '../model/ejection.ts';
import type { NamespacesReport } from '../netns/report.ts';
import type { PassStatus } from '../pass-status.ts';
import type { PastRemoval } from './large-removals.ts';
import type { Spreads } from './spread-watch.ts';
import type { VipRecords } from './vip-records.ts';

/** Times are milliseconds of the monotonic clock. */
export interface Status {
  readonly startedAt: number;
  /** The loop's last heartbeat: it sends one every few seconds, even while nothing changes. */
  readonly movedAt: number;
  /** Added to a time of this status, gives milliseconds since the epoch. */
  readonly epochOffset: number;
  readonly dryRun: boolean;
  /** One for each `--source`, in the order of the command line. */
  readonly sources: readonly SourceStatus[];
  /** null until every source was read once, or loaded from disk. */
  readonly lastPass: PassStatus | null;
  /** Every VIP as the last pass left it, by id. */
  readonly vips: VipRecords;
  /** Large removals of the last hour that were not held, the newest first. */
  readonly largeRemovals: readonly PastRemoval[];
  /** Ejected backends; null or absent with `--eject off`. */
  readonly ejection?: EjectionReport | null;
  /** How new connections spread over the backends of VIPs; null or absent if not measured. */
  readonly spreads?: Spreads | null;
  /** State of other network namespaces; null or absent without `--netns-dir`. */
  readonly namespaces?: NamespacesReport | null;
  /** When a pass last left the kernel as desired; null if none did. */
  readonly convergedAt: number | null;
}

export interface SourceStatus {
  /** As given on the command line, without credentials. */
  readonly name: string;
  /** When it was last read successfully; null if never since the start. */
  readonly readAt: number | null;
  /** When the state in use was saved to disk, possibly before the process began; null if it comes from the source itself. */
  readonly fromDiskOf: number | null;
  /** The last failure, if it came after the last successful read. */
  readonly failure: { readonly at: number; readonly message: string } | null;
  readonly apps: number;
}
