import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { MarathonApp, MarathonPodStatus } from '../../../controller/input/marathon-json.ts';
import { type App, type RowKey, rowKey, rowOf, type Task } from '../../../controller/model/app.ts';
import type { Delta } from '../../../controller/model/delta.ts';
import type { Snapshot } from '../../../controller/model/snapshot.ts';
import type { Log, Resolver, SourceListener } from '../../../controller/ports.ts';
import { convertApp } from '../../../controller/source/document/apps.ts';
import { readDocuments } from '../../../controller/source/document/documents.ts';
import { convertPod } from '../../../controller/source/document/pods.ts';
import { fastClock } from '../../support/fast-clock.ts';
import { eventually } from '../../support/waiting.ts';

export { fastClock };

export const silent: Log = { debug() {}, info() {}, warn() {}, error() {} };

/** Knows these names and no others. */
export function namesOf(names: Readonly<Record<string, string>> = {}): Resolver {
  return { resolve: async (hostName) => names[hostName] ?? null };
}

/** An agent is at the address by which it is named, apart from names that begin with `unknown`. */
export const agentAddress = (host: string) => (host.startsWith('unknown') ? null : host);

export function anApp(json: object): MarathonApp {
  const [app] = readDocuments({ app: { id: '/web', ...json } }, 'test')?.apps ?? [];
  if (app === undefined) throw new Error('this is no app');
  return app;
}

export function aPod(json: object): MarathonPodStatus {
  const [pod] = readDocuments({ id: '/pod', ...json }, 'test')?.pods ?? [];
  if (pod === undefined) throw new Error('this is no pod');
  return pod;
}

export function converted(json: object): App {
  return convertApp(anApp(json), { framework: 'marathon', agentAddress });
}

export function convertedPod(json: object): App {
  return convertPod(aPod(json), { framework: 'marathon', agentAddress });
}

/** `10.0.0.1:31000 10.0.0.1:31001` of all ports of a task; why, where it is not known. */
export function reached(task: Task | undefined): string {
  const of = (task?.ports ?? []).map(({ endpoints, unresolved }) =>
    endpoints.length > 0
      ? endpoints.map(({ address, port }) => `${address}:${port}`).join(',')
      : (unresolved ?? 'nowhere'),
  );
  return of.join(' ');
}

export type Route = (request: IncomingMessage, response: ServerResponse) => void;

export interface TestServer {
  readonly url: string;
  /** `METHOD path` of every request, in order. */
  readonly requests: string[];
  /** Its authorization header, in the same order. */
  readonly authorizations: (string | undefined)[];
  route: Route;
  close(): Promise<void>;
}

/** A real HTTP server on 127.0.0.1 that does what `route` says, which can be changed. */
export async function startServer(route: Route): Promise<TestServer> {
  const server = createServer((request, response) => {
    test.requests.push(`${request.method} ${request.url}`);
    test.authorizations.push(request.headers.authorization);
    test.route(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const test: TestServer = {
    url: `http://127.0.0.1:${port}`,
    requests: [],
    authorizations: [],
    route,
    close() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
  return test;
}

export function sendJson(response: ServerResponse, body: unknown, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

/** Records what a source publishes. */
export class TestListener implements SourceListener {
  readonly #rows = new Map<RowKey, App>();
  #about: Omit<Snapshot, 'apps'> = { rejected: [], warnings: [] };
  readonly deltas: Delta[] = [];
  /** What one has who applied each delta. */
  readonly snapshots: Snapshot[] = [];
  readonly reads: { readonly complete: boolean; readonly since: number }[] = [];
  readonly errors: Error[] = [];

  changed(delta: Delta): void {
    for (const { key, fromTasks } of delta.removed) this.#rows.delete(rowKey(key, fromTasks));
    for (const app of delta.upserts) this.#rows.set(rowOf(app), app);
    this.#about = delta.about ?? this.#about;
    this.deltas.push(delta);
    this.snapshots.push({ ...this.#about, apps: [...this.#rows.values()] });
    this.reads.push({ complete: delta.complete, since: delta.learnedAt });
  }

  failed(error: Error): void {
    this.errors.push(error);
  }

  get last(): Snapshot {
    const last = this.snapshots.at(-1);
    if (last === undefined) throw new Error('nothing was reported yet');
    return last;
  }

  app(id: string): App | undefined {
    return this.snapshots.at(-1)?.apps.find((app) => app.id === id);
  }
}

/** Resolves when `holds` is true. */
export async function until(what: string, holds: () => boolean): Promise<void> {
  await eventually(holds, what, 2);
}
