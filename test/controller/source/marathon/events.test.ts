import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { BOUNDS } from '../../../../controller/input/bounds.ts';
import { createMarathonClient } from '../../../../controller/source/marathon/client.ts';
import {
  type Affected,
  type EventStreamOptions,
  followEvents,
  type NamedEnd,
  readEvent,
} from '../../../../controller/source/marathon/events.ts';
import { systemClock } from '../../../../controller/time.ts';
import { fastClock, type Route, startServer, type TestServer } from '../support.ts';

const step = (...actions: object[]) => ({ actions });

test.each<[string, object, Affected]>([
  ['status_update_event', { appId: '/a', taskStatus: 'TASK_RUNNING' }, ['/a']],
  ['instance_changed_event', { runSpecId: '/a', condition: 'Running' }, ['/a']],
  ['instance_health_changed_event', { runSpecId: '/a', healthy: null }, ['/a']],
  ['unknown_instance_terminated_event', { runSpecId: '/a' }, ['/a']],
  ['health_status_changed_event', { appId: '/a', alive: false }, ['/a']],
  ['add_health_check_event', { appId: '/a' }, ['/a']],
  ['remove_health_check_event', { appId: '/a' }, ['/a']],
  ['app_terminated_event', { appId: '/a' }, ['/a']],
  ['api_post_event', { uri: '/v2/apps', appDefinition: { id: '/a' } }, ['/a']],
  ['api_post_event', { uri: '/v2/apps' }, 'everything'],
  ['pod_updated_event', { uri: '/v2/pods/g/p?force=true' }, ['/g/p']],
  ['pod_deleted_event', { uri: '/v2/pods//g/p' }, ['/g/p']],
  ['pod_created_event', { uri: '/v2/pods' }, 'everything'],
  [
    'deployment_info',
    {
      plan: {},
      currentStep: step({ action: 'ScaleApplication', app: '/a' }, { action: 'StartPod', pod: '/p' }),
    },
    ['/a', '/p'],
  ],
  ['deployment_step_success', { currentStep: step({ type: 'RestartApplication', app: '/a' }) }, ['/a']],
  ['deployment_step_failure', { currentStep: [{ action: 'ScaleApplication', app: '/a' }] }, ['/a']],
  [
    'deployment_success',
    { plan: { steps: [step({ app: '/a' }), step({ app: '/b' }, { app: '/a' })] } },
    ['/a', '/b'],
  ],
  ['deployment_success', { plan: { steps: [] } }, []],
  ['deployment_success', { id: 'd' }, 'everything'],
  ['deployment_failed', { plan: { steps: [[{ app: '/a' }]] } }, ['/a']],
  ['status_update_event', {}, 'everything'],
  ['status_update_event', { appId: 7 }, 'everything'],
  ['event_stream_attached', { remoteAddress: '10.0.0.1' }, []],
  ['event_stream_detached', { remoteAddress: '10.0.0.1' }, []],
  ['group_change_success', { groupId: '/' }, []],
  ['failed_health_check_event', { appId: '/a' }, []],
  ['an_event_of_the_future', { appId: '/a' }, []],
])('%s %j affects: %j', (event, data, expected) => {
  expect(readEvent({ event, data: JSON.stringify({ eventType: event, ...data }) }).affected).toEqual(
    expected,
  );
});

test.each<[string, object, NamedEnd | null]>([
  [
    'status_update_event',
    { appId: '/a', taskId: 'a.1', taskStatus: 'TASK_KILLED' },
    { id: '/a', task: 'a.1', isOver: true },
  ],
  [
    'status_update_event',
    { appId: '/a', taskId: 'a.1', taskStatus: 'TASK_KILLING' },
    { id: '/a', task: 'a.1', isOver: false },
  ],
  ['status_update_event', { appId: '/a', taskId: 'a.1', taskStatus: 'TASK_RUNNING' }, null],
  ['status_update_event', { appId: '/a', taskId: 'a.1', taskStatus: 'TASK_UNREACHABLE' }, null],
  ['status_update_event', { appId: '/a', taskStatus: 'TASK_KILLED' }, null],
  ['status_update_event', { appId: '/a', taskId: 'a.1' }, null],
  ['app_terminated_event', { appId: '/a' }, { id: '/a', task: null, isOver: true }],
  ['app_terminated_event', {}, null],
  ['pod_deleted_event', { uri: '/v2/pods/g/p?force=true' }, { id: '/g/p', task: null, isOver: true }],
  ['deployment_success', { plan: { steps: [step({ app: '/a' })] } }, null],
])('%s %j names as ended: %j', (event, data, expected) => {
  expect(readEvent({ event, data: JSON.stringify(data) }).ended).toEqual(expected);
  const unnamed = { event: undefined, data: JSON.stringify({ eventType: event, ...data }) };
  expect(readEvent(unnamed).ended).toEqual(expected);
});

test.each<[string, string, string]>([
  ['status_update_event', '{', 'JSON'],
  ['status_update_event', '[]', 'not an event of Marathon: expected an object'],
  ['status_update_event', '{"appId":7}', 'not an event of Marathon: appId: expected text'],
  ['status_update_event', '{"appId":"/caf\uFFFD","taskId":"t","taskStatus":"TASK_KILLED"}', 'not UTF-8'],
  ['pod_deleted_event', '{"uri":"/v2/pods/%zz"}', 'URI malformed'],
  ['pod_deleted_event', '{"uri":"/v2/pods/%20/..%2f"}', 'not the id of a single app'],
  ['app_terminated_event', '{"appId":"/"}', 'not the id of a single app'],
  ['app_terminated_event', '{"appId":"/g/*"}', 'not the id of a single app'],
  ['app_terminated_event', '{"appId":"/a/versions"}', 'not the id of a single app'],
  ['app_terminated_event', '{"appId":"web"}', 'not the id of a single app'],
  ['app_terminated_event', '{"appId":"/\\ud800"}', 'not the id of a single app'],
  ['app_terminated_event', `{"appId":"/${'a'.repeat(2_000)}"}`, 'not the id of a single app'],
  ['deployment_success', '{"plan":{"steps":["x"]}}', ''],
  [
    'deployment_info',
    '{"currentStep":{"actions":[{"app":"/a"},{"app":"//"}]}}',
    'not the id of a single app',
  ],
])('%s with odd content may affect everything, and names nothing as ended: %s', (type, data, reason) => {
  const { affected, ended, problem } = readEvent({ event: type, data });
  expect({ affected, ended }).toEqual({ affected: 'everything', ended: null });
  expect(problem).toMatchObject({ type, error: { message: expect.stringContaining(reason) } });
});

test('an event of more values than an app may have is not parsed, and may affect everything', () => {
  const data = `{"appId":"/a","x":[0${',{}'.repeat(BOUNDS.values)}]}`;
  for (const event of ['status_update_event', '']) {
    const { affected, problem } = readEvent({ event, data });
    expect(affected).toBe('everything');
    expect(problem).toMatchObject({
      type: event,
      error: { message: `has more than ${BOUNDS.values} values` },
    });
  }
  expect(readEvent({ event: 'event_stream_attached', data }).affected).toEqual([]);
  expect(
    readEvent({ event: 'status_update_event', data: `{"appId":"/a","x":"${'[,'.repeat(BOUNDS.values)}"}` }),
  ).toEqual({
    affected: ['/a'],
    ended: null,
  });
});

test('an odd event does not end the stream, and is reported once per type', async () => {
  const odd = (event: string) => `event: ${event}\ndata: {"uri":"/v2/pods/%zz"}\n\n`;
  const problems: string[] = [];
  const { affected } = await follow(
    (_request, response) =>
      void response
        .writeHead(200, HEAD)
        .end(odd('pod_deleted_event') + odd('pod_deleted_event') + odd('pod_updated_event') + frame('/b')),
    { unreadable: ({ type }) => problems.push(type) },
  );
  expect(affected).toEqual(['everything', 'everything', 'everything', ['/b']]);
  expect(problems).toEqual(['pod_deleted_event', 'pod_updated_event']);
});

test.each([undefined, '', 'message'])(
  'an event that a proxy took the name of (%j) has its type in the data',
  (event) => {
    const data = (json: object) => ({ event, data: JSON.stringify(json) });
    expect(readEvent(data({ eventType: 'status_update_event', appId: '/a' })).affected).toEqual(['/a']);
    expect(readEvent(data({ eventType: 'status_update_event' })).affected).toBe('everything');
    expect(readEvent(data({ eventType: 'event_stream_attached' })).affected).toEqual([]);
    expect(readEvent(data({ eventType: 7 })).affected).toEqual([]);
    expect(readEvent(data([])).affected).toEqual([]);
    expect(readEvent({ event, data: 'ping' }).affected).toEqual([]);
  },
);

test.each(['toString', 'constructor', '__proto__', 'hasOwnProperty'])(
  'an event that is called like a property of every object is unknown: %s',
  (event) => {
    expect(readEvent({ event, data: '{}' }).affected).toEqual([]);
    expect(readEvent({ event: undefined, data: JSON.stringify({ eventType: event }) }).affected).toEqual([]);
  },
);

let servers: TestServer[];
beforeEach(() => {
  servers = [];
});
afterEach(async () => {
  await Promise.all(servers.map((server) => server.close()));
});

const HEAD = { 'content-type': 'text/event-stream' };
const frame = (appId: string, end = '\n') =>
  `event: status_update_event${end}data: {"appId":"${appId}"}${end}${end}`;

/** Follows one connection until it fails. */
async function follow(
  route: Route,
  options: Partial<EventStreamOptions> = {},
  signal = new AbortController().signal,
) {
  const server = await startServer(route);
  servers.push(server);
  const clock = options.clock ?? systemClock;
  const told = { affected: [] as Affected[], attached: 0, server };
  const failure = followEvents(
    {
      client: createMarathonClient({ where: server.url, clock }),
      clock,
      attached: () => {
        told.attached += 1;
      },
      changed: (affected) => told.affected.push(affected),
      ended: () => undefined,
      unreadable: () => undefined,
      ...options,
    },
    signal,
  );
  const error: unknown = await failure.catch((reason: unknown) => reason);
  return { ...told, error };
}

test('only events that can change a VIP are subscribed to, with light plans and uncompressed', async () => {
  const { server } = await follow((request, response) => {
    expect(request.headers).toMatchObject({ accept: 'text/event-stream', 'accept-encoding': 'identity' });
    response.writeHead(200, HEAD).end();
  });
  const url = new URL(server.requests[0]?.split(' ')[1] ?? '', server.url);
  expect(url.pathname).toBe('/v2/events');
  expect(url.searchParams.get('plan-format')).toBe('light');
  expect(url.searchParams.getAll('event_type')).toEqual(
    expect.arrayContaining(['event_stream_attached', 'instance_changed_event']),
  );
  expect(url.searchParams.getAll('event_type')).not.toContain('group_change_success');
});

test('events are passed on one by one, until the stream ends', async () => {
  const { affected, attached, error } = await follow(
    (_request, response) => void response.writeHead(200, HEAD).end(frame('/a') + frame('/b', '\r\n')),
  );
  expect(affected).toEqual([['/a'], ['/b']]);
  expect(attached).toBe(1);
  expect(error).toMatchObject({
    code: 'source',
    message: expect.stringMatching(/GET http.*\/v2\/events: the stream ended/),
  });
});

test('a stream without event lines is understood, and its content type may be written in any case', async () => {
  const data = (appId: string) => `data: {"eventType":"status_update_event","appId":"${appId}"}\n\n`;
  const { affected } = await follow(
    (_request, response) =>
      void response.writeHead(200, { 'content-type': 'Text/Event-Stream' }).end(data('/a') + data('/b')),
  );
  expect(affected).toEqual([['/a'], ['/b']]);
});

test('a stream that a proxy compressed is refused', async () => {
  const { error } = await follow(
    (_request, response) => void response.writeHead(200, { ...HEAD, 'content-encoding': 'GZIP' }).end('x'),
  );
  expect(error).toMatchObject({
    message: expect.stringMatching(/\/v2\/events.*: the answer has Content-Encoding "gzip", expected none/),
  });
});

test('chunks may end anywhere, in the middle of a character too', async () => {
  const bytes = Buffer.from(frame('/ä€😀') + frame('/b'));
  const { affected } = await follow(async (_request, response) => {
    response.writeHead(200, HEAD);
    for (const byte of bytes) {
      response.write(Buffer.of(byte));
      await systemClock.sleep(0);
    }
    response.end();
  });
  expect(affected).toEqual([['/ä€😀'], ['/b']]);
});

test('a stream without a byte is dead after the time limit, and blank lines keep it alive', async () => {
  let sent = 0;
  const clock = fastClock(500);
  const { error, attached } = await follow(
    (_request, response) => {
      response.writeHead(200, HEAD).flushHeaders();
      const beat = setInterval(() => {
        if (++sent > 10) clearInterval(beat);
        else response.write('\n');
      }, 40);
    },
    { clock },
  );
  expect(error).toMatchObject({
    code: 'source',
    message: expect.stringContaining('nothing received for 60 s'),
  });
  expect(sent).toBeGreaterThan(10);
  expect(attached).toBe(1);
});

test('a stream that opens and sends nothing counts as attached after a second', async () => {
  const { attached } = await follow((_request, response) => response.writeHead(200, HEAD).flushHeaders(), {
    clock: fastClock(500),
  });
  expect(attached).toBe(1);
});

test('a stream that closes at once was never attached', async () => {
  const { attached, error } = await follow((_request, response) => void response.writeHead(200, HEAD).end());
  expect(attached).toBe(0);
  expect(error).toMatchObject({ message: expect.stringContaining('the stream ended') });
});

test('an event that is larger than the limit ends the connection', async () => {
  const { error } = await follow(
    (_request, response) => {
      response.writeHead(200, HEAD).write(`event: status_update_event\ndata: ${'x'.repeat(2_000)}`);
      response.write('x'.repeat(2_000));
    },
    { maxEventLength: 1_000 },
  );
  expect(error).toMatchObject({ message: expect.stringContaining('larger than the limit') });
});

test('a connection that breaks is reported as such', async () => {
  const { affected, error } = await follow((_request, response) => {
    response.writeHead(200, HEAD).write(frame('/a'));
    setTimeout(() => response.destroy(), 10);
  });
  expect(affected).toEqual([['/a']]);
  expect(error).toMatchObject({
    code: 'source',
    message: expect.stringMatching(/the stream (broke off|ended)/),
  });
});

test.each<[string, Route, string]>([
  [
    'a page of HTML',
    (_q, r) => void r.writeHead(200, { 'content-type': 'text/html' }).end('<html>'),
    'not with an event stream',
  ],
  ['a 405', (_q, r) => void r.writeHead(405).end('no'), 'answered 405 "no"'],
  ['a 503', (_q, r) => void r.writeHead(503).end(), 'answered 503'],
])('what is no event stream is a failure: %s', async (_name, route, message) => {
  expect((await follow(route)).error).toMatchObject({
    code: 'source',
    message: expect.stringContaining(message),
  });
});

test('a standby’s redirect leads to the leader’s stream', async () => {
  const leader = await startServer(
    (_request, response) => void response.writeHead(200, HEAD).end(frame('/a')),
  );
  servers.push(leader);
  const { affected } = await follow(
    (request, response) => void response.writeHead(302, { location: `${leader.url}${request.url}` }).end(),
  );
  expect(affected).toEqual([['/a']]);
});

test('following ends with the reason of its signal', async () => {
  const stop = new AbortController();
  setTimeout(() => stop.abort(new Error('enough')), 20);
  const { error } = await follow(
    (_request, response) => response.writeHead(200, HEAD).flushHeaders(),
    {},
    stop.signal,
  );
  expect(error).toMatchObject({ message: 'enough' });
});
