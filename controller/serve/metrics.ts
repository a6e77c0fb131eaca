import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Step } from '../model.ts';
import type { Clock, Observer } from '../ports.ts';
import { shortfall } from '../status/shortfall.ts';
import type { PassStatus } from '../status/status.ts';

export interface MetricsOptions {
  /** Names of all sources. */
  readonly sources: readonly string[];
  readonly clock: Pick<Clock, 'now'>;
  readonly version: string;
}

/** Hears what the loop does and prints it for Prometheus. */
export interface Metrics extends Observer {
  readonly contentType: string;
  /** The exposition format. */
  text(): Promise<string>;
}
