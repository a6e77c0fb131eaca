/** The controller with `--netns-dir`, on a real kernel: namespaces as `ip netns` makes them, ipvsadm and ip as witnesses. */

import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { DoctorDocument } from '../../controller/doctor/document.ts';
import type { StatusDocument } from '../../controller/status/document.ts';
import type { WhyDocument } from '../../controller/why/document.ts';
import { command, IN_LAB, ipvsadm, type RunningController, shell, TestHost } from '../support/host.ts';
import { nodeArguments } from '../support/program.ts';
import { until } from '../support/waiting.ts';

const inLab = IN_LAB ? describe : describe.skip;
const PODS = ['pod0', 'pod1', 'pod2'];

/** Apps with a VIP each; each has these ports of two agents as backends. */
function apps(count: number, ...ports: readonly number[]) {
  return Array.from({ length: count }, (_, at) => ({
    id: `/app${at}`,
    portDefinitions: [{ protocol: 'tcp', port: 80, labels: { VIP_0: `/app${at}:80` } }],
    tasks: ports.map((port) => ({
      id: `app${at}.${port}`,
      host: `10.9.0.${1 + (port % 2)}`,
      ports: [port],
      state: 'TASK_RUNNING',
      startedAt: '2026-01-01T00:00:00.000Z',
    })),
  }));
}

async function tableOf(netns: string): Promise<string[]> {
  return (await shell(`ip netns exec ${netns} ipvsadm -Sn`)).split('\n').filter(Boolean).sort();
}

inLab('the controller with --netns-dir', () => {
  let host: TestHost;
  let directory: string;

  beforeEach(async () => {
    host = await TestHost.open();
    directory = host.path('l4lb');
    await mkdir(directory, { mode: 0o700 });
    for (const pod of PODS) await shell(`ip netns add ${pod} && ip -n ${pod} link set lo up`);
  });
  afterEach(async () => {
    await host.close();
    for (const pod of [...PODS, 'late']) await shell(`ip netns del ${pod} 2>/dev/null || true`);
  });

  /** As the CNI plugin does: a file with the path of the namespace. */
  async function name(pod: string): Promise<void> {
    await writeFile(`${directory}/${pod}`, `/run/netns/${pod}\n`, { mode: 0o644 });
  }

  async function say(all: readonly unknown[]): Promise<void> {
    const path = host.path('apps.json');
    await writeFile(`${path}.new`, JSON.stringify({ apps: all }));
    await shell(`mv ${path}.new ${path}`);
  }

  function start(): Promise<RunningController> {
    return host.start('--source', `file=${host.path('apps.json')}`, '--netns-dir', directory);
  }

  async function namespaces(controller: RunningController) {
    const { body } = await controller.get('/v1/status');
    const { networkNamespaces } = JSON.parse(body) as StatusDocument;
    return networkNamespaces?.namespaces.map(({ id, inSync, reason, vips }) => ({
      id,
      inSync,
      reason,
      vips,
    }));
  }

  async function ledgers(): Promise<string[]> {
    return (await readdir(host.path('ledger.json.d'))).sort();
  }

  /** Names of the files that these have as ledgers. */
  async function ledgersOf(...pods: readonly string[]): Promise<string[]> {
    const inodes = await Promise.all(pods.map((pod) => shell(`stat -Lc %i /run/netns/${pod}`)));
    return inodes.map((inode) => `${inode.trim()}.json`).sort();
  }

  /** Resolves once these have the host's table, and the host this many lines of it. */
  async function same(pods: readonly string[], lines: number): Promise<void> {
    await until(async () => {
      const own = await ipvsadm();
      expect(own).toHaveLength(lines);
      for (const pod of pods) expect([pod, await tableOf(pod)]).toEqual([pod, own]);
    }, 'the namespaces have the table of the host');
  }

  test('gives each namespace the VIPs, interface and route of the host, and tells of each', async () => {
    await say(apps(3, 31000, 31001));
    for (const pod of PODS) await name(pod);
    const controller = await start();
    await same(PODS, 9);
    await until(async () => {
      expect(await namespaces(controller)).toEqual(
        PODS.map((id) => ({ id, inSync: true, reason: null, vips: 3 })),
      );
    }, 'status tells of all of them');
    for (const pod of PODS)
      expect(await shell(`ip -n ${pod} route show table local 11.0.0.0/8`)).toContain('dev vip0');
    expect(await ledgers()).toEqual(await ledgersOf(...PODS));
    for (const pod of PODS)
      expect(
        await shell(`tr '\\0' '\\n' < /proc/$(ip netns pids ${pod})/environ | grep -v ^PATH=; true`),
      ).toBe('');
    expect((await controller.get('/readyz?verbose')).body).toContain('network-namespaces');

    await say(apps(3, 31000, 31001, 31002));
    await same(PODS, 12);
  });

  test('one that comes is served, and one whose file goes is let go and left as it is', async () => {
    await say(apps(2, 31000));
    await name('pod0');
    const controller = await start();
    await same(['pod0'], 4);
    await name('pod1');
    await same(['pod0', 'pod1'], 4);
    expect(await tableOf('pod2')).toEqual([]);

    await rm(`${directory}/pod0`);
    await until(async () => {
      expect(await namespaces(controller)).toEqual([{ id: 'pod1', inSync: true, reason: null, vips: 2 }]);
      expect(await shell('ip netns pids pod0')).toBe('');
    }, 'the controller has let go of it');
    // It may come again.
    expect(await ledgers()).toEqual(await ledgersOf('pod0', 'pod1'));
    expect(await tableOf('pod0')).toHaveLength(4);
    await say(apps(2, 31000, 31001));
    await same(['pod1'], 6);
    expect(await tableOf('pod0')).toHaveLength(4);
  });

  test('a file that is written anew costs nothing of what is ours there, in the pool or outside it', async () => {
    const NAMED = [{ protocol: 'tcp', port: 80, labels: { VIP_1: '/app:80' } }];
    const withAddress = (...ports: readonly number[]) =>
      apps(1, ...ports).map((app) => ({
        ...app,
        portDefinitions: [{ protocol: 'tcp', port: 80, labels: { VIP_0: '10.77.0.1:80', VIP_1: '/app:80' } }],
      }));
    await say(withAddress(31000));
    await name('pod0');
    await start();
    await same(['pod0'], 4);
    for (const moment of [60, 1_500]) {
      await rm(`${directory}/pod0`);
      await new Promise((resolve) => setTimeout(resolve, moment));
      await name('pod0');
    }
    await say(withAddress(31000, 31001));
    await same(['pod0'], 6);
    await say(withAddress(31000, 31001).map((app) => ({ ...app, portDefinitions: NAMED })));
    await same(['pod0'], 3);
  });

  test('a file that is renamed, while the controller runs or is stopped, costs nothing of what is ours there', async () => {
    const withAddress = (...ports: readonly number[]) =>
      apps(1, ...ports).map((app) => ({
        ...app,
        portDefinitions: [{ protocol: 'tcp', port: 80, labels: { VIP_0: '10.77.0.1:80' } }],
      }));
    await say(withAddress(31000));
    await name('pod0');
    const controller = await start();
    await same(['pod0'], 2);
    await rename(`${directory}/pod0`, `${directory}/web`);
    await say(withAddress(31000, 31001));
    await same(['pod0'], 3);
    await until(async () => {
      expect(await namespaces(controller)).toEqual([{ id: 'web', inSync: true, reason: null, vips: 1 }]);
    }, 'it is kept under its new name');

    await controller.end();
    await rename(`${directory}/web`, `${directory}/shop`);
    await say(withAddress(31001));
    await start();
    await same(['pod0'], 2);
    expect(await ledgers()).toEqual(await ledgersOf('pod0'));
    await say([]);
    await same(['pod0'], 0);
  });

  test('a helper that is killed costs no other namespace anything', async () => {
    const two = ['pod0', 'pod1'];
    await say(apps(2, 31000));
    for (const pod of two) await name(pod);
    await start();
    await same(two, 4);
    await shell('kill -9 $(ip netns pids pod1)');
    await say(apps(2, 31000, 31001));
    await same(['pod0'], 6);
    await same(two, 6);
  });

  test("another program's services there are left alone, and what it changes of ours is put back", async () => {
    await say(apps(1, 31000));
    await name('pod0');
    await shell('ip netns exec pod0 ipvsadm -A -t 10.5.5.5:80 -s rr');
    const controller = await start();
    await controller.ready();
    const foreign = '-A -t 10.5.5.5:80 -s rr';
    const whole = () => until(async () => expect(await tableOf('pod0')).toHaveLength(3), 'all is there');
    await whole();
    expect(await tableOf('pod0')).toContain(foreign);
    const [ours = ''] = (await tableOf('pod0')).filter((line) => line.startsWith('-A -t 11.'));
    await shell(`ip netns exec pod0 ipvsadm -D -t ${ours.split(' ')[2]}; ip -n pod0 link del vip0`);
    controller.signal('SIGHUP');
    await whole();
    const reached = () =>
      until(async () => {
        expect(await shell('ip -n pod0 route show table local 11.0.0.0/8')).toContain('dev vip0');
      }, 'the route is back');
    await reached();
    await shell('ip -n pod0 link set vip0 down');
    await reached();
  });

  test('SIGKILL at any moment leaves no namespace wrong after the restart, and no helper behind', async () => {
    const ports = [31000, 31001, 31002, 31003];
    await say(apps(20, ...ports));
    for (const pod of PODS) await name(pod);
    const moments = process.env['TRAFFIC'] === 'long' ? [0, 40, 90, 200, 450, 900] : [0, 200];
    for (const [round, moment] of moments.entries()) {
      const controller = await start();
      if (round > 0) await controller.ready();
      await say(apps(20 - round, ...ports.slice(round % 2)));
      await new Promise((resolve) => setTimeout(resolve, moment));
      await controller.end('SIGKILL');
    }
    await start();
    const [services, backends] = [20 - (moments.length - 1), 3];
    await same(PODS, services * (1 + backends));
    for (const pod of PODS) expect((await shell(`ip netns pids ${pod}`)).trim().split('\n')).toHaveLength(1);
  });

  test('diff and cleanup work on the namespace that --netns names, with its ledger', async () => {
    const two = ['pod0', 'pod1'];
    await say(apps(2, 31000));
    for (const pod of two) await name(pod);
    const controller = await start();
    await same(two, 4);
    await controller.end();
    await shell('ip netns exec pod1 ipvsadm -A -t 10.5.5.5:80 -s rr');

    const inPod1 = ['--netns-dir', directory, '--netns', 'pod1', '--ledger', host.path('ledger.json')];
    const diff = (...args: readonly string[]) =>
      host.marathonIpvs('diff', '-o', 'ipvsadm', '--source', `file=${host.path('apps.json')}`, ...args);
    expect(await diff(...inPod1)).toMatchObject({ status: 0, stdout: '' });
    const { status, stdout } = await host.marathonIpvs('cleanup', ...inPod1);
    expect(status).toBe(0);
    expect(stdout).toContain("removed 2 of this controller's services; 1 of other programs left alone");
    expect(await tableOf('pod1')).toEqual(['-A -t 10.5.5.5:80 -s rr']);
    expect(await shell('ip -n pod1 -br link')).not.toContain('vip0');
    expect((await diff(...inPod1)).status).toBe(1);
    expect(await tableOf('pod0')).toHaveLength(4);
    expect(await ipvsadm()).toHaveLength(4);

    const lost = await diff('--netns-dir', directory, '--netns', 'lost');
    expect(lost).toMatchObject({ status: 2, stdout: '' });
    expect(lost.stderr).toContain('--netns lost: ');
  });

  test('status, why and doctor look into the namespace that --netns names', async () => {
    await say(apps(1, 31000));
    for (const pod of ['pod0', 'pod1']) await name(pod);
    const controller = await start();
    await controller.ready();
    await same(['pod0', 'pod1'], 2);
    const into = (pod: string) => ['--netns-dir', directory, '--netns', pod];

    const told = await host.marathonIpvs('status', '--netns', 'pod1');
    expect(told.stdout).toMatch(/^network namespace pod1 \(\/run\/netns\/pod1\): 1 VIP, in sync for /);

    // By its address, since no name server is reached from there. Nobody listens at the backend: the way ends there.
    const { vips } = JSON.parse((await controller.get('/v1/status')).body) as StatusDocument;
    const why = async (pod: string) => {
      const { stdout } = await host.marathonIpvs('why', `${vips[0]?.address}:80`, '-o', 'json', ...into(pod));
      return JSON.parse(stdout) as WhyDocument;
    };
    const whole = await why('pod1');
    expect(whole).toMatchObject({ client: '/run/netns/pod1', namespace: '/run/netns/pod1' });
    const stagesOf = ({ ways }: WhyDocument) => ways.flatMap(({ steps }) => steps.map(({ stage }) => stage));
    expect(stagesOf(whole)).toEqual(expect.arrayContaining(['kernel', 'route', 'connections']));

    const { stdout } = await host.marathonIpvs('doctor', '-o', 'json', ...into('pod1'));
    const { findings, namespace } = JSON.parse(stdout) as DoctorDocument;
    expect(namespace).toBe('/run/netns/pod1');
    expect(findings).toContainEqual(
      expect.objectContaining({ check: 'sysctl net.ipv4.vs.conntrack', state: 'ok' }),
    );
    expect(findings.map(({ code }) => code)).not.toContain('capability');

    await shell('ip -n pod1 route add 11.5.0.0/16 dev lo');
    const sick = await host.marathonIpvs('doctor', ...into('pod1'));
    expect(sick.stdout).toContain('[-] pool 11.0.0.0/8: overlaps 11.5.0.0/16 dev lo');
    expect(sick.stdout).toContain(
      'run a fix of the network in it, as `nsenter --net=/run/netns/pod1 COMMAND`',
    );
    expect((await host.marathonIpvs('doctor', ...into('pod0'))).stdout).not.toContain('[-] pool');
    await shell('ip netns exec pod1 ipvsadm -C');
    const broken = await why('pod1');
    expect(broken.verdict).toBe('broken');
    expect(stagesOf(await why('pod0'))).toContain('connections');
  });

  test('without CAP_SYS_ADMIN the start is refused, with what to do', async () => {
    await say(apps(1, 31000));
    const without = ['--bounding-set=-sys_admin', '--inh-caps=-sys_admin', process.execPath];
    const run = ['run', '--source', `file=${host.path('apps.json')}`, '--netns-dir', directory];
    const { status, stderr } = await command(
      'setpriv',
      ...without,
      ...nodeArguments(),
      ...run,
      ...host.places(),
    );
    expect(status).toBe(2);
    expect(stderr).toBe(
      `marathon-ipvs: --netns-dir ${directory}: network namespaces cannot be entered without CAP_SYS_ADMIN; run as root, or give the unit or the container SYS_ADMIN\n`,
    );
    expect(await ipvsadm()).toEqual([]);
  });
});
