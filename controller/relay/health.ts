import { type Answer, line, METRICS, routeOf } from '../api/route.ts';
import { type HttpServer, type ServerOptions, startServer } from '../api/server.ts';
import type { Clock } from '../ports.ts';
import { type Blocker, createRelayMetrics, type RelayMetrics, type RelayObserver } from './metrics.ts';

export interface RelayHealth {
  /** What the relay tells of its work. */
  readonly observer: RelayObserver;
  readonly metrics: Pick<RelayMetrics, 'contentType' | 'text'>;
  /** Whether the process is worth keeping: its leader moves, or it waits to be elected. */
  live(): Verdict;
  /** Whether it is of use: it waits, or every source was read within its time and what it says can be published. */
  ready(): Verdict;
}

export interface Verdict {
  readonly ok: boolean;
  readonly text: string;
}

/** A loop that has not moved for so long hangs in a write that has long timed out. */
const STILL_MS = 300_000;

/** Keeps what the relay did, for its probes. `staleMs`: a source that was not read for so long is old. */
export function createRelayHealth(sources: readonly string[], clock: Clock, staleMs: number): RelayHealth {
  let movedAt: number | null = null;
  const readAt = new Map<string, number>();
  const failures = new Map<string, string>();
  const blockers = new Map<Blocker, string>();
  const metrics = createRelayMetrics(sources, clock);
  const { observer } = metrics;
  return {
    metrics,
    observer: {
      ...observer,
      elected(leading) {
        observer.elected(leading);
        // One that has led and waits again moves no more than one that never led.
        if (!leading) movedAt = null;
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
        ok: movedAt === null || still < STILL_MS,
        text: `last moved ${Math.round(still / 1_000)} s ago`,
      };
    },
    ready() {
      const [blocker] = blockers.values();
      if (blocker !== undefined) return { ok: false, text: `nothing can be published: ${blocker}` };
      if (movedAt === null) return { ok: true, text: 'waiting to be elected' };
      const old = sources.filter(
        (source) => clock.monotonic() - (readAt.get(source) ?? Number.NEGATIVE_INFINITY) > staleMs,
      );
      const words = old.map((source) => `${source} not read${why(failures.get(source))}`);
      return {
        ok: old.length === 0,
        text: old.length === 0 ? 'leading; all sources read' : words.join('; '),
      };
    },
  };
}

function why(failure: string | undefined): string {
  return failure === undefined ? '' : `: ${failure}`;
}

const route = routeOf<RelayHealth>();

/** For probes and Prometheus. */
const ROUTES = [
  route('GET', '/livez', 'none', { answer: ({ live }) => told(live()) }),
  route('GET', '/readyz', 'none', { answer: ({ ready }) => told(ready()) }),
  route('GET', '/metrics', 'read', METRICS),
];

function told({ ok, text }: Verdict): Answer {
  return line(ok ? 200 : 503, `${ok ? 'ok' : 'failed'}: ${text}`);
}

/** Serves them. Rejects with a `ControllerError` when the address cannot be used. */
export async function serveRelayHealth(
  options: Pick<ServerOptions<RelayHealth>, 'listen' | 'services' | 'clock' | 'log'>,
): Promise<HttpServer> {
  return await startServer({ ...options, routes: ROUTES, writesOff: null });
}
