import { createHash } from 'node:crypto';
import type { DoctorDocument } from '../doctor/document.ts';
import type { Metrics } from '../metrics/metrics.ts';
import type { PassStatus } from '../pass-status.ts';
import { toJson } from '../plan/print-json.ts';
import type { KernelCounters } from '../ports.ts';
import { DEFAULT_LIMITS, type HealthLimits } from '../status/checks.ts';
import type { StatusDocument } from '../status/document.ts';
import { createHistory, type History } from '../status/history.ts';
import { reportOf } from '../status/report.ts';
import type { Status } from '../status/status.ts';
import { vipsView } from '../status/vips-view.ts';
import { systemClock } from '../time.ts';
import { visibleJson } from '../visible.ts';
import { OFF, type Writing } from './apps.ts';
import { bounded } from './bounded.ts';
import { createFollowing } from './deployments.ts';
import { createEvents } from './events.ts';
import { createLiveStatus } from './live-status.ts';
import type { PageFacts } from './page/facts.ts';
import { createPage } from './page/page.ts';
import { ROUTES } from './routes.ts';
import { type HttpServer, type ServerOptions, startServer } from './server.ts';
import type { Services } from './services.ts';
import { createWalk, type Explain } from './why.ts';

export type { HttpServer } from './server.ts';

export interface HttpOptions
  extends Pick<ServerOptions<Services>, 'listen' | 'access' | 'connections' | 'log'>,
    Partial<Pick<ServerOptions<Services>, 'clock'>> {
  readonly status: () => Status;
  readonly metrics: Pick<Metrics, 'contentType' | 'text'>;
  /** Serves these paths alone, to whoever can reach them; the option that says where. */
  readonly only?: { readonly paths: readonly string[]; readonly flag: string } | undefined;
  /** What `/v1/status` reads the kernel's counters with; without it they are those of the last pass. */
  readonly counters?: KernelCounters | undefined;
  /** What `/v1/doctor` examines this host with. */
  readonly doctor?: Doctor | undefined;
  /** What `/v1/why` walks the way of a connection with. */
  readonly explain?: Explain | undefined;
  /** What happened to each VIP; defaults to nothing. */
  readonly history?: Pick<History, 'ofVip' | 'latest'> | undefined;
  /** What the page shows in its form; defaults to DC/OS's names, and no writing. */
  readonly page?: PageFacts | undefined;
  /** What `/v1/apps` writes with; without it that is off. */
  readonly writing?: Writing | undefined;
  /** What the loop and the sources were told, where that is not the default. */
  readonly limits?: Partial<HealthLimits> | undefined;
}

export type Doctor = (status: StatusDocument) => Promise<DoctorDocument>;

/** It reads some hundred files. */
const DOCTOR_MS = 10_000;

/** What the page needs to know where no one says otherwise: the names are those of DC/OS. */
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
  const complaints = access?.complaints ?? (() => []);
  const live = createLiveStatus({ ...options, limits, complaints, clock });
  const document = async () => (await live()).document;
  const events = createEvents({ live, clock, log });
  const services: Services = {
    ...{ status, metrics, limits, history, clock, live, events },
    vips: rememberedByPass((pass) => visibleJson(vipsView(pass))),
    diff: rememberedByPass((pass) => visibleJson(toJson(reportOf(pass)))),
    examine: doctor && bounded(async () => doctor(await document()), DOCTOR_MS, clock),
    walk: explain && createWalk(explain, document),
    page: createPage(page),
    writing: writing && { ...writing, following: createFollowing(writing.writer, document, clock) },
  };
  const server = await startServer({
    ...options,
    clock,
    services,
    routes: only === undefined ? ROUTES : ROUTES.filter(({ path }) => only.paths.includes(path)),
    flag: only?.flag,
    writesOff: writing === undefined ? OFF : null,
  });
  for (const renewed of [access?.identity, access?.readToken, access?.writeToken]) {
    // What was begun for people who may have lost the right to it.
    renewed?.onRenewed(() => events.end());
  }
  return {
    ...server,
    close() {
      events.close();
      return server.close();
    },
  };
}

/** Large documents are made once a pass, not for everyone who asks. */
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
