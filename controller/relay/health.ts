import { type Answer, line, METRICS, routeOf } from '../api/route.ts';
import { type HttpServer, type ServerOptions, startServer } from '../api/server.ts';
import type { Clock } from '../ports.ts';
import { type Blocker, createRelayMetrics, type RelayMetrics, type RelayObserver } from './metrics.ts';

/** The state of a relay's probes. */
export interface RelayHealth {
  /** Receives the events of the relay. */
  readonly observer: RelayObserver;
  readonly metrics: Pick<RelayMetrics, 'contentType' | 'text'>;
  /** Whether the process is alive: it waits to be elected, or its loop moves. */
  live(): Verdict;
  /** Whether it works: it waits to be elected, or it has read every source in time and can publish. */
  ready(): Verdict;
}

/** Whether a probe passes, and the text of its answer. */
export interface Verdict {
  readonly ok: boolean;
  readonly text: string;
}

/** Longer than any single write may take, and than a busy API server may postpone it. */
const STALL_MS = 300_000;

/** Creates the state of the relay's probes. A source that was not read for `staleMs` counts as stale. */
export function createRelayHealth(sources: readonly string[], clock: Clock, staleMs: number): RelayHealth {
  let movedAt: number | null = null;
  const readAt = new Map<string, number>();
  const failures = new Map<string, string>();
  const blockers = new Map<Blocker, string>();
  let held: string | null = null;
  const metrics = createRelayMetrics(sources, clock);
  const { observer } = metrics;
  return {
    metrics,
    observer: {
      ...observer,
      elected(leading) {
        observer.elected(leading);
        if (leading) return;
        // A relay that waits to be elected sends no heartbeats.
        movedAt = null;
        held = null;
      },
      compared(apps, kept) {
        observer.compared(apps, kept);
        held = kept.text;
      },
      blocked(cause, reason) {
        observer.blocked(cause, reason);
        if (reason === null) blockers.delete(cause);
        else blockers.set(cause, reason);
      },
      moved() {
        observer.moved();
        movedAt = clock.monotonic();
      },
      sourceRead(source, read) {
        observer.sourceRead(source, read);
        readAt.set(source, clock.monotonic());
        failures.delete(source);
      },
      sourceFailed(source, error) {
        observer.sourceFailed(source, error);
        failures.set(source, error.message);
      },
    },
    live() {
      const still = movedAt === null ? 0 : clock.monotonic() - movedAt;
      return {
        ok: movedAt === null || still < STALL_MS,
        text: `last heartbeat ${Math.round(still / 1_000)} s ago`,
      };
    },
    ready() {
      const [blocker] = blockers.values();
      if (blocker !== undefined) return { ok: false, text: `cannot publish: ${blocker}` };
      if (movedAt === null) return { ok: true, text: 'waiting to be elected' };
      const stale = sources.filter(
        (source) => clock.monotonic() - (readAt.get(source) ?? Number.NEGATIVE_INFINITY) > staleMs,
      );
      const texts = stale.map((source) => `${source} not read${why(failures.get(source))}`);
      const read = stale.length === 0 ? ['leading', 'all sources read'] : texts;
      return { ok: stale.length === 0, text: [...read, ...(held === null ? [] : [held])].join('; ') };
    },
  };
}

function why(failure: string | undefined): string {
  return failure === undefined ? '' : `: ${failure}`;
}

const route = routeOf<RelayHealth>();

/** For probes and Prometheus. */
const ROUTES = [
  route('GET', '/livez', 'none', { answer: ({ live }) => toAnswer(live()) }),
  route('GET', '/readyz', 'none', { answer: ({ ready }) => toAnswer(ready()) }),
  route('GET', '/metrics', 'read', METRICS),
];

function toAnswer({ ok, text }: Verdict): Answer {
  return line(ok ? 200 : 503, `${ok ? 'ok' : 'failed'}: ${text}`);
}

/** Serves the relay's probes and metrics. Rejects with a `ControllerError` if the address cannot be bound. */
export async function serveRelayHealth(
  options: Pick<ServerOptions<RelayHealth>, 'listen' | 'services' | 'clock' | 'log'>,
): Promise<HttpServer> {
  return await startServer({ ...options, routes: ROUTES, writesOff: null });
}
