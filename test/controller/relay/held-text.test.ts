import { expect, test } from '@jest/globals';
import { createRelayHealth } from '../../../controller/relay/health.ts';
import { heldText, statusText } from '../../../controller/relay/holds.ts';
import { runRelay } from '../../../controller/relay/relay.ts';
import { app, port, snapshot, task } from '../../support/builders.ts';
import { Telling } from '../../support/telling.ts';
import { clientOf, clock, inBackground, startServer } from '../source/kubernetes/setup.ts';
import { silent, until } from '../source/support.ts';

const unknown = [{ part: 'b.json', reason: 'expected JSON' }];

test('a relay that keeps what may belong to an unknown part says so in /readyz, and stays ready', async () => {
  const server = await startServer();
  const client = await clientOf(server);
  const web = (id: string) => {
    const at = { ...port({ VIP_0: 'web:80' }), endpoints: [{ address: '10.0.0.1', port: 80 }] };
    return app(id, { ports: [port({ VIP_0: 'web:80' })], tasks: [task(`${id.slice(1)}.1`, [at])] });
  };
  const relaying = (said: ReturnType<typeof snapshot>, identity: string) => {
    const health = createRelayHealth(['file=test'], clock, 60_000);
    const source = {
      name: 'file=test',
      read: async () => said,
      follow: async (listener: { changed: (delta: never) => void }, signal: AbortSignal) => {
        listener.changed(new Telling().delta(said, true, clock.monotonic()) as never);
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
      },
    };
    const common = { client, clock, log: silent, namespace: 'default', name: 'default', settleMs: 1 };
    const options = { ...common, sources: [source], observer: health.observer, random: Math.random };
    const stop = new AbortController();
    inBackground((signal) => runRelay({ ...options, identity }, AbortSignal.any([signal, stop.signal])));
    return { health, stop };
  };
  const apps = () => server.operations.storage.all('marathon-ipvs.io/marathonapps').length;
  const slices = () => server.operations.storage.all('discovery.k8s.io/endpointslices').length;

  const first = relaying(snapshot(web('/a'), web('/b')), 'first');
  await until('both are published', () => slices() === 2);
  first.stop.abort();
  const { health } = relaying({ ...snapshot(web('/a')), unknown }, 'second');
  await until('it says what stays', () => health.ready().text.includes('stay'));
  expect(health.ready()).toEqual({
    ok: true,
    text:
      'leading; all sources read; 1 app and 1 endpoint stay although no source declares them: they may belong to what has ' +
      'not been readable since the start (b.json: expected JSON). Correct it, or remove it from its source',
  });
  expect(apps()).toBe(2);
});

test('a held mass is named, and nothing where nothing is held', () => {
  expect(heldText({ apps: 0, endpoints: 12 }, [])).toMatch(/^mass removal held: 12 endpoints stay /);
  expect(heldText({ apps: 0, endpoints: 0 }, unknown)).toBeNull();
});

test('published objects that cannot be read are named, a few of many', () => {
  const unread = [
    'EndpointSlice shop/web-1',
    ...Array.from({ length: 6 }, (_, i) => `MarathonApp shop/${i}`),
  ];
  const nothing = { apps: 0, endpoints: 0 };
  expect(statusText(nothing, [], [])).toBeNull();
  expect(statusText(nothing, [], unread.slice(0, 1))).toBe('cannot be read: EndpointSlice shop/web-1');
  expect(statusText({ apps: 1, endpoints: 0 }, unknown, unread)).toMatch(
    /^1 app stay.*; cannot be read: EndpointSlice shop\/web-1, .*MarathonApp shop\/3 and 2 more$/,
  );
});
