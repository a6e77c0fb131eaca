import { writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { command, eventually, IN_LAB, ipvsadm, shell, TestHost } from '../support/host.ts';

const SERVER = '198.51.100.4';
const NAME = 'my-service.marathon.l4lb.thisdcos.directory';
const VIP = '11.134.217.55';
// A process starts in seconds there, and each test starts several.
jest.setTimeout(90_000);
const hasDig = (await command('dig', '-v')).status === 0;
const inLab = IN_LAB && hasDig ? describe : describe.skip;
if (IN_LAB && !hasDig) console.warn('DNS tests skipped: dig is not installed (Debian: bind9-dnsutils)');

inLab('names of VIPs on a real kernel', () => {
  let host: TestHost;
  let backend: Server;
  let seen: string[] = [];

  beforeAll(async () => {
    await shell(
      `ip link add agent type dummy && ip addr add 10.9.0.1/24 dev agent && ip link set agent up
       ip netns add client && ip link add to-client type veth peer name eth0 netns client
       ip addr add 10.8.0.1/24 dev to-client && ip link set to-client up
       ip -n client addr add 10.8.0.2/24 dev eth0 && ip -n client link set eth0 up && ip -n client route add default via 10.8.0.1`,
    );
    backend = createServer((request, response) => {
      seen.push(`${request.headers.host} from ${request.socket.remoteAddress}`);
      response.end('hello\n');
    });
    await new Promise<void>((resolve) => backend.listen(31000, '10.9.0.1', resolve));
  });
  afterAll(async () => {
    backend.close();
    await shell('ip link del agent; ip link del to-client; ip netns del client');
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
    await eventually(async () => (await addresses(fromContainer)) === VIP, 5_000);
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

  test('an address that cannot be had keeps nothing else from working, and the advice says what is wrong', async () => {
    // Our interface, made from now on, takes no IPv6 address.
    await shell('sysctl -q -w net.ipv6.conf.default.disable_ipv6=1');
    const controller = await start('--dns-listen', `${SERVER}:53,[fd00::1]:53`, '--resync-seconds', '1');
    await shell('sysctl -q -w net.ipv6.conf.default.disable_ipv6=0');
    const body = await eventually(async () => {
      const verbose = await controller.get('/readyz?verbose');
      return verbose.status === 200 && verbose.body.includes('--dns-listen') && verbose.body;
    });
    expect(body).toMatch('--dns-listen [fd00::1]:53: this host has no address fd00::1');
    expect(await addresses(fromHost)).toBe(VIP);
    expect(body).toMatch('address fd00::1 dev vip0: add address fd00::1: EACCES');
    // It is put there, and used, as soon as that is possible.
    await shell('sysctl -q -w net.ipv6.conf.vip0.disable_ipv6=0');
    await eventually(async () => (await command('dig', '@fd00::1', '+short', NAME)).stdout === `${VIP}\n`);
    await eventually(async () => !(await controller.get('/readyz?verbose')).body.includes('--dns-listen'));
    expect(await controller.end()).toBe(0);
  });

  test('with --dns-listen off nothing is opened', async () => {
    await start('--dns-listen', 'off');
    expect(await shell(`ss -Hlntu 'sport = :53'`)).toBe('');
    expect(await shell('ip -4 route show table local dev vip0')).not.toMatch(SERVER);
  });
});
