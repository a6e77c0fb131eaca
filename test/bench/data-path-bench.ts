/**
 * What a VIP costs a connection, beside the same backend asked directly and beside HAProxy. In the lab:
 *
 *   node --conditions=ipvs-source test/bench/data-path-bench.ts [--check]
 *
 * Needs nginx, wrk, iperf3 and haproxy (Debian: nginx-light, wrk, iperf3, haproxy). A client in a network namespace of
 * its own routes everything to this host, which balances to two backends in namespaces of theirs:
 *
 *     client 10.8.0.2 ── this host (IPVS; HAProxy on 10.8.0.1) ─┬─ backend1 10.9.0.1
 *                                                              └─ backend2 10.9.0.2
 *
 * The controller makes the VIP (`run --once`). HAProxy is set up as marathon-lb does, one process. All ways take turns, and of
 * several rounds the best counts: what else the machine does only ever makes one worse.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createNetwork } from '../support/network.ts';
import { LAUNCHER } from '../support/program.ts';
import { iperf, wrk } from './data-path-loads.ts';
import { BACKENDS, DATA_PATH, HAPROXY, PORTS, startServers } from './data-path-servers.ts';
import { Report } from './report.ts';

const ROUNDS = 8;
const CONNECTIONS = 8;

type Way = 'direct' | 'vip' | 'haproxyTcp' | 'haproxyHttp';

/** `address:port` of the web servers, and of an iperf3 server, on each way there is to them. */
type Targets = Readonly<Record<Way, { readonly web: string; readonly bulk: string | null }>>;

interface Figures {
  /** Requests a second over connections that stay. */
  readonly requests: number;
  /** Requests a second, each over a connection of its own. */
  readonly connections: number;
  readonly megabitsPerSecond: number;
  /** Of one request at a time over one connection, in milliseconds. */
  readonly p50: number;
  readonly p99: number;
}

const directory = mkdtempSync(join(tmpdir(), 'data-path-bench-'));
const network = await createNetwork(DATA_PATH);
const stop = await startServers(directory);
const report = new Report();
try {
  const targets = withVip(makeVips());
  const ways = Object.keys(targets) as readonly Way[];
  const rounds = Array.from({ length: ROUNDS }, () => ways.map((way) => measure(targets[way])));
  tell(ways, (way, name) => {
    const each = rounds.flatMap((round) => round[ways.indexOf(way)]?.[name] ?? []);
    return name === 'p50' || name === 'p99' ? Math.min(...each) : Math.max(...each);
  });
} finally {
  await stop();
  await network.remove();
  rmSync(directory, { recursive: true, force: true });
}
report.print();

/** One for the web servers, one for iperf3, whose two connections must meet the same server. */
function makeVips(): ReadonlyMap<string, string> {
  const file = join(directory, 'apps.json');
  const app = (name: string, port: number, hosts: readonly string[]) => ({
    id: `/${name}`,
    portDefinitions: [{ protocol: 'tcp', labels: { VIP_0: `/${name}:${port}` } }],
    tasks: hosts.map((host) => ({ id: `${name}.${host}`, host, state: 'TASK_RUNNING', ports: [port] })),
  });
  const apps = [app('web', PORTS.web, BACKENDS), app('bulk', PORTS.bulk, BACKENDS.slice(0, 1))];
  writeFileSync(file, JSON.stringify({ apps }));
  const places = ['--ledger', join(directory, 'ledger.json'), '--state-dir', join(directory, 'state')];
  const args = ['run', '--once', '-o', 'json', '--source', `file=${file}`, ...places];
  const { services } = JSON.parse(execFileSync(LAUNCHER, args, { encoding: 'utf8' })) as {
    readonly services: readonly { readonly name: string; readonly address: string }[];
  };
  return new Map(services.map(({ name, address }) => [name, address]));
}

function withVip(addresses: ReadonlyMap<string, string>): Targets {
  const [backend] = BACKENDS;
  return {
    direct: { web: `${backend}:${PORTS.web}`, bulk: `${backend}:${PORTS.bulk}` },
    vip: { web: `${addresses.get('web')}:${PORTS.web}`, bulk: `${addresses.get('bulk')}:${PORTS.bulk}` },
    haproxyTcp: { web: `${HAPROXY}:${PORTS.proxiedTcp}`, bulk: `${HAPROXY}:${PORTS.proxiedBulk}` },
    haproxyHttp: { web: `${HAPROXY}:${PORTS.proxiedHttp}`, bulk: null },
  };
}

function measure({ web, bulk }: Targets[Way]): Figures {
  const kept = wrk(web, CONNECTIONS);
  const single = wrk(web, 1);
  return {
    requests: kept.requests,
    connections: wrk(web, CONNECTIONS, '-H', 'Connection: close').requests,
    megabitsPerSecond: bulk === null ? Number.NaN : iperf(bulk),
    p50: single.p50,
    p99: single.p99,
  };
}

function tell(ways: readonly Way[], figures: (way: Way, name: keyof Figures) => number): void {
  const rates = [
    ['requests a second, connections kept', 'requests'],
    ['new connections a second', 'connections'],
    ['bulk, Mbit/s', 'megabitsPerSecond'],
  ] as const;
  for (const [what, name] of rates) {
    const of = (way: Way) => figures(way, name);
    const measured = ways.filter((way) => !Number.isNaN(of(way)));
    const proxied = Math.max(...measured.filter((way) => way.startsWith('haproxy')).map(of));
    const detail = measured.map((way) => `${way} ${of(way).toFixed(0)}`).join(', ');
    report.add(`${what}: VIP to direct`, of('vip') / of('direct'), { ratio: 0.8, is: 'at least' }, detail);
    report.add(`${what}: VIP to HAProxy`, of('vip') / proxied, { ratio: 1, is: 'at least' }, detail);
  }
  for (const name of ['p50', 'p99'] as const) {
    const detail = ways.map((way) => `${way} ${figures(way, name).toFixed(2)} ms`).join(', ');
    const ratio = figures('vip', name) / figures('direct', name);
    report.add(`latency of one at a time, ${name}: VIP to direct`, ratio, null, detail);
  }
}
