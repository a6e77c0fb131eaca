import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import { createSourceCounters } from '../metrics/counters.ts';
import { registerBuildInfo, registerSourceGauges } from '../metrics/gauges.ts';
import type { Clock, Observer } from '../ports.ts';
import { createStatusBoard } from '../status/board.ts';

/** Observes what a relay does besides following its sources. Must not throw. */
export interface RelayObserver extends Observer {
  /** The relay was elected, or is no longer. */
  elected(leading: boolean): void;
  /** A comparison is complete: the number of published apps, and what is published only because it is held. */
  compared(apps: number, held: HeldCounts): void;
  /** The relay cannot publish because of the Lease, of reading what is published, or of its writes; `why` is null once it can. */
  blocked(cause: Blocker, why: string | null): void;
  /** A write succeeded or failed. */
  wrote(op: WriteOp, failed: boolean): void;
}

export interface HeldCounts {
  readonly apps: number;
  readonly endpoints: number;
  /** What is held and why, for an operator; null if nothing is. */
  readonly text: string | null;
}

export type Blocker = 'lease' | 'read' | 'write';

export type WriteOp = 'apply' | 'delete';

export interface RelayMetrics {
  readonly contentType: string;
  readonly observer: RelayObserver;
  text(): Promise<string>;
}

const OPS: readonly WriteOp[] = ['apply', 'delete'];

/** Creates the metrics of a relay (prefix `marathon_ipvs_relay_`), of its sources and of the process. */
export function createRelayMetrics(
  sources: readonly string[],
  clock: Pick<Clock, 'epoch' | 'monotonic'>,
): RelayMetrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 100 });
  registerBuildInfo(registry);
  const board = createStatusBoard({ sources, dryRun: false, clock });
  let leads = false;
  // A waiting relay reads no source, and its last reads would look like stale data.
  registerSourceGauges(
    registry,
    () => (leads ? board.current() : { ...board.current(), sources: [] }),
    clock,
  );
  const { sourceReads, sourceFailures } = createSourceCounters(registry, sources);
  const leader = new Gauge({
    name: 'marathon_ipvs_relay_leader',
    help: '1 while this relay is the elected leader, which alone reads the sources and writes.',
    registers,
  });
  const apps = new Gauge({
    name: 'marathon_ipvs_relay_apps',
    help: 'Published apps and pods, as of the last comparison.',
    registers,
  });
  const held = new Gauge({
    name: 'marathon_ipvs_relay_held_apps',
    help: 'Apps and pods that no source lists any more and that the mass-removal brake keeps published.',
    registers,
  });
  const heldEndpoints = new Gauge({
    name: 'marathon_ipvs_relay_held_endpoints',
    help: 'Endpoints whose tasks no source lists any more and that the mass-removal brake keeps published.',
    registers,
  });
  const writes = new Counter({
    name: 'marathon_ipvs_relay_writes_total',
    help: 'Objects written to the API server, by operation.',
    labelNames: ['op'],
    registers,
  });
  const failures = new Counter({
    name: 'marathon_ipvs_relay_write_failures_total',
    help: 'Failed writes to the API server, by operation; each retry that fails counts again.',
    labelNames: ['op'],
    registers,
  });
  for (const op of OPS) for (const counter of [writes, failures]) counter.inc({ op }, 0);

  return {
    contentType: registry.contentType,
    text: () => registry.metrics(),
    observer: {
      moved: board.moved,
      sourceRead(source, read) {
        board.sourceRead(source, read);
        sourceReads.inc({ source });
      },
      sourceFailed(source, error) {
        board.sourceFailed(source, error);
        sourceFailures.inc({ source });
      },
      passed: () => undefined,
      repaired: () => undefined,
      elected(leading) {
        leads = leading;
        leader.set(leading ? 1 : 0);
        if (leading) return;
        apps.set(0);
        held.set(0);
        heldEndpoints.set(0);
      },
      compared(published, kept) {
        apps.set(published);
        held.set(kept.apps);
        heldEndpoints.set(kept.endpoints);
      },
      blocked: () => undefined,
      wrote: (op, failed) => (failed ? failures : writes).inc({ op }),
    },
  };
}
