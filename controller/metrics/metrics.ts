import { collectDefaultMetrics, Registry } from 'prom-client';
import type { AccessFiles } from '../api/access/files.ts';
import type { IpvsTables } from '../model/counters.ts';
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

/** Observes the loop and exposes what it does to Prometheus. */
export interface Metrics extends Observer {
  readonly contentType: string;
  /** All metrics in the Prometheus text format. */
  text(): Promise<string>;
}

/** Optional parts with metrics of their own. */
export interface MetricsParts {
  readonly dns?: DnsMetrics | undefined;
  /** A board that the caller updates before the metrics; without it the metrics keep one of their own. */
  readonly board?: StatusBoard | undefined;
  /** Certificates and tokens of `--listen`. */
  readonly access?: AccessFiles | undefined;
  /** Reads size and load of the kernel's IPVS tables. */
  readonly tables?: (() => Promise<IpvsTables | null>) | undefined;
}

/** The most changes whose latency is still open because no pass has brought them into the kernel. */
const MAX_WAITING = 10_000;

/**
 * Creates the metrics with the prefix `marathon_ipvs_`, and those of the process. docs/metrics.md lists them.
 *
 * Counters and histograms are 0 from the start, so that the first failure shows as an increase.
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

  /** Changes of a pass that failed stay open, since a later pass brings them into the kernel. */
  function countLatencies({ error, changesSince, finishedAt }: PassStatus): void {
    if (dryRun) return;
    waiting = [...waiting, ...changesSince].slice(-MAX_WAITING);
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

/** The drift that the pass repaired: without that of services that are still not as desired. */
function repairedDrift(pass: PassStatus): PassStatus['drift'] {
  if (pass.error !== null || pass.drift.length === 0) return [];
  const broken = new Set(pass.shortfall.map(({ key }) => key));
  return pass.drift.filter(({ service }) => !broken.has(service));
}
