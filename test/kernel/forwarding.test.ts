import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Change, IpvsClient, type ServiceId } from 'ipvs-netlink-ts';
import { must, waitFor } from '../support/shell.ts';
import { onKernel } from './ipvs-kernel.ts';

/** Answers each line, or datagram, with the name of the backend. Perl is on every Debian, and starts fast. */
const BACKEND = `use IO::Socket::IP; $SIG{CHLD} = 'IGNORE'; my ($name, $address) = @ARGV;
  if (!fork) {
    my $socket = IO::Socket::IP->new(LocalHost => $address, LocalPort => 8080, Proto => 'udp') or die;
    while (defined(my $from = $socket->recv(my $request, 1500))) { send $socket, "$name\\n", 0, $from }
    exit;
  }
  my $server = IO::Socket::IP->new(LocalHost => $address, LocalPort => 8080, Proto => 'tcp', Listen => 64) or die;
  print "listening\\n"; close STDOUT;
  while (1) {
    my $client = $server->accept or next;
    next if fork;
    while (<$client>) { syswrite $client, "$name\\n" }
    exit;
  }`;

/** Sends each line that it reads through one connection, and prints the answers. */
const CLIENT = `use IO::Socket::IP; $| = 1; my ($protocol, $address) = @ARGV;
  my $socket = IO::Socket::IP->new(PeerHost => $address, PeerPort => 80, Proto => $protocol, Timeout => 30) or die "no connection: $@";
  alarm 60;
  while (<STDIN>) { syswrite $socket, $_; sysread $socket, my $answer, 1500 or die "no answer"; print $answer }`;

const FAMILIES = {
  ipv4: { vip: '10.96.9.9', backends: ['10.98.2.2', '10.98.2.3'] },
  ipv6: { vip: 'fd00:96::9', backends: ['fd00:98:2::2', 'fd00:98:2::3'] },
} as const;
type Family = keyof typeof FAMILIES;

/** Two namespaces, and this host between them as the one that forwards. */
const NETWORK = `
  sysctl -q -w net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
  ip link add fwd-vip type dummy && ip link set fwd-vip up
  ip address add 10.96.9.9/32 dev fwd-vip && ip address add fd00:96::9/128 dev fwd-vip nodad
  for side in 1:fwd-client 2:fwd-backend; do
    number=\${side%%:*} name=\${side#*:}
    ip netns add $name && ip link add fwd-$number type veth peer name eth0 netns $name
    ip address add 10.98.$number.1/24 dev fwd-$number && ip address add fd00:98:$number::1/64 dev fwd-$number nodad
    ip link set fwd-$number up
    for host in 2 3; do
      ip -n $name address add 10.98.$number.$host/24 dev eth0
      ip -n $name address add fd00:98:$number::$host/64 dev eth0 nodad
    done
    ip -n $name link set lo up && ip -n $name link set eth0 up
    ip -n $name route add default via 10.98.$number.1 && ip -n $name -6 route add default via fd00:98:$number::1
  done`;

class Connection {
  readonly #child: ChildProcess;
  readonly #answers: AsyncIterator<string>;
  #error = '';

  constructor(protocol: string, address: string) {
    this.#child = spawn('ip', ['netns', 'exec', 'fwd-client', 'perl', '-e', CLIENT, protocol, address]);
    if (this.#child.stdout === null) throw new Error('no stdout');
    this.#answers = createInterface(this.#child.stdout)[Symbol.asyncIterator]();
    this.#child.stderr?.on('data', (text) => {
      this.#error += text;
    });
  }

  /** The backend that answers, or what became of the connection. */
  async ask(): Promise<string> {
    this.#child.stdin?.write('which?\n');
    const { value, done } = await this.#answers.next();
    return done ? `nobody: ${this.#error}` : value;
  }

  async end(): Promise<void> {
    const ended = once(this.#child, 'exit');
    this.#child.stdin?.end();
    await ended;
  }
}

onKernel('connections through this kernel', () => {
  let client: IpvsClient;
  const backends: ChildProcess[] = [];
  const serviceOf = (family: Family, protocol: 'tcp' | 'udp') =>
    ({ protocol, address: FAMILIES[family].vip, port: 80 }) satisfies ServiceId;

  /** Who answers each of so many connections, one after the other. */
  const askers = async (family: Family, protocol: 'tcp' | 'udp', count: number): Promise<string[]> => {
    const answers: string[] = [];
    for (let number = 0; number < count; number += 1) {
      const connection = new Connection(protocol, FAMILIES[family].vip);
      answers.push(await connection.ask());
      await connection.end();
    }
    return answers.sort();
  };

  beforeAll(async () => {
    await must(['sh', '-e', '-c', NETWORK]);
    client = await IpvsClient.open();
    await client.flush();
    for (const address of Object.values(FAMILIES).flatMap((family) => family.backends)) {
      const args = ['netns', 'exec', 'fwd-backend', 'perl', '-e', BACKEND, address.slice(-1), address];
      const child = spawn('ip', args, { stdio: ['ignore', 'pipe', 'inherit'], detached: true });
      backends.push(child);
      await once(child.stdout as NonNullable<typeof child.stdout>, 'data');
    }
    const changes = (['ipv4', 'ipv6'] as const).flatMap((family) =>
      (['tcp', 'udp'] as const).flatMap((protocol): Change[] => {
        const service = serviceOf(family, protocol);
        return [
          { op: 'add-service', service: { ...service, scheduler: 'rr' } },
          ...FAMILIES[family].backends.map((address): Change => {
            const destination = { address, port: 8080, weight: 1, forwardingMethod: 'masquerade' as const };
            return { op: 'add-destination', service, destination };
          }),
        ];
      }),
    );
    await client.batch(changes);
  }, 600_000);

  afterAll(async () => {
    for (const { pid } of backends) if (pid !== undefined) process.kill(-pid, 'SIGKILL');
    await client?.flush();
    client?.close();
    await must(['sh', '-c', 'ip netns del fwd-client; ip netns del fwd-backend; ip link del fwd-vip']);
  }, 600_000);

  test.each([
    ['ipv4', 'tcp'],
    ['ipv4', 'udp'],
    ['ipv6', 'tcp'],
    ['ipv6', 'udp'],
  ] as const)(
    'are spread over the backends of an %s VIP over %s, and counted',
    async (family, protocol) => {
      expect(await askers(family, protocol, 4)).toEqual(['2', '2', '3', '3']);

      // Counters are summed up from the processors every two seconds.
      await waitFor('4 connections in the counters', async () => {
        const services = await client.listServices();
        const counted = services.find(
          (one) => 'address' in one && one.address === FAMILIES[family].vip && one.protocol === protocol,
        );
        return counted?.stats.connections === 4n || undefined;
      });
    },
    600_000,
  );

  test('an open one stays with a backend of weight 0, and no new one comes to it', async () => {
    const { vip, backends: addresses } = FAMILIES.ipv4;
    const open = new Connection('tcp', vip);
    const first = await open.ask();
    const address = addresses.find((one) => one.endsWith(first)) ?? first;
    const destination = { address, port: 8080, weight: 0, forwardingMethod: 'masquerade' as const };
    await client.updateDestination(serviceOf('ipv4', 'tcp'), destination);

    const other = first === '2' ? '3' : '2';
    expect(await askers('ipv4', 'tcp', 3)).toEqual([other, other, other]);
    expect(await open.ask()).toBe(first);
    await open.end();
  }, 600_000);
});
