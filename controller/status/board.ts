import type { EjectionReport } from '../ejection.ts';
import type { NamespacesReport } from '../namespace-report.ts';
import { inSlices } from '../pace.ts';
import type { PassStatus } from '../pass-status.ts';
import { withoutPause } from '../pause.ts';
import type { Clock, Observer } from '../ports.ts';
import { createEpochOffset } from '../time.ts';
import type { History } from './history.ts';
import { LargeRemovals } from './large-removals.ts';
import type { Spreads } from './spread-watch.ts';
import type { SourceStatus, Status } from './status.ts';
import { type RecordsBefore, VipRecorder } from './vip-records.ts';

export interface StatusBoardOptions {
  /** Names of all sources, in the order given. */
  readonly sources: readonly string[];
  readonly dryRun: boolean;
  readonly clock: Pick<Clock, 'epoch' | 'monotonic'>;
  /** Is told of what each pass changed. */
  readonly history?: Pick<History, 'passed' | 'notHeld'>;
  /** What watching the backends has found; absent where nobody watches. */
  readonly ejection?: (() => EjectionReport) | undefined;
  /** How new connections spread over the backends of VIPs; absent where that is not measured. */
  readonly spreads?: (() => Spreads) | undefined;
  /** How VIPs are kept in other network namespaces; absent where none are. */
  readonly namespaces?: (() => NamespacesReport) | undefined;
}

/** Hears what the loop does and tells what is known at this moment. */
export interface StatusBoard extends Observer {
  prepare(pass: PassStatus): Promise<void>;
  current(): Status;
}

/** A board that knows of the sources and of nothing else yet. */
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
        // A time of the future is one of a clock that was wrong: then, or now.
        if (fromDiskOf !== null)
          return { apps, fromDiskOf: Math.min(clock.monotonic(), fromDiskOf - epochOffset()) };
        // That one app could be read says little of a source that failed as a whole: it has recovered when all of it
        // could be read again, which sources do after every failure.
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
      // Counted by the metrics; what was repaired is no state.
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
