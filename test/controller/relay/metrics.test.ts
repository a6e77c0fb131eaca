import { connect } from 'node:net';
import { text as readAll } from 'node:stream/consumers';
import { afterEach, describe, expect, test } from '@jest/globals';
import { firstDelta } from '../../../controller/inventory/inventory.ts';
import type { SourceListener } from '../../../controller/ports.ts';
import { createRelayHealth, type RelayHealth, serveRelayHealth } from '../../../controller/relay/health.ts';
import { runRelay } from '../../../controller/relay/relay.ts';
import { snapshot, web } from '../../support/builders.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { clientOf, clock, inBackground, startServer } from '../source/kubernetes/setup.ts';
import { silent, until } from '../source/support.ts';

const SOURCE = 'file=test';
const whole = { apps: 1, complete: true, fromDiskOf: null };

/** The value of a series; undefined if it does not exist. */
async function metric(
  { metrics }: Pick<RelayHealth, 'metrics'>,
  series: string,
): Promise<number | undefined> {
  const line = (await metrics.text()).split('\n').find((one) => one.startsWith(`marathon_ipvs_${series} `));
  return line === undefined ? undefined : Number(line.slice(line.lastIndexOf(' ') + 1));
}

describe('a relay that waits to be elected', () => {
  const time = new FakeClock();
  const health = createRelayHealth([SOURCE], time, 60_000);

  test('says so in its metrics, without metrics of sources that it does not read', async () => {
    expect(await metric(health, 'relay_leader')).toBe(0);
    expect(await metric(health, 'relay_writes_total{op="apply"}')).toBe(0);
    expect(await metric(health, 'relay_write_failures_total{op="delete"}')).toBe(0);
    expect(await metric(health, `source_data_age_seconds{source="${SOURCE}"}`)).toBeUndefined();
  });

  test('is alive and ready once another one was elected, although its loop no longer moves', async () => {
    health.observer.elected(true);
    health.observer.moved();
    health.observer.sourceRead(SOURCE, whole);
    health.observer.compared(3, { apps: 2, endpoints: 5, text: null });
    await time.advance(400_000);
    expect([health.live().ok, health.ready().ok]).toEqual([false, false]);
    expect(await metric(health, `source_data_age_seconds{source="${SOURCE}"}`)).toBe(400);
    expect(await metric(health, 'relay_held_apps')).toBe(2);
    expect(await metric(health, 'relay_held_endpoints')).toBe(5);

    health.observer.elected(false);
    expect([health.live().ok, health.ready().ok]).toEqual([true, true]);
    expect(await metric(health, 'relay_held_apps')).toBe(0);
    expect(await metric(health, 'relay_held_endpoints')).toBe(0);
    expect(await metric(health, `source_data_age_seconds{source="${SOURCE}"}`)).toBeUndefined();
  });
});

test('writes of an elected relay and their failures are counted', async () => {
  const server = await startServer();
  const health = createRelayHealth([SOURCE], clock, 60_000);
  const source = {
    name: SOURCE,
    read: async () => snapshot(),
    follow: async (listener: SourceListener, signal: AbortSignal) => {
      const apps = snapshot(web('/a', { VIP_0: 'a:80' }, '10.0.0.1:1'));
      listener.changed(firstDelta(apps));
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
    },
  };
  const common = { clock, log: silent, namespace: 'default', name: 'default', identity: 'me', settleMs: 1 };
  const client = await clientOf(server);
  inBackground((signal) =>
    runRelay(
      { ...common, client, sources: [source], observer: health.observer, random: Math.random },
      signal,
    ),
  );
  const published = () => server.operations.storage.all('discovery.k8s.io/endpointslices').length;
  await until('it is published', () => published() === 1);
  expect(await metric(health, 'relay_leader')).toBe(1);
  expect(await metric(health, 'relay_apps')).toBe(1);
  expect(await metric(health, 'relay_held_apps')).toBe(0);
  expect(await metric(health, `source_up{source="${SOURCE}"}`)).toBe(1);
  let made: number | undefined;
  await until('the writes are counted', () => {
    void metric(health, 'relay_writes_total{op="apply"}').then((value) => {
      made = value;
    });
    return made === 2;
  });
});

describe('over HTTP', () => {
  const ends: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const end of ends.splice(0)) await end();
  });

  test.each([
    ['/livez', 200, /^ok: /],
    ['/readyz?verbose', 200, /^ok: waiting to be elected/],
    ['/metrics', 200, /^marathon_ipvs_relay_leader 0$/m],
    ['/', 404, /"endpoints":\["\/livez","\/readyz","\/metrics"\]/],
  ])('%s gives %i', async (path, status, text) => {
    const health = createRelayHealth([SOURCE], clock, 60_000);
    const listen = { address: '127.0.0.1', port: 0 };
    const { url, close } = await serveRelayHealth({ listen, services: health, clock, log: silent });
    ends.push(close);
    const answer = await fetch(url + path);
    expect([answer.status, await answer.text()]).toEqual([status, expect.stringMatching(text)]);
  });

  test('probes may use any address of the pod, within the usual limits', async () => {
    const health = createRelayHealth([SOURCE], clock, 60_000);
    const listen = { address: '0.0.0.0', port: 0 };
    const { url, close } = await serveRelayHealth({ listen, services: health, clock, log: silent });
    ends.push(close);
    const { port } = new URL(url);
    const socket = connect(Number(port), '127.0.0.1');
    socket.write(`GET /livez HTTP/1.1\r\nHost: 10.1.2.3:${port}\r\nConnection: close\r\n\r\n`);
    expect(await readAll(socket)).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    const posted = await fetch(`http://127.0.0.1:${port}/livez`, { method: 'POST' });
    expect([posted.status, posted.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
    const large = { 'x-large': 'x'.repeat(9_000) };
    expect((await fetch(`http://127.0.0.1:${port}/livez`, { headers: large })).status).toBe(431);
  });
});
