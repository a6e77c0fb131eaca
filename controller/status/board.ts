import type { EjectionReport } from '../model/ejection.ts';
import type { NamespacesReport } from '../netns/report.ts';
import { inSlices } from '../pace.ts';
import type { PassStatus } from '../pass-status.ts';
import type { Clock, Observer } from '../ports.ts';
import { createEpochOffset, withoutPause } from '../time.ts';
import type { History } from './history.ts';
import { LargeRemovals } from './large-removals.ts';
import type { Spreads } from './spread-watch.ts';
import type { SourceStatus, Status } from './status.ts';
import { type RecordsBefore, VipRecorder } from './vip-records.ts';

export interface StatusBoardOptions {
  /** Names of all sources, in the order of the command line. */
  readonly sources: readonly string[];
  readonly dryRun: boolean;
  readonly clock: Pick<Clock, 'epoch' | 'monotonic'>;
  /** Records what each pass changed. */
  readonly history?: Pick<History, 'passed' | 'notHeld'>;
  /** Ejected backends; absent with `--eject off`. */
  readonly ejection?: (() => EjectionReport) | undefined;
  /** How new connections spread over the backends of VIPs; absent if not measured. */
  readonly spreads?: (() => Spreads) | undefined;
  /** State of other network namespaces; absent without `--netns-dir`. */
  readonly namespaces?: (() => NamespacesReport) | undefined;
}

/** Observes the loop and holds the controller's current status. */
export interface StatusBoard extends Observer {
  /** Computes the records of a pass ahead of `passed`, in slices, so that a large pass does not block the event loop. */
  prepare(pass: PassStatus): Promise<void>;
  current(): Status;
}

/** Creates a board on which no source has been read and no pass has been made. */
export function createStatusBoard({
  sources,
  dryRun,
  clock,
  history,
  ejection,
  spreads,
  namespaces,
}: StatusBoardOptions): StatusBoard {
  const startedAt = clock.monotonic();
  const epochOffset = createEpochOffset(clock);
  const bySource = new Map(sources.map((name) => [name, unread(name)]));
  let movedAt = startedAt;
  let lastPass: PassStatus | null = null;
  let convergedAt: number | null = null;
  const recorder = new VipRecorder();
  const largeRemovals = new LargeRemovals();
  let prepared: { readonly pass: PassStatus; readonly before: RecordsBefore } | null = null;

  const update = (name: string, change: (before: SourceStatus) => Partial<SourceStatus>) => {
    const before = bySource.get(name) ?? unread(name);
    bySource.set(name, { ...before, ...change(before) });
  };

  return {
    moved() {
      movedAt = clock.monotonic();
    },
    sourceRead(source, { apps, complete, fromDiskOf }) {
      update(source, (before) => {
        // A time in the future means that the clock was wrong when the state was saved, or is wrong now.
        if (fromDiskOf !== null)
          return { apps, fromDiskOf: Math.min(clock.monotonic(), fromDiskOf - epochOffset()) };
        // One app that could be read does not clear a failure of the whole source: sources read everything again
        // after a failure, and that clears it.
        if (!complete && before.failure !== null) return { apps };
        return { apps, fromDiskOf: null, readAt: clock.monotonic(), failure: null };
      });
    },
    sourceFailed(source, { message }) {
      update(source, () => ({ failure: { at: clock.monotonic(), message } }));
    },
    async prepare(pass) {
      const record = recorder.start(pass);
      let before: RecordsBefore | null = null;
      await inSlices((pause) => {
        before = record(pause);
        return before !== null;
      });
      if (before !== null) prepared = { pass, before };
    },
    passed(pass) {
      lastPass = pass;
      const before = prepared?.pass === pass ? prepared.before : recorder.start(pass)(withoutPause);
      prepared = null;
      if (pass.error === null && before !== null) history?.passed(before, recorder.records, pass.finishedAt);
      const removal = largeRemovals.passed(pass);
      if (removal !== null) history?.notHeld(removal);
      if (isAsDesired(pass)) convergedAt = pass.finishedAt;
    },
    repaired() {
      // Only the metrics count repairs: they leave no state behind.
    },
    current: () => ({
      startedAt,
      movedAt,
      epochOffset: epochOffset(),
      dryRun,
      sources: [...bySource.values()],
      lastPass,
      vips: recorder.records,
      largeRemovals: largeRemovals.recent(clock.monotonic()),
      ejection: ejection?.() ?? null,
      spreads: spreads?.() ?? null,
      namespaces: namespaces?.() ?? null,
      convergedAt,
    }),
  };
}

function unread(name: string): SourceStatus {
  return { name, readAt: null, fromDiskOf: null, failure: null, apps: 0 };
}

function isAsDesired(pass: PassStatus): boolean {
  const broken = pass.error !== null || pass.failures.length + pass.waiting + pass.problems.length > 0;
  return !broken && pass.shortfall.length === 0;
}
