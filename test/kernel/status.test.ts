import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { connect, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { doctorDocument } from '../../controller/doctor/document.ts';
import { statusDocument } from '../../controller/status/document.ts';
import { command, eventually, IN_LAB, type RunningController, shell, TestHost } from '../support/host.ts';
import { LAUNCHER } from '../support/program.ts';

const VIP = '11.134.217.55';
// A process starts in seconds there, and each test starts several.
const inLab = IN_LAB ? describe : describe.skip;

inLab('status and doctor on a real kernel', () => {
  let host: TestHost;
  const servers: Server[] = [];
  const clients: Socket[] = [];
  /** Labels of how the example's VIP is balanced. */
  let balanced: Readonly<Record<string, string>> = {};

  beforeAll(async () => {
    await shell('ip link add agent type dummy && ip addr add 10.9.0.1/24 dev agent && ip link set agent up');
    for (const port of [31000, 31001]) {
      const server = createServer((_request, response) => response.end(`${port}\n`));
      server.keepAliveTimeout = 0;
      await new Promise<void>((resolve) => server.listen(port, '10.9.0.1', resolve));
      servers.push(server);
    }
  });
  afterAll(async () => {
    for (const server of servers) server.close();
    await shell('ip link del agent');
  });
  beforeEach(async () => {
    host = await TestHost.open();
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) client.destroy();
    balanced = {};
    await host.close();
  });

  /** Two instances of the documentation's example on this host, in these states. */
  async function apps(...states: readonly string[]): Promise<void> {
    const labels = { VIP_0: '/my-service:5555', ...balanced };
    const app = {
      id: '/my-service',
      portDefinitions: [{ protocol: 'tcp', port: 5555, labels }],
      tasks: states.map((state, at) => ({
        id: `my-service.${31_000 + at}`,
        host: '10.9.0.1',
        ports: [31_000 + at],
        state,
        startedAt: '2026-01-01T00:00:00.000Z',
      })),
    };
    const idle = {
      ...app,
      id: '/idle',
      portDefinitions: [{ port: 80, labels: { VIP_0: '/idle:80' } }],
      tasks: [],
    };
    const bad = { id: '/bad', portDefinitions: [{ port: 0, labels: { VIP_0: 'nocolon' } }] };
    await writeFile(host.path('apps.new'), JSON.stringify({ apps: [app, idle, bad] }));
    await shell(`mv ${host.path('apps.new')} ${host.path('apps.json')}`);
  }

  async function start(...args: readonly string[]): Promise<RunningController> {
    await apps('TASK_RUNNING', 'TASK_RUNNING');
    const controller = await host.start(
      '--source',
      `file=${host.path('apps.json')}`,
      '--dns-listen',
      'off',
      ...args,
    );
    await controller.ready();
    return controller;
  }

  /** Connections to the VIP that stay open. */
  async function connections(count: number): Promise<void> {
    for (let at = 0; at < count; at += 1) {
      const client = connect(5555, VIP);
      await once(client, 'connect');
      client.write('GET / HTTP/1.1\r\nHost: vip\r\n\r\n');
      await once(client, 'data');
      clients.push(client);
    }
  }

  async function statusOf(...args: readonly string[]) {
    const { status, stdout, stderr } = await host.marathonIpvs('status', '-o', 'json', ...args);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    return statusDocument.parse(JSON.parse(stdout));
  }

  async function doctor() {
    const { status, stdout, stderr } = await host.marathonIpvs('doctor', '-o', 'json', '--dns-listen', 'off');
    expect(stderr).toBe('');
    return { status, ...doctorDocument.parse(JSON.parse(stdout)) };
  }

  test('status shows real connections, counters and rates of each backend, as ipvsadm counts them', async () => {
    await start();
    await connections(4);
    // What was counted since the kernel last summed up comes with its next sum, to both.
    const [vip] = await eventually(async () => {
      const { vips } = await statusOf('my-service');
      const [, packets, , bytes] =
        /11\.134\.217\.55:5555\s+4\s+(\d+)\s+(\d+)\s+(\d+)/.exec(
          await shell('ipvsadm -ln --stats --exact'),
        ) ?? [];
      const { connections, inPackets, inBytes } = vips[0]?.traffic ?? {};
      const agree = connections === 4 && inPackets === Number(packets) && inBytes === Number(bytes);
      return agree ? vips : undefined;
    });
    expect(vip).toMatchObject({
      state: 'forwarding',
      reason: null,
      activeConnections: 4,
      inactiveConnections: 0,
    });
    expect(vip?.backends.map(({ activeConnections }) => activeConnections)).toEqual([2, 2]);

    const text = await host.marathonIpvs('status');
    expect(text).toMatchObject({ status: 0, stderr: '' });
    expect(text.stdout).toMatch(/^VIP +ADDRESS +SCHED +BACKENDS +CONNS +CONN\/S +SPREAD +STATE +SINCE\n/);
    expect(text.stdout).toMatch(
      /^my-service\.marathon +11\.134\.217\.55:5555\/tcp +wlc +2\/2 +4 +\d+ +- +forwarding +\d+s$/m,
    );
    expect(text.stdout).toMatch(/^idle\.marathon +11\.\S+:80\/tcp +- +0\/0 +0 +- +- +no backend +\d+s$/m);
    expect(text.stdout).toContain(
      '! rejected  /bad  portDefinitions[0].labels.VIP_0 = "nocolon": expected NAME:PORT',
    );
    expect(text.stdout).toMatch(/2 of 2 backends in rotation; 4 connections; ready\n$/);
  });

  test('connections that all go to one of two backends are told, and which one it is', async () => {
    balanced = { IPVS_PERSISTENCE_SECONDS: '300' };
    await start();
    const first = await statusOf('my-service');
    expect(first.vips[0]?.spread).toBeNull();
    await shell(`for i in $(seq 45); do curl -s -m 9 http://${VIP}:5555/ >/dev/null; done`);
    // Some kernels renew what netlink tells every 2 s only: a read may show a part of them.
    const { vips } = await eventually(async () => {
      const document = await statusOf('my-service');
      return document.vips[0]?.spread?.connections === 45 ? document : undefined;
    });
    const busy = vips[0]?.backends.find(({ traffic }) => (traffic?.connections ?? 0) > 0);
    const backend = `10.9.0.1:${busy?.port}`;
    expect(vips[0]?.spread).toMatchObject({
      ...{ connections: 45, backends: 2, uneven: true },
      most: { backend, connections: 45, ofShare: 2 },
      least: { connections: 0, ofShare: 0 },
    });
    const { stdout } = await host.marathonIpvs('status');
    expect(stdout).toMatch(/^my-service\.marathon .* 0\.0-2\.0x +forwarding/m);
    expect(stdout).toContain(`: ${backend} got 2.0 times its share of new connections, 45 of 45 in `);
    const metrics = await shell('curl -s http://127.0.0.1:61421/metrics');
    expect(metrics).toContain('marathon_ipvs_uneven_vips 1\n');
    expect(metrics).toContain('marathon_ipvs_spread_max_ratio 2\n');
  });

  test('a backend that drains shows the connections left and its deadline, and since when', async () => {
    const controller = await start();
    await connections(2);
    const before = await statusOf('my-service');
    await apps('TASK_KILLING', 'TASK_RUNNING');
    const vip = await eventually(async () => {
      const document = await statusOf('my-service');
      return document.vips[0]?.backends[0]?.weight === 0 ? document.vips[0] : undefined;
    });
    const [killed, other] = vip.backends;
    expect(killed).toMatchObject({
      weight: 0,
      activeConnections: 1,
      reason: expect.stringContaining('being killed'),
    });
    expect(Date.parse(killed?.since ?? '')).toBeGreaterThan(Date.parse(before.at) - 1_000);
    expect(other?.since).toBe(before.vips[0]?.backends[1]?.since);

    // Its instance runs on without being a backend: another label.
    const label = JSON.stringify({ VIP_0: '/other:5555' });
    await shell(`sed -i 's#{"VIP_0":"/my-service:5555"}#${label}#' ${host.path('apps.json')}`);
    const drained = await eventually(async () => {
      const { vips } = await statusOf(`${VIP}:5555`);
      return vips[0]?.state === 'draining' ? vips[0] : undefined;
    }).catch((error: unknown) => {
      throw new Error(`${error}: ${controller.log}`);
    });
    expect(drained.name).toBe('my-service');
    const { drain } = drained.backends[0] ?? {};
    expect(drain).toMatchObject({ connections: 1 });
    expect(drain?.secondsLeft).toBeGreaterThan(200);
    expect(drain?.secondsLeft).toBeLessThanOrEqual(300);
  });

  test('status tells why a backend is held, what ends that, and afterwards why it was let go', async () => {
    await start('--mass-removal-hold-seconds', '20');
    const two = [1, 2].map((i) => ({
      id: `/w${i}`,
      portDefinitions: [{ protocol: 'tcp', port: 5555, labels: { VIP_0: `/w${i}:80` } }],
      tasks: [{ id: `w${i}.1`, host: '10.9.0.1', ports: [31_000], state: 'TASK_RUNNING' }],
    }));
    const write = async (apps: readonly object[]) => {
      await writeFile(host.path('apps.new'), JSON.stringify({ apps }));
      await shell(`mv ${host.path('apps.new')} ${host.path('apps.json')}`);
    };
    await write(two);
    await eventually(async () =>
      (await statusOf('w2')).summary.backendsInRotation === 2 ? true : undefined,
    );
    await write([]);
    const [held] = await eventually(async () => {
      const { vips } = await statusOf('w1');
      return vips[0]?.state === 'held' ? vips : undefined;
    });
    expect(held?.backends[0]?.decision).toMatchObject({ rule: 'mass removal' });
    const text = await host.marathonIpvs('status', 'w1');
    expect(text.stdout).toMatch(/held for \d+s: no source mentions it any more\n/);
    expect(text.stdout).toMatch(
      /10\.9\.0\.1:31000: mass removal for \d+s, until a source names it, .*, in \d+s\n/,
    );
    const gone = await eventually(async () => {
      const document = await statusOf();
      return document.largeRemovals.length > 0 ? document : undefined;
    }, 'the sources, read again, have confirmed it');
    expect(gone.largeRemovals[0]?.because).toMatchObject([{ rule: 'confirmed', source: null, backends: 2 }]);
  });

  test('--watch ends cleanly on Ctrl-C; without a controller there is one line and status 2', async () => {
    const controller = await start();
    const watching = spawn(LAUNCHER, ['status', '--watch'], { stdio: ['ignore', 'pipe', 'pipe'] });
    let printed = '';
    let complained = '';
    watching.stdout.on('data', (data) => {
      printed += data;
    });
    watching.stderr.on('data', (data) => {
      complained += data;
    });
    await eventually(async () => printed.split('SINCE').length > 2);
    const ended = once(watching, 'exit');
    watching.kill('SIGINT');
    expect(await ended).toEqual([0, null]);
    expect(complained).toBe('');
    // Not a terminal: nothing is cleared.
    expect(printed).not.toContain('\u001b');

    expect(await controller.end()).toBe(0);
    const { status, stdout, stderr } = await host.marathonIpvs('status');
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toMatch(
      /^marathon-ipvs: no controller answers at http:\/\/127\.0\.0\.1:61421: [^\n]*ECONNREFUSED[^\n]*\n$/,
    );
  });

  test('doctor finds a setting that was changed by hand, and its command mends it', async () => {
    // Otherwise the controller itself puts it back within a second.
    const controller = await start('--write-sysctls=false');
    expect(await doctor()).toMatchObject({
      status: 0,
      summary: { problem: 0 },
      controller: 'http://127.0.0.1:61421',
    });

    await shell('sysctl -w net.ipv4.vs.expire_nodest_conn=0');
    const sick = await doctor();
    expect(sick).toMatchObject({ status: 1, summary: { problem: 1 } });
    const finding = sick.findings.find(({ state }) => state === 'problem');
    expect(finding).toMatchObject({ check: 'sysctl net.ipv4.vs.expire_nodest_conn', found: '0' });
    // The files that it writes for the next boot are the machine's own, whose root the lab shares.
    await shell((finding?.command ?? 'false').replaceAll('/etc/', `${host.path('etc')}/`));
    expect(await doctor()).toMatchObject({ status: 0, summary: { problem: 0 } });
    expect(doctorDocument.parse(JSON.parse((await controller.get('/v1/doctor')).body)).summary.problem).toBe(
      0,
    );

    const text = await host.marathonIpvs('doctor', '--dns-listen', 'off');
    expect(text.stdout).toMatch(/^\[\+\] IPVS: answers; 1 services? in its table$/m);
    expect(text.stdout).toMatch(
      /^\[!\] IPVS timeouts: tcp 900 s, .*net\.ipv4\.tcp_keepalive_time 7200 s\n {6}wanted: /m,
    );
  });

  test("doctor names other programs' services, routes in the pool and chains that drop by default", async () => {
    await shell(
      `ip link add kube-ipvs0 type dummy; ip route add 11.5.0.0/16 dev agent; ipvsadm -A -t 172.16.5.5:443 -s rr`,
    );
    // User-Mode Linux has nftables without any family of IP: 6.1 refuses the table, 5.10 the chain.
    const chain = 'add chain inet strict in { type filter hook input priority 0; policy drop; }';
    const nft = (await command('nft', `add table inet strict; ${chain}`)).status === 0;
    try {
      const { findings, status } = await doctor();
      const found = new Map(findings.map((finding) => [finding.check, finding]));
      expect(status).toBe(1);
      expect(found.get('kube-proxy in IPVS mode')).toMatchObject({
        state: 'warning',
        found: 'interface kube-ipvs0',
      });
      expect(found.get('pool 11.0.0.0/8')).toMatchObject({
        state: 'problem',
        found: 'overlaps 11.5.0.0/16 dev agent',
      });
      expect(found.get('other services')?.found).toBe('1 outside the pools');
      if (!nft) return;
      const finding = found.get('packet filter inet strict in');
      expect(finding).toMatchObject({ state: 'warning' });
      await shell(finding?.command ?? 'false');
      expect(await shell('nft list chain inet strict in')).toContain('ip daddr 11.0.0.0/8 accept');
    } finally {
      if (nft) await shell('nft delete table inet strict');
      await shell('ip route del 11.5.0.0/16 dev agent; ip link del kube-ipvs0');
    }
  });

  test('timeouts that are asked for are set, put back when someone changes them, and told of', async () => {
    const timeouts = () => shell('ipvsadm -l --timeout');
    try {
      const controller = await start(
        '--packet-filter',
        'none',
        '--tcp-timeout',
        '7300',
        '--udp-timeout',
        '60',
      );
      expect(await timeouts()).toContain('7300 120 60');
      expect((await controller.get('/readyz?verbose')).body).toContain('[+]reachability ok\n');
      expect((await statusOf()).kernel.timeouts).toEqual({ tcp: 7_300, tcpFin: 120, udp: 60 });

      await shell('ipvsadm --set 100 77 0');
      controller.signal('SIGHUP');
      await eventually(async () => (await timeouts()).includes('7300 77 60'));
      expect(controller.log).toContain('IPVS tcp timeout 100 s -> 7300 s');
      expect(await controller.end()).toBe(0);

      await shell('ipvsadm --set 900 120 300');
      const other = await start('--packet-filter', 'none');
      expect(await timeouts()).toContain('900 120 300');
      expect((await other.get('/readyz?verbose')).body).toMatch(
        /reachability ok: .*timeout of 900 s .*tcp_keepalive_time of 7200 s/,
      );
      expect((await statusOf()).host.advice).toHaveLength(1);
    } finally {
      await shell('ipvsadm --set 900 120 300');
    }
  });
});
