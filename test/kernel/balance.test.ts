import { readFile, writeFile } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { endpointKey } from '../../controller/model/endpoint.ts';
import { parseTable } from '../../controller/plan/ipvsadm.ts';
import { hideModule } from '../support/hidden-module.ts';
import { eventually, IN_LAB, ipvsadm, shell, TestHost } from '../support/host.ts';

const inLab = IN_LAB ? describe : describe.skip;

let host: TestHost;
if (IN_LAB) {
  beforeEach(async () => {
    host = await TestHost.open();
  });
  afterEach(() => host.close());
}

const app = (id: string, labels: Record<string, string>, ports: readonly number[]) => ({
  id,
  portDefinitions: [{ port: 0, labels: { VIP_0: `${id}:80`, ...labels } }],
  tasks: ports.map((port) => ({
    id: `${id.slice(1)}.${port}`,
    host: '10.9.0.1',
    ports: [port],
    state: 'TASK_RUNNING',
  })),
});

async function apps(...all: readonly unknown[]): Promise<string> {
  await writeFile(host.path('apps.json'), JSON.stringify(all));
  return `file=${host.path('apps.json')}`;
}

/** Ports of the backends in the kernel's own list: what it takes among equals comes first. */
async function kernelList(): Promise<number[]> {
  const text = await readFile('/proc/net/ip_vs', 'utf8');
  return [...text.matchAll(/-> [0-9A-F]{8}:([0-9A-F]{4}) /g)].map(([, port = '']) =>
    Number.parseInt(port, 16),
  );
}

function added(lines: string): number[] {
  return [...lines.matchAll(/^-a .* -r 10\.9\.0\.1:(\d+) /gm)].map(([, port]) => Number(port));
}

inLab('the order of backends on a real kernel', () => {
  const TEN = Array.from({ length: 10 }, (_, i) => 31_000 + i);

  test('is the one of this host, the other way round: the kernel puts each at the head of its list', async () => {
    const orders: number[][] = [];
    for (const id of ['host-1', 'host-2', 'host-1']) {
      await host.close();
      host = await TestHost.open();
      const args = ['--source', await apps(app('/web', {}, TEN)), '--host-id', id, ...host.places()];
      const told = added((await host.marathonIpvs('diff', '-o', 'ipvsadm', ...args)).stdout);
      expect(await host.marathonIpvs('run', '--once', ...args)).toMatchObject({ status: 0, stderr: '' });
      expect(await kernelList()).toEqual(told.toReversed());
      orders.push(told);
    }
    expect(orders[0]).toEqual(orders[2]);
    expect(orders[0]).not.toEqual(orders[1]);
    expect(orders[0]?.toSorted()).toEqual(TEN);
  });

  test('comes back when a hand has removed the service, and holds for several that join others', async () => {
    const args = (id: string, source: string) => ['--source', source, '--host-id', id, ...host.places()];
    const whole = await apps(app('/web', {}, TEN));
    await host.marathonIpvs('run', '--once', ...args('host-1', whole));
    const list = await kernelList();
    await shell('ipvsadm -C');
    await host.marathonIpvs('run', '--once', ...args('host-1', whole));
    expect(await kernelList()).toEqual(list);
    await host.marathonIpvs('run', '--once', ...args('host-1', await apps(app('/web', {}, [31_004]))));
    expect(await kernelList()).toEqual([31_004]);
    await host.marathonIpvs('run', '--once', ...args('host-1', await apps(app('/web', {}, TEN))));
    expect(await kernelList()).toEqual([...list.filter((port) => port !== 31_004), 31_004]);
  });
});

inLab('a scheduler that the kernel lacks', () => {
  let hidden: { undo(): Promise<void> };
  beforeAll(async () => {
    hidden = await hideModule('ip_vs_twos');
  });
  afterAll(() => hidden.undo());

  const REASON = /kernel lacks this scheduler \(module ip_vs_twos\), so the VIP has wlc/;
  const twos = app('/a', { IPVS_SCHEDULER: 'twos' }, [31_000]);
  const vips = async () => {
    const table = parseTable((await ipvsadm()).join('\n'));
    return [...table.values()]
      .map(({ scheduler, backends }) => [scheduler, ...[...backends.values()].map(endpointKey)])
      .toSorted();
  };

  test('gives one pass with the default, the reason, and no error', async () => {
    const args = ['--source', await apps(twos, app('/ok', {}, [31_003])), ...host.places()];
    const once = await host.marathonIpvs('run', '--once', '-o', 'json', ...args);
    expect(once).toMatchObject({ status: 0, stderr: '' });
    expect(JSON.parse(once.stdout).rejected).toEqual([
      expect.objectContaining({
        app: '/a',
        at: 'portDefinitions[0].labels.IPVS_SCHEDULER',
        value: 'twos',
        reason: expect.stringMatching(REASON),
      }),
    ]);
    expect(await vips()).toEqual([
      ['wlc', '10.9.0.1:31000'],
      ['wlc', '10.9.0.1:31003'],
    ]);
  });

  test('leaves a controller ready, for a new service, for an update, and over its next tries', async () => {
    const source = await apps(app('/a', { IPVS_SCHEDULER: 'rr' }, [31_000]), app('/ok', {}, [31_003]));
    const controller = await host.start('--source', source, '--dns-listen', 'off', '--resync-seconds', '3');
    await controller.ready();
    await apps(app('/a', { IPVS_SCHEDULER: 'twos' }, [31_000]), app('/ok', {}, [31_003]));
    const rejected = async () => JSON.parse((await controller.get('/v1/status')).body).rejected;
    await eventually(async () => (await rejected()).length === 1);
    expect(await rejected()).toEqual([expect.objectContaining({ reason: expect.stringMatching(REASON) })]);
    expect(await vips()).toEqual([
      ['wlc', '10.9.0.1:31000'],
      ['wlc', '10.9.0.1:31003'],
    ]);
    // The first try again is after five seconds.
    await new Promise((resolve) => setTimeout(resolve, 8_000));
    await controller.ready();
    expect(await controller.metric('marathon_ipvs_step_failures_total')).toBe(0);
    expect(controller.log).not.toMatch(/ESRCH|ENOENT/);
    expect(await rejected()).toHaveLength(1);
  });
});
