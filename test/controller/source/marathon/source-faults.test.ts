import { expect, test } from '@jest/globals';
import { systemClock } from '../../../../controller/time.ts';
import { fastClock, namesOf, reached, TestListener, until } from '../support.ts';
import {
  app,
  changed,
  followed,
  ids,
  marathon,
  on,
  source,
  startFollowing,
  status,
  task,
  useStubMarathon,
} from './source-setup.ts';
import { type StubMarathon, startStub } from './stub-marathon.ts';

useStubMarathon();

test('a stream that ends is opened again, and everything is read again', async () => {
  const listener = await followed();
  marathon.apps.set('/c', app('c:80'));
  marathon.closeStreams();
  await until('everything is read again', () => listener.snapshots.length === 2);
  expect(ids(listener)).toEqual(['/a', '/b', '/c']);
  expect(listener.errors).toEqual([
    expect.objectContaining({ message: expect.stringContaining('the stream ended') }),
  ]);
});

test.each<[string, StubMarathon['intercept']]>([
  ['answers 503', on('/', status(503))],
  ['answers with truncated JSON', on('/', status(200, '{"apps":['))],
  [
    'answers with text that is not UTF-8',
    on('/', (_request, response) => void response.end(Buffer.from('{"apps":[{"id":"/caf\xe9"}]}', 'latin1'))),
  ],
  ['closes every connection', on('/', (request) => void request.socket.destroy())],
])('while Marathon %s the last good state stays, and then it goes on', async (_name, intercept) => {
  const listener = await followed();
  marathon.intercept = intercept;
  marathon.closeStreams();
  await until('it fails more than once', () => listener.errors.length > 2);
  expect(listener.snapshots).toHaveLength(1);
  marathon.apps.set('/c', app('c:80'));
  marathon.intercept = () => false;
  await until('it goes on', () => listener.app('/c') !== undefined);
});

test('an app that is listed without its tasks although some run keeps them, and says so', async () => {
  marathon.apps.set('/a', app('a:80', { tasksRunning: 1, tasks: [task(31000)] }));
  const listener = await followed();
  marathon.apps.set('/a', app('a:81', { tasksRunning: 1 }));
  const before = listener.snapshots.length;
  marathon.closeStreams();
  await until('everything is read again', () => listener.snapshots.length > before);
  expect(listener.app('/a')?.tasks.map(reached)).toEqual(['10.0.0.1:31000']);
  expect(listener.app('/a')?.rejected).toEqual([
    expect.objectContaining({ at: 'tasks', reason: expect.stringMatching(/since tasksRunning is 1/) }),
  ]);
  marathon.apps.set('/a', app('a:81', { tasksRunning: 0 }));
  changed('/a');
  await until('it has none', () => listener.app('/a')?.tasks.length === 0);
});

test('a full read that succeeds is the moment to try the event stream again, however often that failed', async () => {
  marathon.intercept = on('/v2/events', status(503));
  const listener = startFollowing({ relistSeconds: 0.2 });
  await until('attempts would be far apart', () => listener.errors.length >= 8);
  marathon.intercept = () => false;
  await until('the stream stands', () => marathon.streams() > 0);
});

test('an answer without the framework name keeps the last one, which is reported once', async () => {
  const info = (config: object | null) => ({ version: '1.6.0', name: 'marathon', marathon_config: config });
  marathon.info = info({ framework_name: 'dev' });
  const listener = await followed();
  const framework = () => new Set(listener.last.apps.map((each) => each.framework));
  const reported = () => listener.errors.filter(({ message }) => message.includes('"dev"'));
  expect(framework()).toEqual(new Set(['dev']));
  for (const times of [1, 2]) {
    marathon.info = info(times === 1 ? null : {});
    const before = listener.snapshots.length;
    marathon.closeStreams();
    await until('everything is read again', () => listener.snapshots.length > before);
    expect(framework()).toEqual(new Set(['dev']));
    expect(reported()).toEqual([
      expect.objectContaining({
        message: expect.stringMatching(/\/v2\/info: the answer has no framework_name/),
      }),
    ]);
  }
  marathon.info = info({ framework_name: 'other' });
  marathon.closeStreams();
  await until('it has another name', () => framework().has('other'));
});

test('an event before the first full read makes no snapshot of one app', async () => {
  marathon.intercept = on('/v2/apps?', status(503));
  const listener = startFollowing();
  await until('the stream stands', () => marathon.streams() > 0);
  changed('/a');
  await systemClock.sleep(100);
  expect(listener.snapshots).toEqual([]);
  marathon.intercept = () => false;
  await until('everything is read', () => listener.snapshots.length > 0);
  expect(ids(listener)).toEqual(['/a', '/b']);
});

test('where no event stream can be had everything is read from time to time', async () => {
  const clock = fastClock(300);
  marathon.intercept = on('/v2/events', status(403));
  const listener = startFollowing({ clock });
  await until('it was read twice', () => listener.snapshots.length === 2);
  expect((listener.reads[1]?.since ?? 0) - (listener.reads[0]?.since ?? 0)).toBeGreaterThan(29_000);
});

test('a proxy that holds back the event stream does not hold back the first read', async () => {
  marathon.intercept = ({ url }) => Boolean(url?.startsWith('/v2/events'));
  const listener = startFollowing({ clock: fastClock(50) });
  await until('everything is read', () => listener.snapshots.length > 0);
});

test.each([
  [0, 270],
  [0.999, 330],
])(
  'everything is read again after 300 s, give or take a tenth (chance %d: %d s)',
  async (chance, seconds) => {
    const clock = fastClock(500);
    const listener = startFollowing({ clock, random: () => chance, eventSilenceMs: 1e9 });
    // Time that runs so fast may fit a second first read in before the stream stands.
    const apart = () => ((listener.reads.at(-1)?.since ?? 0) - (listener.reads.at(-2)?.since ?? 0)) / 1000;
    await until('it is read again much later', () => listener.reads.length > 1 && apart() > 60);
    expect(apart()).toBeGreaterThanOrEqual(seconds - 1);
    expect(apart()).toBeLessThan(seconds + 50);
  },
);

test('following ends when it is aborted, in any state', async () => {
  for (const wait of [0, 5, 20, 60]) {
    const end = new AbortController();
    const run = source().follow(new TestListener(), end.signal);
    await systemClock.sleep(wait);
    end.abort();
    await expect(run).resolves.toBeUndefined();
  }
});

test('the name of an agent that could not be resolved is looked up again', async () => {
  const names: Record<string, string> = {};
  marathon.apps.set('/a', app('a:80', { tasks: [task(31000, { host: 'agent.example' })] }));
  const listener = await followed({ clock: fastClock(300), resolver: namesOf(names) });
  expect(reached(listener.app('/a')?.tasks[0])).toContain('agent.example has no known IPv4 address');
  names['agent.example'] = '10.0.0.7';
  await until('it is resolved', () => reached(listener.app('/a')?.tasks[0]) === '10.0.0.7:31000');
});

test('with a standby as the only configured master, the leader’s stream is followed', async () => {
  const standby = await startStub({ '/a': app('a:80') });
  standby.intercept = ({ url }, response) => {
    response.setHeader('x-marathon-leader', marathon.url);
    if (!url?.startsWith('/v2/events')) return false;
    response.writeHead(302, { location: `${marathon.url}${url}` }).end();
    return true;
  };
  const listener = startFollowing({ where: standby.url.replace('//', '//u:p@') });
  await until(
    'the leader’s stream stands',
    () => marathon.streams() === 1 && listener.snapshots.length === 1,
  );
  expect(marathon.authorizations).toEqual([`Basic ${btoa('u:p')}`]);
  standby.apps.set('/b', app('b:80'));
  changed('/b');
  await until('an event of the leader is reported', () => listener.app('/b') !== undefined);
  await standby.close();
});

test('the source has its masters’ names and no credentials in its own', () => {
  expect(source({ where: 'http://u:p@m1:8080,http://m2:8080' }).name).toBe(
    'marathon=http://m1:8080,http://m2:8080',
  );
});
