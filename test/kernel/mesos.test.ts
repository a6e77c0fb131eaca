import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { eventually, IN_LAB, ipvsadm, type RunningController, shell, TestHost } from '../support/host.ts';
import { startMesos, type TestMesos } from '../support/mesos/start-mesos.ts';

const inLab = IN_LAB ? describe : describe.skip;
/** Of `broker.kafka`, as DC/OS had it. */
const VIP = '11.175.100.165:9092';
const UUID = '0ef76549-2630-11e8-af52-70b3d5800001';

inLab('the controller, Mesos and a real kernel', () => {
  let host: TestHost;
  let mesos: TestMesos;
  let controller: RunningController;

  beforeEach(async () => {
    host = await TestHost.open();
    mesos = await startMesos({ masters: 2, heartbeatSeconds: 1, pieces: [1, 1_000, 17] });
    mesos.cluster.addFramework('f-1', 'kafka');
    for (const index of [0, 1, 2]) {
      mesos.cluster.addAgent(`S${index}`, `10.9.0.${index}`);
      mesos.cluster.addTask(broker(index));
    }
    controller = await host.start('--source', `mesos=${mesos.urls.join(',')}`);
    await controller.ready();
  });
  afterEach(async () => {
    await controller.end();
    await mesos.close();
    await host.close();
  });

  const idOf = (index: number) => `broker-${index}__${UUID}`;
  const broker = (index: number) => ({
    id: idOf(index),
    name: `broker-${index}`,
    framework: 'f-1',
    agent: `S${index}`,
    addresses: [`10.9.0.${index}`],
    ports: [{ number: 9_000 + index, labels: { VIP_1: 'broker:9092' } }],
  });

  /** `10.9.0.1:9001 1` for each backend of the VIP, as ipvsadm tells it. */
  async function backends(): Promise<string[]> {
    return (await ipvsadm()).flatMap((line) => {
      const [, vip, endpoint, weight] = /^-a -t (\S+) -r (\S+) -m -w (\d+)/.exec(line) ?? [];
      return vip === VIP ? [`${endpoint} ${weight}`] : [];
    });
  }

  test('brokers of a Kafka, which Marathon does not know, are behind the VIP that DC/OS gave them', async () => {
    expect(await backends()).toEqual(['10.9.0.0:9000 1', '10.9.0.1:9001 1', '10.9.0.2:9002 1']);
    expect(await ipvsadm()).toContain(`-A -t ${VIP} -s wlc`);
    expect(JSON.parse((await controller.get('/v1/vips')).body)).toMatchObject([
      { vip: 'broker.kafka.l4lb.thisdcos.directory:9092' },
    ]);

    mesos.cluster.updateTask(idOf(1), { state: 'KILLING' });
    await eventually(async () => (await backends()).includes('10.9.0.1:9001 0'));
    mesos.cluster.updateTask(idOf(1), { state: 'KILLED' });
    await eventually(async () => (await backends()).length === 2);
  });

  test('no master, a cut stream and a failover take nothing away (rules 2 and 3)', async () => {
    const before = await backends();
    mesos.elect(null);
    const source = `mesos=${mesos.urls.join(',')}`;
    const failures = () => controller.metric(`marathon_ipvs_source_failures_total{source="${source}"}`);
    await eventually(async () => (await failures()) >= 2);
    expect(await backends()).toEqual(before);
    expect((await controller.get('/readyz?verbose')).body).toMatch(/source mesos=.* ok: stale/);

    // The other master leads, and the agents come back to it one by one.
    mesos.cluster.failOver();
    mesos.elect(1);
    await eventually(async () => mesos.streams === 1);
    mesos.cluster.addAgent('S0', '10.9.0.0');
    mesos.cluster.addTask(broker(0));
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    expect(await backends()).toEqual(before);

    mesos.send('99\n{"type":"TASK_UPD');
    mesos.endStreams();
    await eventually(async () => mesos.streams === 1);
    expect(await backends()).toEqual(before);
    expect((await controller.get('/readyz')).status).toBe(200);
  });

  test('what the disk remembers of Mesos brings back the backends of an empty kernel', async () => {
    const before = await backends();
    await eventually(async () => (await shell(`ls ${host.path('state')}`)).includes('source-'));
    await controller.end();
    const where = `mesos=${mesos.urls.join(',')}`;
    await mesos.close();
    await shell('ipvsadm -C; ip link del vip0');
    controller = await host.start('--source', where);
    await controller.ready();
    expect(await backends()).toEqual(before);
    expect((await controller.get('/readyz?verbose')).body).toContain('from disk');
  });
});
