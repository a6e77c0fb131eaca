import { createHash } from 'node:crypto';
import type { Metrics } from '../metrics/metrics.ts';
import type { PassStatus } from '../pass-status.ts';
import { toJson } from '../plan/print-json.ts';
import type { KernelCounters } from '../ports.ts';
import { DEFAULT_LIMITS, type HealthLimits } from '../status/checks.ts';
import { createHistory, type History } from '../status/history.ts';
import { reportOf } from '../status/report.ts';
import type { Status } from '../status/status.ts';
import { vipsView } from '../status/vips-view.ts';
import { systemClock } from '../time.ts';
import { visibleJson } from '../visible.ts';
import { WRITES_DISABLED } from './apps.ts';
import { createFollow } from './deployments.ts';
import { createExamine, type Doctor } from './doctor.ts';
import { createEvents } from './events.ts';
import { createLiveStatus } from './live-status.ts';
import type { PageFacts } from './page/facts.ts';
import { createPage } from './page/page.ts';
import { ROUTES } from './routes.ts';
import { type HttpServer, type ServerOptions, startServer } from './server.ts';
import type { AppWriting, Services } from './services.ts';
import { createTrace, type Explain } from './why.ts';

export type { HttpServer } from './server.ts';

export interface HttpOptions
  extends Pick<ServerOptions<Services>, 'listen' | 'access' | 'connections' | 'log'>,
    Partial<Pick<ServerOptions<Services>, 'clock'>> {
  readonly status: () => Status;
  readonly metrics: Pick<Metrics, 'contentType' | 'text'>;
  /** Serves only these paths, to everyone who can reach the address; `flag` is the option that sets the address. */
  readonly only?: { readonly paths: readonly string[]; readonly flag: string } | undefined;
  /** Reads the kernel's counters for `/v1/status`; defaults to the counters of the last pass. */
  readonly counters?: KernelCounters | undefined;
  /** Runs the checks of `/v1/doctor`. */
  readonly doctor?: Doctor | undefined;
  /** Traces connections for `/v1/why`. */
  readonly explain?: Explain | undefined;
  /** What happened to each VIP; defaults to an empty history. */
  readonly history?: Pick<History, 'ofVip' | 'latest'> | undefined;
  /** Facts for the page; default to the names of DC/OS, without writing. */
  readonly page?: PageFacts | undefined;
  /** Writes apps for `/v1/apps`; without it writing is disabled. */
  readonly writing?: AppWriting | undefined;
  /** Health limits that differ from the defaults. */
  readonly limits?: Partial<HealthLimits> | undefined;
}

const DEFAULT_PAGE: PageFacts = {
  zone: 'l4lb.thisdcos.directory',
  framework: 'marathon',
  dryRun: false,
  writes: false,
  readToken: false,
};

/** Serves the page, health, metrics and the API. Rejects with a `ControllerError` when the address cannot be used. */
export async function startHttp(options: HttpOptions): Promise<HttpServer> {
  const { access, only, doctor, explain, writing, log, clock = systemClock } = options;
  const { status, metrics, history = createHistory(), page = DEFAULT_PAGE } = options;
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const warnings = access?.warnings ?? (() => []);
  const live = createLiveStatus({ ...options, limits, warnings, clock });
  const document = async () => (await live()).document;
  const events = createEvents({ live, clock, log });
  const services: Services = {
    ...{ status, metrics, limits, history, clock, live, events },
    vips: rememberedByPass((pass) => visibleJson(vipsView(pass))),
    diff: rememberedByPass((pass) => visibleJson(toJson(reportOf(pass)))),
    examine: doctor && createExamine(doctor, document, clock),
    trace: explain && createTrace(explain, document),
    page: createPage(page),
    writing: writing && { ...writing, follow: createFollow(writing.writer, document, clock) },
  };
  const server = await startServer({
    ...options,
    clock,
    services,
    routes: only === undefined ? ROUTES : ROUTES.filter(({ path }) => only.paths.includes(path)),
    flag: only?.flag,
    writesOff: writing === undefined ? WRITES_DISABLED : null,
  });
  for (const file of [access?.identity, access?.readToken, access?.writeToken]) {
    // Clients with an open stream may have lost their right to it.
    file?.onReload(() => events.end());
  }
  return {
    ...server,
    close() {
      events.close();
      return server.close();
    },
  };
}

/** Writes a large document once per pass, not once per request. */
function rememberedByPass(write: (pass: PassStatus) => string): Services['vips'] {
  let made:
    | { readonly pass: WeakRef<PassStatus>; readonly document: ReturnType<Services['vips']> }
    | undefined;
  return (pass) => {
    if (made?.pass.deref() === pass) return made.document;
    const body = Buffer.from(`${write(pass)}\n`);
    const tag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`;
    made = { pass: new WeakRef(pass), document: { body, tag } };
    return made.document;
  };
}
