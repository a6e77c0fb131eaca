import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import { createSourceCounters } from '../metrics/counters.ts';
import { registerBuildInfo, registerSourceGauges } from '../metrics/gauges.ts';
import type { Clock, Observer } from '../ports.ts';
import { createStatusBoard } from '../status/board.ts';

/** Learns what a relay does beside following its sources. Must not throw. */
export interface RelayObserver extends Observer {
  /** It was elected, or is so no longer. */
  elected(leading: boolean): void;
  /** All was compared: so many apps are published, and so many of them, and of endpoints, only because they are held. */
  compared(apps: number, heldApps: number, heldEndpoints: number): void;
  /** Why nothing can be published: the Lease, reading what is published, or each write fails; null: that does not any more. */
  blocked(cause: Blocker, why: string | null): void;
  /** A write was made, or failed. */
  wrote(op: WriteOp, failed: boolean): void;
}

export type Blocker = 'lease' | 'read' | 'write';

export type WriteOp = 'apply' | 'delete';

export interface RelayMetrics {
  readonly contentType: string;
  readonly observer: RelayObserver;
  text(): Promise<string>;
}

const OPS: readonly WriteOp[] = ['apply', 'delete'];

/** Metrics of a relay, with the prefix `marathon_ipvs_relay_`, besides those of its sources and the process. */
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
  // One that waits reads no source: what it knows would look like old data.
  registerSourceGauges(
    registry,
    () => (leads ? board.current() : { ...board.current(), sources: [] }),
    clock,
  );
  const { sourceReads, sourceFailures } = createSourceCounters(registry, sources);
  const leader = new Gauge({
    name: 'marathon_ipvs_relay_leader',
    help: '1 while this relay is elected: it alone reads the sources and writes.',
    registers,
  });
  const apps = new Gauge({
    name: 'marathon_ipvs_relay_apps',
    help: 'Apps and pods that are published, as of the last comparison.',
    registers,
  });
  const held = new Gauge({
    name: 'marathon_ipvs_relay_held_apps',
    help: 'Apps and pods that stay published although no source mentions them: too many would go at once.',
    registers,
  });
  const heldEndpoints = new Gauge({
    name: 'marathon_ipvs_relay_held_endpoints',
    help: 'Endpoints that stay published although no source mentions their tasks: too many would go at once.',
    registers,
  });
  const writes = new Counter({
    name: 'marathon_ipvs_relay_writes_total',
    help: 'Objects written to the API server, by what was done.',
    labelNames: ['op'],
    registers,
  });
  const failures = new Counter({
    name: 'marathon_ipvs_relay_write_failures_total',
    help: 'Writes to the API server that failed, by what was to be done; each is tried again and counts every time.',
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
      compared(published, keptApps, keptEndpoints) {
        apps.set(published);
        held.set(keptApps);
        heldEndpoints.set(keptEndpoints);
      },
      blocked: () => undefined,
      wrote: (op, failed) => (failed ? failures : writes).inc({ op }),
    },
  };
}
