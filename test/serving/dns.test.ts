import { createSocket } from 'node:dgram';
import { writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { command, eventually, IN_LAB, ipvsadm, shell, TestHost } from '../support/host.ts';
import { createNetwork, HOST_AND_CONTAINER, type Network } from '../support/network.ts';

const SERVER = '198.51.100.4';
const NAME = 'my-service.marathon.l4lb.thisdcos.directory';
const VIP = '11.134.217.55';
// A process starts in seconds there, and each test starts several.
const hasDig = (await command('dig', '-v')).status === 0;
const inLab = IN_LAB && hasDig ? describe : describe.skip;
if (IN_LAB && !hasDig) console.warn('DNS tests skipped: dig is not installed (Debian: bind9-dnsutils)');

inLab('names of VIPs on a real kernel', () => {
  let network: Network;
  let host: TestHost;
  let backend: Server;
  let seen: string[] = [];

  beforeAll(async () => {
    network = await createNetwork(HOST_AND_CONTAINER);
    backend = createServer((request, response) => {
      seen.push(`${request.headers.host} from ${request.socket.remoteAddress}`);
      response.end('hello\n');
    });
    await new Promise<void>((resolve) => backend.listen(31000, '10.9.0.1', resolve));
  });
  afterAll(async () => {
    backend.close();
    await network.remove();
  });
  beforeEach(async () => {
    host = await TestHost.open();
    seen = [];
    await writeFile(host.path('resolv.conf'), `nameserver ${SERVER}\n`);
    await apps(31000);
  });
  afterEach(() => host.close());

  /** The documentation's example with an instance at each of these ports; none: the app is gone. */
  async function apps(...ports: readonly number[]): Promise<void> {
    const app = {
      id: '/my-service',
      portDefinitions: [{ protocol: 'tcp', port: 5555, labels: { VIP_0: '/my-service:5555' } }],
      tasks: ports.map((port) => ({
        id: `my-service.${port}`,
        host: '10.9.0.1',
        ports: [port],
        state: 'TASK_RUNNING',
        startedAt: '2026-01-01T00:00:00.000Z',
      })),
    };
    await writeFile(host.path('apps.new'), JSON.stringify({ apps: ports.length === 0 ? [] : [app] }));
    await shell(`mv ${host.path('apps.new')} ${host.path('apps.json')}`);
  }

  async function start(...args: readonly string[]) {
    const controller = await host.start('--source', `file=${host.path('apps.json')}`, ...args);
    await controller.ready();
    return controller;
  }

  const fromHost: readonly string[] = [];
  const fromContainer = ['ip', 'netns', 'exec', 'client'];

  async function dig(from: readonly string[], ...args: readonly string[]): Promise<string> {
    const server = [`@${SERVER}`, '+tries=1', '+time=3'];
    return (await command('env', ...from, 'dig', ...server, ...args)).stdout;
  }

  async function addresses(from: readonly string[], ...args: readonly string[]): Promise<string> {
    return (await dig(from, '+short', NAME, ...args)).trim();
  }

  /** What a program gets that knows nothing but the name and has us as its only name server. */
  async function fetched(from: readonly string[]): Promise<string> {
    const line = `mount --bind ${host.path('resolv.conf')} /etc/resolv.conf && curl -s -m 5 http://${NAME}:5555/`;
    return (await command('env', ...from, 'unshare', '--mount', 'sh', '-c', line)).stdout;
  }

  test.each([
    ['this host', fromHost, '10.9.0.1'],
    ['a container', fromContainer, '10.8.0.2'],
  ])('a client on %s resolves the name and reaches the backend by it', async (_, from, client) => {
    const controller = await start();
    expect(await addresses(from)).toBe(VIP);
    expect(await addresses(from, '+tcp')).toBe(VIP);
    expect((await dig(from, '+short', '-x', VIP)).trim()).toBe(`${NAME}.`);
    expect((await dig(from, '+short', `_5555._tcp.${NAME}`, 'SRV')).trim()).toBe(`0 0 5555 ${NAME}.`);
    expect(await fetched(from)).toBe('hello\n');
    expect(seen).toEqual([`${NAME}:5555 from ${client}`]);
    expect(await controller.end()).toBe(0);
  });

  test('the name comes and goes with the VIP', async () => {
    const controller = await start();
    expect(await addresses(fromHost)).toBe(VIP);
    await apps();
    await eventually(async () => (await ipvsadm()).length === 0);
    expect(await dig(fromHost, NAME)).toMatch('status: NXDOMAIN');
    await apps(31000);
    await eventually(async () => (await addresses(fromHost)) === VIP);
    expect((await ipvsadm()).length).toBe(2);
    expect(
      await controller.metric('marathon_ipvs_dns_queries_total{type="A",rcode="NXDOMAIN",transport="udp"}'),
    ).toBeGreaterThan(0);
    expect(await controller.end()).toBe(0);
  });

  test('names are answered again once an interface that someone removed is back', async () => {
    const controller = await start();
    await shell('ip link del vip0');
    await eventually(async () => (await addresses(fromContainer)) === VIP);
    expect(await addresses(fromContainer, '+tcp')).toBe(VIP);
    expect(await controller.end()).toBe(0);
  });

  test('an address that this host has already stays where it is', async () => {
    await start('--dns-listen', '10.9.0.1:5353,10.8.0.1:53,[::1]:5353');
    expect((await command('dig', '@10.9.0.1', '-p', '5353', '+short', NAME)).stdout).toBe(`${VIP}\n`);
    expect((await command('dig', '@::1', '-p', '5353', '+short', NAME)).stdout).toBe(`${VIP}\n`);
    expect((await command('ip', 'netns', 'exec', 'client', 'dig', '@10.8.0.1', '+short', NAME)).stdout).toBe(
      `${VIP}\n`,
    );
    expect(await shell('ip -4 route show table local dev vip0')).not.toMatch(/^local 10\./m);
  });

  test('an address that this host lacks is put on our interface, in both families', async () => {
    await start('--dns-listen', `${SERVER}:53,[fd00::1]:53`);
    expect(await addresses(fromHost)).toBe(VIP);
    await eventually(async () => (await command('dig', '@fd00::1', '+short', NAME)).stdout === `${VIP}\n`);
    expect(await shell('ip -6 addr show dev vip0')).toContain('inet6 fd00::1/128');
  });

  test('an address that cannot be had keeps nothing else from working, and the advice says what is wrong', async () => {
    const other = createSocket('udp4');
    await new Promise<void>((resolve) => other.bind(5353, '10.9.0.1', resolve));
    const listen = `${SERVER}:53,10.9.0.1:5353`;
    const controller = await start('--dns-listen', listen, '--resync-seconds', '1');
    const body = await eventually(async () => {
      const verbose = await controller.get('/readyz?verbose');
      return verbose.status === 200 && verbose.body.includes('--dns-listen') && verbose.body;
    });
    expect(body).toMatch('--dns-listen 10.9.0.1:5353: another process has this port');
    expect(await addresses(fromHost)).toBe(VIP);
    // It is used as soon as it is free.
    await new Promise<void>((resolve) => other.close(resolve));
    const asked = ['@10.9.0.1', '-p', '5353', '+short', '+tries=1', '+time=1', NAME];
    await eventually(async () => (await command('dig', ...asked)).stdout === `${VIP}\n`);
  });

  test('with --dns-listen off nothing is opened', async () => {
    await start('--dns-listen', 'off');
    expect(await shell(`ss -Hlntu 'sport = :53'`)).toBe('');
    expect(await shell('ip -4 route show table local dev vip0')).not.toMatch(SERVER);
  });
});
