import { type ChildProcess, spawn } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { command, eventually, IN_LAB, type RunningController, shell, TestHost } from '../support/host.ts';

/** `/my-service` as DC/OS numbered it; each of its ports has one backend, and the one behind 5559 is not VIP traffic. */
const VIP = '11.134.217.55';
const ON = { host: 5555, remote: 5556, container: 5557, neighbour: 5558 } as const;
const BACKENDS = {
  host: ['10.9.0.1', 31000],
  remote: ['10.9.0.2', 31000],
  container: ['172.17.0.2', 8080],
  neighbour: ['172.17.0.3', 8080],
} as const;
const IP_VIP = '192.168.77.7';
const IPV6_VIP = 'fd01:c::77';
type Place = 'host' | 'remote' | 'other' | 'container' | 'neighbour';

const hasNat =
  IN_LAB &&
  (
    await command(
      'unshare',
      '-n',
      'nft',
      'add table inet probe; add chain inet probe nat { type nat hook output priority 0; }',
    )
  ).status === 0;
const onNftables = hasNat ? describe : describe.skip;
if (IN_LAB && !hasNat)
  console.warn(
    'packet filter tests skipped: nft is not installed, or this kernel has no inet NAT (LAB=qemu has)',
  );

/** Answers with the address that it sees. Perl is on every Debian, and starts fifty times as fast as Node. */
const SERVER = `use IO::Socket::INET; $SIG{CHLD} = 'IGNORE';
  my $server = IO::Socket::INET->new(LocalAddr => $ARGV[0], LocalPort => $ARGV[1], Listen => 64, ReuseAddr => 1) or die;
  while (my $client = $server->accept) {
    next if fork;
    my ($seen, $request) = ($client->peerhost);
    while (sysread $client, $request, 4096) {
      syswrite $client, "HTTP/1.1 200 OK\\r\\nContent-Length: " . length($seen) . "\\r\\n\\r\\n$seen";
    }
    exit;
  }`;

function inside(place: Place): string[] {
  return place === 'host' ? [] : ['ip', 'netns', 'exec', place];
}

/** What curl gets, or why it gets nothing: 7 refused, 28 out of time. */
async function ask(from: Place, url: string): Promise<string> {
  const { status, stdout } = await command(
    'env',
    ...inside(from),
    'curl',
    '-s',
    '-m',
    '10',
    `http://${url}/`,
  );
  return status === 0 ? stdout : `curl ${status}`;
}

const table = () => shell('nft list table inet marathon_ipvs');

/** Without what packets have put into the table. */
function rulesOf(listing: string): string {
  return listing.replace(/(set same_interface [^}]*?timeout 1d\n)\s*elements = \{[^}]*\}\n/, '$1');
}

onNftables('the packet filter', () => {
  let host: TestHost;
  let controller: RunningController;
  let atStart = '';
  const servers: Server[] = [];
  const children: ChildProcess[] = [];
  /** A table that another program may have; ours is made, repaired and removed beside it. */
  const foreign = () => shell('nft -a list table inet foreign');

  async function member(place: Place, bridge: string, address: string, gateway: string): Promise<void> {
    await shell(
      `ip netns add ${place} && ip link add to-${place} type veth peer name eth0 netns ${place}
       ip link set to-${place} master ${bridge} && ip link set to-${place} up
       ip -n ${place} link set lo up && ip -n ${place} addr add ${address} dev eth0
       ip -n ${place} link set eth0 up && ip -n ${place} route add default via ${gateway}`,
    );
  }

  function serve(place: Place, [address, port]: readonly [string, number]): void {
    const [file = '', ...args] = [...inside(place), 'perl', '-e', SERVER, address, String(port)];
    children.push(spawn(file, args, { stdio: 'ignore' }));
  }

  async function listen(address: string, port: number): Promise<void> {
    const server = createServer((request, response) => response.end(request.socket.remoteAddress));
    await new Promise<void>((resolve) => server.listen(port, address, resolve));
    servers.push(server);
  }

  /** One app for each backend, all of one name; and an IP VIP. */
  async function apps(): Promise<void> {
    const app = (id: string, vip: string, [address, port]: readonly [string, number]) => ({
      id,
      portDefinitions: [{ protocol: 'tcp', port: 80, labels: { VIP_0: vip } }],
      tasks: [
        {
          id: `${id.slice(1)}.1`,
          host: address,
          ports: [port],
          state: 'TASK_RUNNING',
          startedAt: '2026-01-01T00:00:00.000Z',
        },
      ],
    });
    const all = Object.entries(ON).map(([place, port]) =>
      app(`/${place}`, `/my-service:${port}`, BACKENDS[place as keyof typeof ON]),
    );
    all.push(app('/literal', `${IP_VIP}:80`, BACKENDS.host));
    await writeFile(host.path('apps.json'), JSON.stringify({ apps: all }));
  }

  beforeAll(async () => {
    await shell(
      `for name in lan docker0; do ip link add $name type bridge && ip link set $name up; done
       ip addr add 10.9.0.1/24 dev lan && ip addr add 172.17.0.1/16 dev docker0
       ip addr add fd09::1/64 dev lan nodad && ip route add default via 10.9.0.254 && ip -6 route add default via fd09::fe
       nft 'add table inet foreign; add chain inet foreign in { type filter hook input priority 0; }; add rule inet foreign in tcp dport 9999 drop'`,
    );
    await member('remote', 'lan', '10.9.0.2/24', '10.9.0.1');
    await member('other', 'lan', '10.9.0.3/24', '10.9.0.1');
    await member('container', 'docker0', '172.17.0.2/16', '172.17.0.1');
    await member('neighbour', 'docker0', '172.17.0.3/16', '172.17.0.1');
    atStart = await foreign();
    for (const place of ['remote', 'container', 'neighbour'] as const) serve(place, BACKENDS[place]);
    await listen(...BACKENDS.host);
    for (const place of ['remote', 'container', 'neighbour'] as const) {
      const url = BACKENDS[place].join(':');
      await eventually(async () => (await ask('host', url)) !== 'curl 7');
    }
    // What a VIP must not lead to: it listens on all addresses.
    await listen('::', 8081);
    host = await TestHost.open();
    await apps();
    controller = await host.start('--source', `file=${host.path('apps.json')}`, '--dns-listen', 'off');
    await controller.ready();
  });

  afterAll(async () => {
    for (const child of children) child.kill('SIGKILL');
    for (const server of servers) server.close();
    await host?.close();
    await command('nft', 'flush', 'ruleset');
    for (const place of ['remote', 'other', 'container', 'neighbour'])
      await command('ip', 'netns', 'del', place);
    for (const name of ['lan', 'docker0']) await command('ip', 'link', 'del', name);
  });

  test('clients are answered whatever lies between, and keep their address where the reply comes back here anyway', async () => {
    const seen: Record<string, string> = {};
    for (const from of ['host', 'container', 'remote', 'other'] as const) {
      for (const [to, port] of Object.entries(ON))
        seen[`${from} -> ${to}`] = await ask(from, `${VIP}:${port}`);
      seen[`${from} -> IP VIP`] = await ask(from, IP_VIP);
    }
    expect(seen).toEqual({
      'host -> host': '10.9.0.1',
      'host -> remote': '10.9.0.1',
      'host -> container': '172.17.0.1',
      'host -> neighbour': '172.17.0.1',
      'host -> IP VIP': '10.9.0.1',
      'container -> host': '172.17.0.2',
      'container -> remote': '172.17.0.2',
      'container -> container': '172.17.0.1', // itself
      'container -> neighbour': '172.17.0.1', // on the same bridge
      'container -> IP VIP': '172.17.0.2',
      'remote -> host': '10.9.0.2',
      'remote -> remote': '10.9.0.1', // itself
      'remote -> container': '10.9.0.2',
      'remote -> neighbour': '10.9.0.2',
      'remote -> IP VIP': '10.9.0.2',
      'other -> host': '10.9.0.3',
      'other -> remote': '10.9.0.1', // in the same network
      'other -> container': '10.9.0.3',
      'other -> neighbour': '10.9.0.3',
      'other -> IP VIP': '10.9.0.3',
    });
  });

  test('a port that is no VIP refuses at once, whoever asks and whatever listens on all addresses', async () => {
    expect(await ask('host', '10.9.0.1:8081')).toBe('::ffff:10.9.0.1');
    for (const from of ['host', 'container', 'other'] as const) {
      expect([from, await ask(from, `${VIP}:8081`), await ask(from, `${IP_VIP}:8081`)]).toEqual([
        from,
        'curl 7',
        'curl 7',
      ]);
      // The read fails with what ICMP brings; without it bash waits until its own time is out (142).
      const udp = `exec 3<>/dev/udp/${VIP}/9999; echo question >&3; read -t 20 -u 3 answer`;
      expect([from, (await command('env', ...inside(from), 'bash', '--norc', '-c', udp)).status]).toEqual([
        from,
        1,
      ]);
    }
    expect(await ask('host', `[${IPV6_VIP}]:8081`)).toBe('curl 7');
  });

  test("a container runtime's DNAT for the same port does not take VIP traffic", async () => {
    await shell(`nft -f - <<'RULES'
      table ip runtime {
        chain prerouting { type nat hook prerouting priority dstnat;
          fib daddr type local tcp dport ${ON.host} counter dnat to 172.17.0.3:8080
        }
        chain output { type nat hook output priority -100;
          fib daddr type local tcp dport ${ON.host} counter dnat to 172.17.0.3:8080
        }
      }`);
    try {
      expect(await ask('host', `${VIP}:${ON.host}`)).toBe('10.9.0.1');
      expect(await ask('container', `${VIP}:${ON.host}`)).toBe('172.17.0.2');
      expect(await ask('other', `${VIP}:${ON.host}`)).toBe('10.9.0.3');
      expect(await shell('nft list table ip runtime')).not.toMatch(/packets [1-9]/);
      // The rule does what it is for: the published port of the host itself.
      expect(await ask('other', `10.9.0.1:${ON.host}`)).toBe('10.9.0.3');
      expect(await shell('nft list table ip runtime')).toMatch(/packets [1-9]/);
    } finally {
      await shell('nft delete table ip runtime');
    }
  });

  test('with a firewall that drops by default, what docs/data-path.md tells to accept is enough', async () => {
    const page = await readFile(new URL('../../docs/data-path.md', import.meta.url), 'utf8');
    const rules = /```nft\n(.*?)```/s.exec(page)?.[1] ?? '';
    expect(rules).toMatch(/policy drop.*policy drop.*policy drop/s);
    await writeFile(host.path('firewall.nft'), rules);
    await shell(`nft -f ${host.path('firewall.nft')}`);
    try {
      for (const from of ['host', 'container', 'other'] as const) {
        const seen: string[] = [];
        for (const port of Object.values(ON)) seen.push(await ask(from, `${VIP}:${port}`));
        expect(seen).toEqual(Array(4).fill(expect.stringContaining('.')));
        expect(await ask(from, IP_VIP)).toContain('.');
        expect(await ask(from, `${VIP}:8081`)).toBe('curl 7');
      }
      // It is a firewall: without the line for the pool nobody outside gets through.
      await shell('nft flush chain inet firewall input');
      expect(await ask('other', `${VIP}:${ON.host}`)).toBe('curl 28');
    } finally {
      await shell('nft delete table inet firewall');
    }
  });

  test.each([
    ['remote', 'first', 21_001],
    ['remote', 'second', 21_002],
    ['host', 'first', 21_003],
    ['host', 'second', 21_004],
  ] as const)(
    'a client here reaches a backend on %s through its VIP %s and directly from the same port at the same time',
    async (to, vip, localPort) => {
      const [address, port] = BACKENDS[to];
      const ways: (readonly [string, number])[] = [
        [VIP, ON[to]],
        [address, port],
      ];
      if (vip === 'second') ways.reverse();
      const sockets: Socket[] = [];
      try {
        for (const way of ways) sockets.push(await open(way, localPort));
        const answers: string[] = [];
        for (const socket of [...sockets, ...sockets]) answers.push(await request(socket));
        expect(answers).toEqual(Array(4).fill('10.9.0.1'));
      } finally {
        for (const socket of sockets) socket.destroy();
      }
    },
  );

  test.each([
    ['the table', 'nft delete table inet marathon_ipvs'],
    [
      'all tables',
      'nft -s list table inet foreign >/tmp/foreign && nft flush ruleset && nft -f /tmp/foreign',
    ],
    // In one transaction: between two it would be put back once already.
    ['a chain', `nft 'flush chain inet marathon_ipvs guard; delete chain inet marathon_ipvs guard'`],
    ['the rules of a chain', 'nft flush chain inet marathon_ipvs postrouting'],
    ['a VIP out of its set', `nft delete element inet marathon_ipvs vips4 { ${IP_VIP} }`],
    ['a pool out of its set', 'nft delete element inet marathon_ipvs vips6 { fd01:c::/64 }'],
    ['a setting', 'sysctl -q -w net.ipv4.vs.conntrack=0'],
    ['a route', `ip route del local ${IP_VIP} dev vip0`],
    ['the interface', 'ip link del vip0'],
    ['the routes of an interface that is set down', 'ip link set vip0 down'],
  ])('what someone takes away comes back and is counted: %s', async (_, taking) => {
    const state = async () =>
      [
        rulesOf(await shell('nft -s list table inet marathon_ipvs')),
        await shell('sysctl net.ipv4.vs.conntrack && ip route show table local dev vip0'),
        await shell(
          'ip -6 route show table local dev vip0 proto 109 && ip -6 -br addr show dev vip0 scope global | cut -d" " -f2-',
        ),
      ].join('\n');
    const before = await state();
    const counted = await controller.metric('marathon_ipvs_reachability_repaired_total');
    await shell(taking);
    await eventually(
      async () => (await controller.metric('marathon_ipvs_reachability_repaired_total')) > counted,
    );
    // What takes several commands to take away may be put back in between, and then once more.
    await eventually(async () => (await state()) === before).catch(() => undefined);
    expect(await state()).toBe(before);
    expect(await ask('container', `${VIP}:${ON.container}`)).toBe('172.17.0.1');
  });

  test('a restart finds the table as it should be and writes nothing', async () => {
    const handles = async () => rulesOf(await shell('nft -a list table inet marathon_ipvs'));
    const before = await handles();
    await controller.end();
    controller = await host.start('--source', `file=${host.path('apps.json')}`, '--dns-listen', 'off');
    await controller.ready();
    expect(await handles()).toBe(before);
    expect(controller.log).not.toContain('packet filter');
  });

  test('an address of our own network is refused unless that is allowed, and says why', async () => {
    const path = host.path('connected.json');
    const app = { id: '/near', portDefinitions: [{ port: 80, labels: { VIP_0: '10.9.0.77:80' } }] };
    await writeFile(path, JSON.stringify(app));
    const diff = (...more: string[]) =>
      host.marathonIpvs('diff', '--source', `file=${path}`, '-o', 'json', ...host.places(), ...more);
    expect(JSON.parse((await diff()).stdout).rejected).toMatchObject([
      {
        app: '/near',
        value: '10.9.0.77:80',
        reason: expect.stringMatching(/10\.9\.0\.0\/24.* by lan.*--allow-connected-vips/),
      },
    ]);
    expect(JSON.parse((await diff('--allow-connected-vips')).stdout).rejected).toEqual([]);
  });

  test('a server of ours on an IPv6 address is put on our interface, and --packet-filter none takes the table away', async () => {
    await controller.end();
    controller = await host.start(
      '--source',
      `file=${host.path('apps.json')}`,
      '--dns-listen',
      '[fd01:dd::53]:53',
      '--packet-filter',
      'none',
    );
    await controller.ready();
    expect(await shell('ip -6 -br addr show dev vip0 scope global')).toContain('fd01:dd::53/128');
    expect((await command('nft', 'list', 'table', 'inet', 'marathon_ipvs')).status).not.toBe(0);
    // As before there was a filter: the host's address, which needs no translation.
    expect(await ask('host', `${VIP}:${ON.remote}`)).toBe('10.9.0.1');
    await controller.end();
  });

  test('cleanup removes it and says so, and tables of other programs are as they were', async () => {
    const once = await host.marathonIpvs(
      'run',
      '--once',
      '--source',
      `file=${host.path('apps.json')}`,
      ...host.places(),
    );
    expect(once.status).toBe(0);
    expect(await table()).toContain('chain guard');
    const { status, stdout } = await host.marathonIpvs('cleanup', '--ledger', host.path('ledger.json'));
    expect(status).toBe(0);
    expect(stdout).toContain(
      'removed interface vip0 with its routes\nremoved packet filter table inet marathon_ipvs\n',
    );
    expect((await command('nft', 'list', 'table', 'inet', 'marathon_ipvs')).status).not.toBe(0);
    // Its handles are those of the start, but for the test that flushed all tables itself.
    const text = (listing: string) => listing.replaceAll(/ # handle \d+/g, '');
    expect(text(await foreign())).toBe(text(atStart));
  });
});

async function open([address, port]: readonly [string, number], localPort: number): Promise<Socket> {
  const socket = connect({ host: address, port, localPort });
  return await new Promise((resolve, reject) => {
    socket.setTimeout(30_000, () => socket.destroy(new Error(`${address}:${port}: no answer`)));
    socket.once('connect', () => resolve(socket)).once('error', reject);
  });
}

/** The address that the server sees. */
async function request(socket: Socket): Promise<string> {
  return await new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.once('data', (data) => {
      socket.off('error', reject);
      resolve(/\r\n\r\n(?:[0-9a-f]+\r\n)?(\S+)/.exec(data.toString())?.[1] ?? data.toString());
    });
    socket.write('GET / HTTP/1.1\r\nHost: test\r\n\r\n');
  });
}
