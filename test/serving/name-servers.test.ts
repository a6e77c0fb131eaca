/** Other name servers as docs/dns.md sets them up: each in the foreground, with the file that the page shows. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { fileUnder, typedUnder } from '../docs/blocks.ts';
import { command, eventually, IN_LAB, shell, TestHost } from '../support/host.ts';

const PAGE = 'docs/dns.md';
const VIP = '11.134.217.55';
const NAME = 'my-service.marathon.l4lb.thisdcos.directory';
const inLab = IN_LAB ? describe : describe.skip;
// Its package starts a server where an init is there to do it, so nothing installs it for a test.
const hasUnbound = (await command('unbound', '-V')).status === 0;
if (IN_LAB && !hasUnbound)
  console.warn('the recipe for unbound skipped: it is not installed (Debian: unbound)');

inLab('a name server that the host has already', () => {
  let host: TestHost;
  let server: ChildProcess | undefined;
  let said = '';

  beforeAll(async () => {
    await shell('ip link add agent type dummy && ip addr add 10.9.0.1/24 dev agent && ip link set agent up');
    host = await TestHost.open();
    const app = {
      id: '/my-service',
      portDefinitions: [{ protocol: 'tcp', port: 5555, labels: { VIP_0: '/my-service:5555' } }],
      tasks: ['10.9.0.1', 'fd00:9::1'].map((agent) => ({
        id: agent,
        host: agent,
        ports: [31_000],
        state: 'TASK_RUNNING',
      })),
    };
    await writeFile(host.path('apps.json'), JSON.stringify({ apps: [app] }));
    const controller = await host.start('--source', `file=${host.path('apps.json')}`);
    await controller.ready();
  });
  afterEach(async () => {
    if (server === undefined || server.exitCode !== null) return;
    server.kill('SIGTERM');
    await once(server, 'exit');
  });
  afterAll(async () => {
    await host.close();
    await shell('ip link del agent');
  });

  /** Starts it; it is there when it answers for a name that it knows by itself. */
  async function start(program: string, args: readonly string[]): Promise<void> {
    said = '';
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (data: Buffer) => {
        said += data.toString();
      });
    }
    server = child;
    await eventually(async () => {
      if (child.exitCode !== null) throw new Error(`${program} ended with ${child.exitCode}: ${said}`);
      return (await dig('elsewhere.example')) === '192.0.2.1';
    });
  }

  async function dig(...question: readonly string[]): Promise<string> {
    const { stdout } = await command('dig', '+short', '+tries=1', '+time=5', '@127.0.0.1', ...question);
    return stdout.trim();
  }

  async function expectAsThePageSays(heading: string): Promise<void> {
    for (const { line, answer } of typedUnder(PAGE, heading)) {
      expect({ line, printed: (await shell(line)).trim(), said }).toMatchObject({
        line,
        printed: answer?.trim(),
      });
    }
    expect(await dig('+tcp', NAME)).toBe(VIP);
    expect(await dig(NAME, 'AAAA')).toMatch(/^fd01:c::/);
    expect(await dig('-x', await dig(NAME, 'AAAA'))).toBe(`${NAME}.`);
    expect(await dig('_5555._tcp.my-service.marathon.l4lb.thisdcos.directory', 'SRV')).toBe(
      `0 0 5555 ${NAME}.`,
    );
    const { stdout } = await command('dig', '+tries=1', '@127.0.0.1', `no-such-${NAME}`);
    expect(stdout).toContain('status: NXDOMAIN');
    expect(await dig('elsewhere.example')).toBe('192.0.2.1');
  }

  test('dnsmasq', async () => {
    const file = host.path('dnsmasq.conf');
    // Where it is told to drop private addresses, which ours of IPv6 are.
    await writeFile(
      file,
      `${fileUnder(PAGE, 'dnsmasq')}stop-dns-rebind\naddress=/elsewhere.example/192.0.2.1\n`,
    );
    await start('dnsmasq', [
      '--keep-in-foreground',
      `--conf-file=${file}`,
      '--pid-file=',
      '--user=root',
      '--no-resolv',
      '--no-hosts',
      '--listen-address=127.0.0.1',
    ]);
    await expectAsThePageSays('dnsmasq');
  });

  (hasUnbound ? test : test.skip)('unbound', async () => {
    const file = host.path('unbound.conf');
    const recipe = host.path('marathon-ipvs.conf');
    await writeFile(recipe, fileUnder(PAGE, 'unbound'));
    const settings = [
      'server:',
      '  chroot: ""',
      '  username: ""',
      '  pidfile: ""',
      '  use-syslog: no',
      '  logfile: ""',
      '  interface: 127.0.0.1',
      '  private-address: fd00::/8',
      '  local-data: "elsewhere.example. A 192.0.2.1"',
      `include: "${recipe}"`,
      'remote-control:',
      '  control-enable: no',
    ];
    await writeFile(file, `${settings.join('\n')}\n`);
    await start('unbound', ['-d', '-c', file]);
    await expectAsThePageSays('unbound');
  });
});
