import { afterEach, beforeEach } from '@jest/globals';
import {
  createMarathonSource,
  type MarathonSourceOptions,
} from '../../../../controller/source/marathon/source.ts';
import { namesOf, type Route, sendJson, silent, TestListener, until } from '../support.ts';
import { type StubMarathon, startStub } from './stub-marathon.ts';

export let marathon: StubMarathon;
let stop: AbortController;
let following: Promise<void>[];

export const V1 = '2020-01-01T00:00:00.000Z';
export const V2 = '2020-02-02T00:00:00.000Z';
export const app = (vip: string, fields: object = {}) => ({
  cmd: 'x',
  portDefinitions: [{ labels: { VIP_0: vip } }],
  ...fields,
});
export const task = (port: number, fields: object = {}) => ({
  id: `task.${port}`,
  host: '10.0.0.1',
  state: 'TASK_RUNNING',
  ports: [port],
  version: V1,
  ...fields,
});
export const version = (at: string) => ({ version: at, versionInfo: { lastConfigChangeAt: at } });

/** Gives every test of the file that calls this a Marathon of its own, and ends what the test left. */
export function useStubMarathon(): void {
  beforeEach(async () => {
    marathon = await startStub({ '/a': app('a:80'), '/b': app('b:80') });
    stop = new AbortController();
    following = [];
  });

  afterEach(async () => {
    stop.abort();
    await Promise.all(following);
    await marathon.close();
  });
}

/** Never aborts. */
export const never = new AbortController().signal;

export function source(options: Partial<MarathonSourceOptions> = {}) {
  const defaults = {
    where: marathon.url,
    resolver: namesOf(),
    log: silent,
    spreadMs: 0,
    restMs: 5,
  };
  return createMarathonSource({ ...defaults, ...options });
}

/** Follows from the first full read and a connected stream on; forgets the requests so far. */
export async function followed(options: Partial<MarathonSourceOptions> = {}): Promise<TestListener> {
  const listener = startFollowing(options);
  await until('the first read', () => listener.snapshots.length > 0 && marathon.streams() > 0);
  marathon.requests.length = 0;
  return listener;
}

/** Answers requests whose path begins so in another way. */
export const on =
  (prefix: string, act: Route): StubMarathon['intercept'] =>
  (request, response) => {
    if (!request.url?.startsWith(prefix)) return false;
    act(request, response);
    return true;
  };
export const status =
  (code: number, body: string | object = ''): Route =>
  (_request, response) =>
    typeof body === 'string' ? void response.writeHead(code).end(body) : sendJson(response, body, code);
export const changed = (id: string) => marathon.emit('instance_changed_event', { runSpecId: id });
export const ids = (listener: TestListener) => listener.last.apps.map(({ id }) => id);
export const asked = (prefix: string) =>
  marathon.requests.filter((request) => request.startsWith(`GET ${prefix}`));

/** Starts to follow and does not wait; the end of the test ends it. */
export function startFollowing(options: Partial<MarathonSourceOptions> = {}): TestListener {
  const listener = new TestListener();
  following.push(source(options).follow(listener, stop.signal));
  return listener;
}
