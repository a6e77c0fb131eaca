import { collectDefaultMetrics, Registry } from 'prom-client';
import type { AccessFiles } from '../api/access/files.ts';
import type { IpvsTables } from '../counters.ts';
import type { PassStatus } from '../pass-status.ts';
import type { Observer } from '../ports.ts';
import { createStatusBoard, type StatusBoard, type StatusBoardOptions } from '../status/board.ts';
import { registerAccessGauges } from './access.ts';
import { createCounters } from './counters.ts';
import type { DnsMetrics } from './dns.ts';
import { registerEjectionMetrics } from './ejection.ts';
import { registerGauges } from './gauges.ts';
import { registerKernelMetrics } from './kernel.ts';
import { registerNamespaceMetrics } from './namespaces.ts';

/** Hears what the loop does and tells it to Prometheus. */
export interface Metrics extends Observer {
  readonly contentType: string;
  /** Everything in the text form that Prometheus reads. */
  text(): Promise<string>;
}

/** What they tell besides, where there is such a part. */
export interface MetricsParts {
  readonly dns?: DnsMetrics | undefined;
  /** A board that is told by whoever tells the metrics, and before them; else they keep one of their own. */
  readonly board?: StatusBoard | undefined;
  /** Keys and tokens of `--listen`. */
  readonly access?: AccessFiles | undefined;
  /** Reads size and load of the kernel's tables. */
  readonly tables?: (() => Promise<IpvsTables | null>) | undefined;
}

/** How many changes that no pass could bring into the kernel are remembered for their latency. */
const MOST_WAITING = 10_000;

/**
 * Metrics with the prefix `marathon_ipvs_`, besides those of the process. docs/metrics.md lists them.
 *
 * Counters and histograms stand at 0 from the start, so that the first failure is an increase.
 */
export function createMetrics(
  options: StatusBoardOptions,
  { dns, board: shared, access, tables }: MetricsParts = {},
): Metrics {
  const { sources, dryRun, clock } = options;
  const registry = new Registry();
  // The default precision wakes an idle process a hundred times a second.
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 100 });
  if (options.ejection !== undefined) registerEjectionMetrics(registry, options.ejection);
  if (options.namespaces !== undefined) registerNamespaceMetrics(registry, options.namespaces);
  const board = shared ?? createStatusBoard(options);
  const own = shared === undefined ? board : null;
  registerGauges(registry, board.current, clock);
  dns?.register(registry);
  if (access !== undefined) registerAccessGauges(registry, access);
  if (tables !== undefined) registerKernelMetrics(registry, tables);
  const counters = createCounters(registry, sources);
  let waiting: readonly number[] = [];

  /** A change that an interrupted pass took along reaches the kernel with a later one. */
  function countLatencies({ error, changesSince, finishedAt }: PassStatus): void {
    if (dryRun) return;
    waiting = [...waiting, ...changesSince].slice(-MOST_WAITING);
    if (error !== null) return;
    for (const since of waiting) counters.changeLatency.observe(Math.max(0, finishedAt - since) / 1_000);
    waiting = [];
  }

  return {
    contentType: registry.contentType,
    text: () => registry.metrics(),
    moved: () => own?.moved(),
    sourceRead(source, read) {
      own?.sourceRead(source, read);
      if (read.fromDiskOf === null) counters.sourceReads.inc({ source });
    },
    sourceFailed(source, error) {
      own?.sourceFailed(source, error);
      counters.sourceFailures.inc({ source });
    },
    passed(pass) {
      own?.passed(pass);
      counters.passes.inc({ kind: pass.kind, result: resultOf(pass) });
      counters.passDuration.observe(
        { kind: pass.kind },
        Math.max(0, pass.finishedAt - pass.startedAt) / 1_000,
      );
      for (const [op, steps] of Map.groupBy(pass.made, (step) => step.op))
        counters.steps.inc({ op }, steps.length);
      for (const { step } of pass.failures) counters.countFailure(step);
      for (const { field } of repairedDrift(pass)) counters.driftRepaired.inc({ field });
      counters.reachabilityRepaired.inc(pass.repaired.length);
      countLatencies(pass);
    },
    repaired(changes) {
      counters.reachabilityRepaired.inc(changes.length);
    },
  };
}

function resultOf(pass: PassStatus): 'converged' | 'incomplete' | 'error' {
  if (pass.error !== null) return 'error';
  return pass.failures.length + pass.waiting + pass.shortfall.length === 0 ? 'converged' : 'incomplete';
}

/** What someone changed in a service that is not as desired after the pass has not been repaired. */
function repairedDrift(pass: PassStatus): PassStatus['drift'] {
  if (pass.error !== null || pass.drift.length === 0) return [];
  const broken = new Set(pass.shortfall.map(({ key }) => key));
  return pass.drift.filter(({ service }) => !broken.has(service));
}
