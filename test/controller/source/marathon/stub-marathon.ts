import type { ServerResponse } from 'node:http';
import { type Route, sendJson, startServer, type TestServer } from '../support.ts';

/** A Marathon whose every answer is in the test's hands; nothing in it lives by itself. */
export interface StubMarathon extends Omit<TestServer, 'route'> {
  info: object;
  readonly apps: Map<string, object>;
  readonly pods: Map<string, object>;
  /** By path: `/v2/apps/a/versions/2020-…`. */
  readonly versions: Map<string, object>;
  /** Answers instead of the usual one where it returns true. */
  intercept: (...of: Parameters<Route>) => boolean;
  /** How many event streams are open. */
  readonly streams: () => number;
  emit(type: string, data: object): void;
  closeStreams(): void;
}

export async function startStub(apps: Record<string, object> = {}): Promise<StubMarathon> {
  const open = new Set<ServerResponse>();
  const server = await startServer((request, response) => {
    if (stub.intercept(request, response)) return;
    const { pathname } = new URL(request.url ?? '', server.url);
    const path = decodeURIComponent(pathname);
    if (path === '/v2/events') {
      open.add(response.writeHead(200, { 'content-type': 'text/event-stream' }));
      response.on('close', () => open.delete(response));
      response.write('event: event_stream_attached\ndata: {}\n\n');
    } else {
      const found = lookUp(stub, path);
      if (found === undefined) sendJson(response, { message: `'${path}' does not exist` }, 404);
      else sendJson(response, found);
    }
  });
  const stub: StubMarathon = {
    ...server,
    info: { marathon_config: { framework_name: 'marathon' } },
    apps: new Map(Object.entries(apps)),
    pods: new Map(),
    versions: new Map(),
    intercept: () => false,
    streams: () => open.size,
    emit(type, data) {
      for (const response of open) response.write(`event: ${type}\ndata: ${JSON.stringify(data)}\n\n`);
    },
    closeStreams() {
      for (const response of open) response.end();
    },
  };
  return stub;
}

function lookUp(stub: StubMarathon, path: string): unknown {
  const json = ([id, fields]: [string, object]) => ({ id, ...fields });
  if (path === '/v2/info') return stub.info;
  if (path === '/v2/apps') return { apps: [...stub.apps].map(json) };
  if (path === '/v2/pods/::status') return [...stub.pods].map(json);
  if (stub.versions.has(path)) return stub.versions.get(path);
  const appId = path.replace('/v2/apps', '');
  const podId = path.replace('/v2/pods', '').replace('::status', '');
  const [app, pod] = [stub.apps.get(appId), stub.pods.get(podId)];
  if (app !== undefined) return { app: json([appId, app]) };
  return pod === undefined ? undefined : json([podId, pod]);
}
