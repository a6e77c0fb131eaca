import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { eventually, IN_LAB, ipvsadm, shell } from '../support/host.ts';
import { anotherCopy, keepChanging, unrelatedApps } from './changes.ts';
import { APP, Cluster, LINGER_MS } from './cluster.ts';
import { deadlineOf, deployHeld, endpointsOf, heldFigures, takeOut, vipOf } from './drains.ts';
import { backendsOf, connectionsOf } from './kernel.ts';
import { failures, table } from './report.ts';

const LONG = process.env['TRAFFIC'] === 'long';
/**
 * How long instances serve on where the controller is away, or learns late of what they do: longer than two starts in a
 * row take on the slowest machine.
 */
const AWAY_MS = 300_000;
if (LONG) jest.setTimeout(1_800_000);
const inLab = IN_LAB ? describe : describe.skip;
if (!IN_LAB)
  console.warn('traffic tests skipped: they change the IPVS table, run them with `npm test` (in the lab)');

inLab('no request fails', () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await Cluster.create();
  });
  afterAll(async () => {
    if (cluster === undefined) return;
    process.stdout.write(table(cluster.results));
    await cluster.close();
  });

  test('while nothing changes', async () => {
    expect(failures(await cluster.underLoad('nothing changes', 3, () => sleep(5_000)))).toEqual([]);
  });

  test('while all backends are replaced', async () => {
    await cluster.ready();
    const result = await cluster.underLoad('all backends replaced', 3, async () => {
      for (let release = 1; release <= (LONG ? 10 : 2); release++) {
        await cluster.api('PUT', `/v2/apps${APP}`, {
          env: { ...cluster.backends.env, RELEASE: `${release}` },
        });
        await cluster.marathon.deployed();
      }
    });
    expect(failures(result)).toEqual([]);
  });

  test('while an app is scaled from 3 to 10 and back', async () => {
    await cluster.ready();
    const result = await cluster.underLoad('scaled 3 -> 10 -> 3', 3, async () => {
      for (let round = 0; round < (LONG ? 5 : 1); round++) {
        await cluster.api('PUT', `/v2/apps${APP}`, { instances: 10 });
        await cluster.settled(10);
        await sleep(2_000);
        await cluster.api('PUT', `/v2/apps${APP}`, { instances: 3 });
        await cluster.settled(3);
      }
    });
    expect(failures(result)).toEqual([]);
  });

  test('while the controller is restarted and killed at random moments, and backends change all the time', async () => {
    await cluster.ready();
    const app = await deployHeld(cluster, '/long', { instances: 2, drainSeconds: 3_000 });
    const [task = ''] = await cluster.client.hold(app.tcp, 3);
    await takeOut(cluster, app, task);
    const draining = endpointsOf(cluster, app, task).tcp;
    const deadline = await deadlineOf(cluster, draining);
    expect(deadline).toBeGreaterThan(Date.now());

    // Every fourth time SIGTERM: killed 50 times, or six.
    const rounds = LONG ? 66 : 8;
    const result = await cluster.underLoad(`controller ended ${rounds} times`, 3, async () => {
      cluster.backends.linger(AWAY_MS);
      const changing = keepChanging(cluster);
      for (let round = 0; round < rounds; round++) {
        // Every other time it may end before it is ready.
        if (round % 2 === 0) await cluster.ready();
        await sleep(Math.random() * 4_000);
        await cluster.end(round % 4 === 2 ? 'SIGTERM' : 'SIGKILL');
        cluster.start();
      }
      const changes = await changing.stop();
      await cluster.ready();
      // Not before: it shortens the time of those too that were asked to end while no controller could know.
      await cluster.inKernel(3);
      cluster.backends.linger(LINGER_MS);
      return `, ${changes} changes`;
    });
    expect(failures(result)).toEqual([]);
    expect(result.figures.held).toMatchObject({ reasons: [] });
    expect((await backendsOf('tcp', vipOf(app.tcp)))?.get(draining)).toBe(0);
    expect(await deadlineOf(cluster, draining)).toBe(deadline);
    await cluster.client.reset(app.tcp.address);
    await cluster.marathon.removeApp(app.id);
  });

  test('while the controller is upgraded in the middle of a deployment', async () => {
    await cluster.ready();
    const next = await anotherCopy(cluster.host.path('next'), '99.0.0');
    const result = await cluster.underLoad('controller upgraded in a deployment', 3, async () => {
      cluster.backends.linger(AWAY_MS);
      await cluster.api('PUT', `/v2/apps${APP}`, { env: { ...cluster.backends.env, RELEASE: 'upgrade' } });
      await sleep(1_500);
      expect(await cluster.end('SIGTERM')).toBe(0);
      cluster.start(['--relist-seconds', '10', '--source-silence-seconds', '3600'], next);
      await cluster.ready();
      cluster.backends.linger(LINGER_MS);
    });
    expect(failures(result)).toEqual([]);
    expect((await cluster.controller.get('/metrics')).body).toMatch('version="99.0.0"');
  });

  test('while Marathon sends no event on a stream that stays open: a full read finds every change', async () => {
    await cluster.ready(['--relist-seconds', '10', '--source-silence-seconds', '3600']);
    const result = await cluster.underLoad('no events, relist every 10 s', 3, async () => {
      cluster.backends.linger(AWAY_MS);
      cluster.marathon.streamFaults.muted = true;
      let slowest = 0;
      for (const instances of LONG ? [5, 3, 6, 2, 5, 3] : [5, 3]) {
        await cluster.api('PUT', `/v2/apps${APP}?force=true`, { instances });
        const asked = Date.now();
        await cluster.inKernel(instances);
        slowest = Math.max(slowest, Date.now() - asked);
      }
      cluster.marathon.streamFaults.muted = false;
      cluster.backends.linger(LINGER_MS);
      return `, in the kernel after ${inSeconds(slowest)} at most`;
    });
    expect(failures(result)).toEqual([]);
  });

  test('while Marathon is down, and after it is back', async () => {
    await cluster.ready();
    const downMs = LONG ? 60_000 : 8_000;
    const result = await cluster.underLoad(`Marathon down for ${inSeconds(downMs)}`, 3, async () => {
      const before = await ipvsadm();
      await cluster.marathon.goDown();
      await sleep(downMs);
      expect(await ipvsadm()).toEqual(before);
      expect((await cluster.controller.get('/readyz')).status).toBe(200);
      await cluster.marathon.comeBack();
      const back = Date.now();
      await cluster.api('PUT', `/v2/apps${APP}`, { instances: 4 });
      await cluster.settled(4);
      const known = inSeconds(Date.now() - back);
      await cluster.api('PUT', `/v2/apps${APP}`, { instances: 3 });
      return `, next change in the kernel after ${known}`;
    });
    expect(failures(result)).toEqual([]);
  });

  test('while another master leads and no task has a health result: the last one counts', async () => {
    await cluster.ready();
    const unknownMs = LONG ? 45_000 : 8_000;
    const result = await cluster.underLoad(`no health for ${inSeconds(unknownMs)}`, 3, async () => {
      const before = await ipvsadm();
      cluster.marathon.withholdHealth(true);
      cluster.marathon.elect(1_000);
      await sleep(unknownMs);
      expect(cluster.marathon.tasks(APP).every((task) => task['healthCheckResults'] === undefined)).toBe(
        true,
      );
      expect(await ipvsadm()).toEqual(before);
      cluster.marathon.withholdHealth(false);
    });
    expect(failures(result)).toEqual([]);
  });

  test('while connections that are held open drain: they live until they end, or until the deadline', async () => {
    await cluster.ready();
    const drainSeconds = LONG ? 90 : 40;
    const result = await cluster.underLoad('40 held connections drain', 3, async () => {
      const ending = await deployHeld(cluster, '/ending', { instances: 2, drainSeconds: 600 });
      const late = await deployHeld(cluster, '/late', { instances: 1, drainSeconds });
      const [task = ''] = await cluster.client.hold(ending.tcp, 20);
      const [last = ''] = await cluster.client.hold(late.tcp, 20);
      expect(await cluster.client.query(late.udp)).toBe(last);
      expect(await connectionsOf('udp', vipOf(late.udp))).toHaveLength(1);

      await takeOut(cluster, ending, task);
      await takeOut(cluster, late, last);
      const backend = endpointsOf(cluster, late, last).tcp;
      // The only backend of its UDP VIP: service and entries are gone, and nothing answers.
      expect(await backendsOf('udp', vipOf(late.udp))).toBeNull();
      expect(await connectionsOf('udp', vipOf(late.udp))).toEqual([]);
      const deadline = (await deadlineOf(cluster, backend)) ?? 0;
      expect(await heldFigures(cluster, 40)).toMatchObject({ reasons: [] });
      await cluster.client.reset(ending.tcp.address);

      await cluster.end('SIGKILL');
      await cluster.ready();
      expect(await deadlineOf(cluster, backend)).toBe(deadline);
      // Not closer: in a lab that others slow down, looking takes seconds.
      await sleep(Math.max(0, deadline - Date.now() - 5_000));
      expect((await backendsOf('tcp', vipOf(late.tcp)))?.get(backend)).toBe(0);
      expect(await heldFigures(cluster, 20)).toMatchObject({ reasons: [] });
      await eventually(async () => (await backendsOf('tcp', vipOf(late.tcp))) === null);
      const after = inSeconds(Date.now() - deadline);
      await cluster.client.reset(late.tcp.address);

      const { tcp: ended } = endpointsOf(cluster, ending, task);
      await eventually(async () => !(await backendsOf('tcp', vipOf(ending.tcp)))?.has(ended));
      return `, the last backend gone ${after} after its deadline`;
    });
    expect(failures(result)).toEqual([]);
  });

  test('while many VIPs are added that have nothing to do with it', async () => {
    await cluster.ready();
    const count = LONG ? 10_000 : 1_000;
    const result = await cluster.underLoad(`${count} VIPs added`, 3, async () => {
      await cluster.unrelated(unrelatedApps(count));
      const asked = Date.now();
      const services = async () => (await shell('ipvsadm -Ln | grep -c "^TCP  11\\.\\|^TCP 11\\."')).trim();
      await eventually(async () => Number(await services()) > count);
      return `, in the kernel after ${inSeconds(Date.now() - asked)}`;
    });
    expect(failures(result)).toEqual([]);
  });
});

function inSeconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
