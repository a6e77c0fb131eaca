/**
 * The task pages, followed by hand: their commands as they stand there, in their order, on a host that moves from
 * dcos-net; what they print is what the pages say.
 */

import { spawn } from 'node:child_process';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { typedUnder } from '../docs/blocks.ts';
import { IN_LAB, ipvsadm, type Outcome, RunningController, shell, TestHost } from '../support/host.ts';
import { startMarathon, type TestMarathon } from '../support/marathon/start-marathon.ts';
import { LAUNCHER } from '../support/program.ts';
import { command } from '../support/shell.ts';

// Each command starts a process, which takes seconds there.
const inLab = IN_LAB ? describe : describe.skip;

const MIGRATE = 'docs/migrate-from-dcos.md';
const NO_ANSWER = 'docs/when-a-vip-does-not-answer.md';
const VIP = '11.134.217.55';

inLab('the pages, followed on a host that moves from dcos-net', () => {
  let host: TestHost;
  let marathon: TestMarathon;
  let servers: readonly Server[] = [];
  let controller: RunningController;

  beforeAll(async () => {
    await shell('ip link add agent type dummy && ip addr add 10.9.0.1/24 dev agent && ip link set agent up');
    host = await TestHost.open();
    await mkdir(host.path('bin'));
    await symlink(LAUNCHER, host.path('bin/marathon-ipvs'));
    // The pages' names, and our name server for those of VIPs.
    await writeFile(host.path('hosts'), '127.0.0.1 localhost marathon.mesos\n');
    await writeFile(host.path('resolv.conf'), 'nameserver 198.51.100.4\noptions timeout:1 attempts:1\n');
    for (const file of ['hosts', 'resolv.conf']) await shell(`mount --bind ${host.path(file)} /etc/${file}`);

    marathon = await startMarathon({
      port: 8080,
      agents: [{ hostname: '10.9.0.1' }],
      portRange: { from: 31_000, to: 31_010 },
      processes: false,
    });
    await marathon.addApp({
      id: '/my-service',
      cmd: 'serve',
      instances: 2,
      portDefinitions: [{ port: 5555, labels: { VIP_0: '/my-service:5555', VIP_1: '192.168.77.7:80' } }],
    });
    servers = [31_000, 31_001].map((port) =>
      createServer(({ headers }, response) => response.end(`hello from ${headers.host}\n`)).listen(
        port,
        '10.9.0.1',
      ),
    );
    // What dcos-net has left: the VIP, with a backend that is gone.
    await shell(`ipvsadm -A -t ${VIP}:5555 -s wlc && ipvsadm -a -t ${VIP}:5555 -r 10.9.0.77:31000 -m`);
  });
  afterAll(async () => {
    await controller?.end();
    for (const server of servers) server.close();
    await marathon?.close();
    for (const file of ['hosts', 'resolv.conf']) await shell(`umount /etc/${file}`);
    await host.close();
    await shell('ip link del agent');
  });

  /** Types a line in the test's directory, as root has it there. */
  async function type(line: string): Promise<Outcome> {
    const place = `cd ${host.directory} && PATH=${host.path('bin')}:$PATH`;
    return await command(['bash', '--norc', '-o', 'pipefail', '-c', `${place}\n${line}`]);
  }

  /** Types all of it; each must end with 0, or with the status that `statuses` has for what it begins with. */
  async function follow(
    page: string,
    heading: string | null,
    statuses: Readonly<Record<string, readonly number[]>> = {},
  ): Promise<string[]> {
    const printed: string[] = [];
    for (const { line, answer } of typedUnder(page, heading)) {
      if (line.startsWith('journalctl ')) continue; // There is no journal in the lab.
      const outcome = await type(line);
      const [, wanted = [0]] = Object.entries(statuses).find(([start]) => line.startsWith(start)) ?? [];
      expect({ line, ...outcome, as: wanted.includes(outcome.status) }).toMatchObject({ line, as: true });
      if (answer !== null)
        expect({ line, printed: squeezed(outcome.stdout) }).toEqual({ line, printed: squeezed(answer) });
      printed.push(outcome.stdout);
    }
    return printed;
  }

  const DIFFERS = { 'marathon-ipvs diff': [1], 'marathon-ipvs doctor': [0, 1] };

  test('migrate, 1: look, and change nothing', async () => {
    const before = await ipvsadm();
    const [doctor, diff] = await follow(MIGRATE, '1. Preview the changes', DIFFERS);
    expect(doctor).toContain('Kernel');
    expect(diff).toContain('adopted: the kernel had it already');
    expect(diff).toContain('- 10.9.0.77:31000');
    expect(await ipvsadm()).toEqual(before);
  });

  test('read a diff: against the kernel, nothing, and a table that someone sent', async () => {
    const [kernel, none, , table] = await follow('docs/read-a-diff.md', 'What it compares with', DIFFERS);
    expect(none).toContain('+ 10.9.0.1:31000');
    // With a table from elsewhere every service counts as ours.
    expect(table).toContain('- 10.9.0.77:31000');
    expect(kernel).toContain('adopted');
  });

  test('migrate, 2: one host changes over', async () => {
    await follow(MIGRATE, '2. Switch one host');
    const backends = (vip: string) => [1, 0].map((at) => `-a -t ${vip} -r 10.9.0.1:3100${at} -m -w 1`);
    expect(await ipvsadm()).toEqual(
      [`${VIP}:5555`, '192.168.77.7:80']
        .flatMap((vip) => [`-A -t ${vip} -s wlc`, ...backends(vip)])
        .toSorted(),
    );
  });

  test('migrate, 4: it runs, and is watched; its names are answered as the page on names shows', async () => {
    const child = spawn(host.path('bin/marathon-ipvs'), [
      'run',
      '--source',
      'marathon=http://marathon.mesos:8080',
    ]);
    controller = new RunningController(child);
    await controller.ready();
    const [ready, vips] = await follow(MIGRATE, '4. Monitor it');
    expect(ready).toContain('readyz check passed');
    const backend = [31_000, 31_001].map((port) => ({ ip: '10.9.0.1', port }));
    expect(JSON.parse(vips ?? '')).toEqual([
      { vip: '192.168.77.7:80', protocol: 'tcp', backend },
      { vip: 'my-service.marathon.l4lb.thisdcos.directory:5555', protocol: 'tcp', backend },
    ]);
    await follow('docs/dns.md', null);
    await follow('docs/dns.md', '/etc/resolv.conf of hosts and containers');
  });

  test('status: what scripts read', async () => {
    const [, backends = ''] = await follow('docs/status.md', 'The document');
    // One object after the other.
    expect(backends.match(/"port": (\d+),\s+"weight": 1/g)).toHaveLength(2);
  });

  test('when a VIP does not answer: `why` walks its whole way, with the names that this controller serves', async () => {
    const [printed = ''] = await follow(NO_ANSWER, null);
    expect(printed).toMatch(/^\[\+\] dns +198\.51\.100\.4 resolves my-service\.marathon/m);
    expect(printed).toMatch(/^\[\+\] connections +10 of 10 connections .* succeed,/m);
    expect(printed).toMatch(/^Works$/m);
  });

  test('back again: what it made or adopted goes, and nothing else', async () => {
    await shell('ipvsadm -A -t 192.0.2.1:80 -s rr');
    await controller.end();
    await follow(MIGRATE, 'Go back to dcos-net');
    expect(await ipvsadm()).toEqual(['-A -t 192.0.2.1:80 -s rr']);
  });
});

/** Without the number of blanks, which in columns depends on what else is in them. */
function squeezed(text: string): string {
  return text.replace(/[ \t]+/g, ' ').trim();
}
