import { Counter, Histogram, type Registry } from 'prom-client';
import type { Step } from '../model/kernel.ts';
import type { PassStatus } from '../pass-status.ts';
import { backendFields, serviceFields } from '../settings/settings.ts';

const KINDS: readonly PassStatus['kind'][] = ['full', 'changes'];
const RESULTS = ['converged', 'incomplete', 'error'] as const;

/** ipvsadm's letter for each kind of step. */
const OPS: Readonly<Record<string, Step['op']>> = {
  '-A': 'add-service',
  '-E': 'update-service',
  '-D': 'remove-service',
  '-a': 'add-backend',
  '-e': 'update-backend',
  '-d': 'remove-backend',
};

const DRIFT_FIELDS = ['added', 'removed', ...serviceFields.names, ...backendFields.names];

const PASS_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
const LATENCY_SECONDS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];

/** Counters and histograms, updated as passes and reads happen. */
export function createCounters(registry: Registry, sources: readonly string[]) {
  const counters = { ...passCounters(registry), ...createSourceCounters(registry, sources) };
  const { stepFailures, ...rest } = counters;
  return {
    ...rest,
    /** Counts a failed write; `step` is in the notation of ipvsadm. */
    countFailure(step: string): void {
      stepFailures.inc({ op: OPS[step.slice(0, 2)] ?? 'other' });
    },
  };
}

function passCounters(registry: Registry) {
  const registers = [registry];
  const passes = new Counter({
    name: 'marathon_ipvs_passes_total',
    help: 'Passes by kind (full: the whole kernel table was read) and result (converged: the kernel is in the desired state; incomplete: work is left; error: the pass ended early).',
    labelNames: ['kind', 'result'],
    registers,
  });
  for (const kind of KINDS) for (const result of RESULTS) passes.inc({ kind, result }, 0);
  const passDuration = new Histogram({
    name: 'marathon_ipvs_pass_duration_seconds',
    help: 'Duration of passes, by kind.',
    labelNames: ['kind'],
    buckets: PASS_SECONDS,
    registers,
  });
  for (const kind of KINDS) passDuration.zero({ kind });
  const changeLatency = new Histogram({
    name: 'marathon_ipvs_change_latency_seconds',
    help: 'Time from a change reported by a source until it is in the kernel.',
    buckets: LATENCY_SECONDS,
    registers,
  });
  return { passes, passDuration, changeLatency, ...stepCounters(registry) };
}

function stepCounters(registry: Registry) {
  const registers = [registry];
  const steps = new Counter({
    name: 'marathon_ipvs_steps_total',
    help: 'Writes made to the kernel table, by kind.',
    labelNames: ['op'],
    registers,
  });
  const stepFailures = new Counter({
    name: 'marathon_ipvs_step_failures_total',
    help: 'Failed writes to the kernel table, by kind; each retry that fails counts again.',
    labelNames: ['op'],
    registers,
  });
  for (const op of Object.values(OPS)) for (const counter of [steps, stepFailures]) counter.inc({ op }, 0);
  const driftRepaired = new Counter({
    name: 'marathon_ipvs_drift_repaired_total',
    help: "Changes by other programs to this controller's services that were repaired, by field; added and removed: a whole service or backend.",
    labelNames: ['field'],
    registers,
  });
  for (const field of DRIFT_FIELDS) driftRepaired.inc({ field }, 0);
  const reachabilityRepaired = new Counter({
    name: 'marathon_ipvs_reachability_repaired_total',
    help: 'Changes made to the interface, routes, packet filter and kernel settings, including the first set-up.',
    registers,
  });
  return { steps, stepFailures, driftRepaired, reachabilityRepaired };
}

/** Counters of reads of the sources. */
export function createSourceCounters(registry: Registry, sources: readonly string[]) {
  const registers = [registry];
  const sourceReads = new Counter({
    name: 'marathon_ipvs_source_reads_total',
    help: 'Successful reads of a source: of the full list, or of an app named by an event.',
    labelNames: ['source'],
    registers,
  });
  const sourceFailures = new Counter({
    name: 'marathon_ipvs_source_failures_total',
    help: 'Failed reads of a source.',
    labelNames: ['source'],
    registers,
  });
  for (const source of sources) {
    for (const counter of [sourceReads, sourceFailures]) counter.inc({ source }, 0);
  }
  return { sourceReads, sourceFailures };
}
