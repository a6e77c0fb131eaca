import { openAccessFiles } from '../../api/access/files.ts';
import type { Doctor } from '../../api/doctor.ts';
import { type HttpOptions, type HttpServer, startHttp } from '../../api/http.ts';
import type { PageFacts } from '../../api/page/facts.ts';
import type { Explain } from '../../api/why.ts';
import type { Config } from '../../config/config.ts';
import type { ListenOption } from '../../config/values.ts';
import { examine } from '../../doctor/examine.ts';
import { readFacts } from '../../doctor/read-facts.ts';
import { run as runLoop, type WakeReason } from '../../loop/run.ts';
import { createMetrics } from '../../metrics/metrics.ts';
import { endpointKey } from '../../model/endpoint.ts';
import type { Observer, Reporter } from '../../ports.ts';
import { createStatusBoard } from '../../status/board.ts';
import { createHistory } from '../../status/history.ts';
import { SpreadWatch } from '../../status/spread-watch.ts';
import { createServiceManager } from '../../systemd/service-manager.ts';
import { Latch, systemClock } from '../../time.ts';
import { desiredFromStatus } from '../../why/desired-state.ts';
import { explain } from '../../why/trace.ts';
import { whyPorts } from '../../wire/why.ts';
import type { Parts } from '../../wire/wire.ts';
import { endsInTime } from '../ending.ts';
import { formatReport, type PrintOptions } from './report.ts';

/** How long to wait for the sources at the start before the last good state is loaded from disk. */
const RESTORE_AFTER_MS = 5_000;

/** The signals of the process. */
export interface Signals {
  /** Ends the run (SIGTERM, SIGINT). */
  readonly stop: AbortSignal;
  /** Calls `listener` to read and correct the whole kernel table at once (SIGHUP). */
  onResync(listener: () => void): void;
}

/**
 * Reconciles until `signals.stop` aborts, and serves health, metrics and the API over HTTP. With `--dry-run` it prints the
 * diff whenever it changes, and changes nothing. Resolves with false if work is still in progress that does not end; the
 * caller must then end the process without waiting for it.
 */
export async function run(
  config: Config,
  parts: Parts,
  printOptions: PrintOptions,
  print: (text: string) => void,
  signals: Signals,
): Promise<boolean> {
  const { log } = parts;
  const sources = parts.sources.map(({ name }) => name);
  const { watch, namespaces, counters } = parts;
  const ejection = watch == null ? undefined : () => watch.report();
  const fleet = namespaces?.fleet;
  const reports = { ejection, namespaces: fleet && (() => fleet.report) };
  const observed = { sources, dryRun: config.dryRun, clock: parts.clock, ...reports };
  const history = createHistory();
  const spread =
    counters === null ? undefined : new SpreadWatch(counters, () => board.current().vips, parts.clock);
  const board = createStatusBoard({ ...observed, history, spreads: spread && (() => spread.spreads) });
  const access = config.listen === null ? undefined : await openAccessFiles(config, parts);
  const tables = parts.readTables ?? undefined;
  const metrics = createMetrics(observed, { dns: parts.dns?.metrics, board, access, tables });
  const printer = config.dryRun ? createPrinter(printOptions, print) : null;
  const manager = createServiceManager(process.env, parts);
  const observers = [board, metrics, printer, manager].filter((one) => one !== null);
  const limits = { relistMs: config.relistSeconds * 1_000, resyncMs: config.resyncSeconds * 1_000 };
  const servers = await serve(config, parts, {
    status: board.current,
    metrics,
    log,
    history,
    limits,
    access,
    counters: spread,
  });

  const wake = new Latch<WakeReason>();
  signals.onResync(() => {
    manager?.reloading();
    wake.set('resync');
    namespaces?.followers.resync();
  });
  signals.stop.addEventListener('abort', () => manager?.stopping());
  try {
    const options = {
      resyncMs: config.resyncSeconds * 1_000,
      settleMs: config.settleMs,
      restoreAfterMs: RESTORE_AFTER_MS,
      dryRun: config.dryRun,
    };
    const observer = toAll(observers, parts.reporters);
    const ports = { ...parts, observer, followers: namespaces?.followers };
    const reporting = parts.reporters.map((reporter) => reporter.run(signals.stop));
    const watching = watch?.run(() => wake.set('ejections'), signals.stop);
    const keeping = fleet?.run(signals.stop);
    const comparing = spread?.run(signals.stop);
    const looping = runLoop(ports, parts.reconciler, options, wake, signals.stop);
    const working = Promise.all([looping, ...reporting, watching, keeping, comparing]);
    const isOver = await endsInTime(working, signals.stop, parts.clock);
    if (!isOver) log.warn('stopping although some work has not ended', { reason: UNANSWERED });
    return isOver;
  } finally {
    await Promise.all([...servers.map((server) => server.close()), parts.dns?.server.close()]);
  }
}

const UNANSWERED =
  'a file system (that of --state-dir or --ledger) or the kernel does not answer; the last write may be missing';

/** What `--metrics-listen` serves. */
const PROBES = { paths: ['/livez', '/readyz', '/healthz', '/metrics'], flag: '--metrics-listen' };

/** Opens the configured HTTP ports; if one fails, closes the others. */
async function serve(
  config: Config,
  parts: Parts,
  {
    access,
    counters,
    ...common
  }: Pick<HttpOptions, 'status' | 'metrics' | 'log' | 'history' | 'limits' | 'access' | 'counters'>,
): Promise<readonly Pick<HttpServer, 'close'>[]> {
  const { listen, metricsListen } = config;
  const servers: Pick<HttpServer, 'close'>[] = [{ close: async () => access?.close() }];
  try {
    if (listen !== null) {
      const server = await startHttp({
        ...common,
        listen,
        access,
        counters,
        doctor: examiner(config, listen),
        explain: explainer(config, listen),
        page: pageFacts(config),
        writing: parts.writing ?? undefined,
      });
      servers.push(server);
      common.log.info('serving', { url: server.url });
    }
    if (metricsListen !== null) {
      servers.push(await startHttp({ ...common, listen: metricsListen, only: PROBES }));
    }
    return servers;
  } catch (error) {
    await Promise.all(servers.map((server) => server.close()));
    throw error;
  }
}

function pageFacts(config: Config): PageFacts {
  const { zone, framework = 'marathon', dryRun, allowWrites: writes } = config;
  const readToken = config.readTokenFile !== undefined || (writes && config.writeTokenFile !== undefined);
  return { zone, framework, dryRun, writes, readToken };
}

function examiner(config: Config, listen: ListenOption): Doctor {
  return async (status) => {
    const scheme = config.tlsCertFile === undefined ? 'http' : 'https';
    const facts = await readFacts(config, { url: `${scheme}://${endpointKey(listen)}`, status });
    return examine(facts, systemClock.epoch());
  };
}

function explainer(config: Config, listen: ListenOption): Explain {
  return async (vip, status, signal) => {
    const scheme = config.tlsCertFile === undefined ? 'http' : 'https';
    const desired = async () => desiredFromStatus(await status(), `${scheme}://${endpointKey(listen)}`);
    return await explain(vip, whyPorts(config, desired), systemClock.epoch(), signal);
  };
}

function toAll(observers: readonly Observer[], reporters: readonly Reporter[]): Observer {
  return {
    moved() {
      for (const observer of observers) observer.moved();
    },
    sourceRead(source, read) {
      for (const observer of observers) observer.sourceRead(source, read);
    },
    sourceFailed(source, error) {
      for (const observer of observers) observer.sourceFailed(source, error);
    },
    async prepare(pass) {
      for (const observer of observers) await observer.prepare?.(pass);
    },
    passed(pass) {
      for (const observer of [...observers, ...reporters]) observer.passed(pass);
    },
    repaired(changes) {
      for (const observer of observers) observer.repaired(changes);
    },
  };
}

function createPrinter(options: PrintOptions, print: (text: string) => void): Observer {
  let printed = '';
  return {
    moved: () => undefined,
    sourceRead: () => undefined,
    sourceFailed: () => undefined,
    repaired: () => undefined,
    passed(pass) {
      if (pass.error !== null) return;
      const text = formatReport(pass, options);
      if (text !== printed) print(text);
      printed = text;
    },
  };
}
