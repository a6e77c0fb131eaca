import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { eventually, IN_LAB, ipvsadm, type RunningController, shell, TestHost } from '../support/host.ts';
import { startMarathon, type TestMarathon } from '../support/marathon/start-marathon.ts';

const inLab = IN_LAB ? describe : describe.skip;
const VIP = '11.134.217.55:5555';

/** `10.9.0.1:20000 1` for each backend in the kernel, as ipvsadm tells it. */
async function backends(): Promise<string[]> {
  const lines = await ipvsadm();
  return lines.flatMap((line) => {
    const [, endpoint, weight] = /^-a -t \S+ -r (\S+) -m -w (\d+)/.exec(line) ?? [];
    return endpoint === undefined ? [] : [`${endpoint} ${weight}`];
  });
}

inLab('the controller, Marathon and a real kernel', () => {
  let host: TestHost;
  let marathon: TestMarathon;
  let controller: RunningController;

  beforeEach(async () => {
    await shell('ip link add agent type dummy && ip addr add 10.9.0.1/24 dev agent && ip link set agent up');
    host = await TestHost.open();
    marathon = await startMarathon({
      agents: [{ hostname: '10.9.0.1' }],
      processes: false,
      masters: 2,
      killMs: 3_000,
    });
    await marathon.addApp({
      id: '/my-service',
      cmd: 'sleep 1000',
      instances: 3,
      portDefinitions: [
        { protocol: 'tcp', port: 5555, labels: { VIP_0: '/my-service:5555' }, name: 'my-vip' },
      ],
      healthChecks: [{ protocol: 'MESOS_HTTP', path: '/', portIndex: 0, intervalSeconds: 1 }],
    });
  });
  afterEach(async () => {
    await controller.end();
    await marathon.close();
    await host.close();
    await shell('ip link del agent');
  });

  async function start(...args: readonly string[]): Promise<void> {
    controller = await host.start('--source', `marathon=${marathon.urls.join(',')}`, ...args);
    await controller.ready();
  }

  test('an instance that is killed gets weight 0 at once and leaves when it is gone; its replacement comes', async () => {
    await start();
    const before = await backends();
    expect(before.map((backend) => backend.slice(-1))).toEqual(['1', '1', '1']);
    const [victim] = marathon.tasks('/my-service');
    await fetch(`${marathon.url}/v2/apps/my-service/tasks/${victim?.['id']}`, { method: 'DELETE' });
    await eventually(async () => (await backends()).some((backend) => backend.endsWith(' 0')));
    await eventually(async () => {
      const now = await backends();
      return (
        now.length === 3 && now.every((backend) => backend.endsWith(' 1')) && now.join() !== before.join()
      );
    });
    expect(
      await controller.metric('marathon_ipvs_passes_total{kind="changes",result="converged"}'),
    ).toBeGreaterThan(0);
  });

  test('Marathon down, 5xx, truncated answers and a leader change take nothing away (rules 2 and 3)', async () => {
    await start('--source-timeout-seconds', '2');
    const before = await backends();

    marathon.faults.fail(6, 503);
    marathon.closeStreams();
    const failures = () =>
      controller.metric(`marathon_ipvs_source_failures_total{source="marathon=${marathon.urls.join(',')}"}`);
    await eventually(async () => (await failures()) >= 1);
    marathon.faults.clear();
    marathon.faults.damage(4, 'truncated');
    marathon.closeStreams();
    const before5xx = await failures();
    await eventually(async () => (await failures()) > before5xx);
    marathon.faults.clear();
    expect(await backends()).toEqual(before);

    marathon.elect(1_000);
    await new Promise((resolve) => setTimeout(resolve, 4_000));
    expect(await backends()).toEqual(before);
    expect((await controller.get('/readyz')).status).toBe(200);
  });

  test('a restart while Marathon is down keeps every backend, and one with an empty kernel brings them back from disk', async () => {
    await start();
    const before = await backends();
    await eventually(async () => (await shell(`ls ${host.path('state')}`)).includes('source-'));
    await controller.end();
    const { urls } = marathon;
    await marathon.close();

    const source = `marathon=${urls.join(',')}`;
    controller = await host.start('--source', source);
    await controller.ready();
    expect(await backends()).toEqual(before);
    expect((await controller.get('/readyz?verbose')).body).toContain('disk');
    await controller.end();

    await shell('ipvsadm -C; ip link del vip0');
    controller = await host.start('--source', source);
    await eventually(async () => (await backends()).join() === before.join());
  });

  test('one app that cannot be used harms no other, and says where it is wrong (rule 8)', async () => {
    await start();
    const before = await ipvsadm();
    await marathon.addApp({
      id: '/bad',
      cmd: 'x',
      instances: 1,
      portDefinitions: [{ port: 0, labels: { VIP_0: 'nocolon' } }],
    });
    const rejected = await eventually(async () => {
      const { rejected: found } = JSON.parse((await controller.get('/v1/diff')).body);
      return found.length > 0 && found;
    });
    expect(rejected).toMatchObject([
      { app: '/bad', at: 'portDefinitions[0].labels.VIP_0', value: 'nocolon' },
    ]);
    expect(await ipvsadm()).toEqual(before);
    expect(JSON.parse((await controller.get('/v1/vips')).body)).toMatchObject([
      { vip: 'my-service.marathon.l4lb.thisdcos.directory:5555', protocol: 'tcp' },
    ]);
    expect(await ipvsadm()).toContain(`-A -t ${VIP} -s wlc`);
  });
});
