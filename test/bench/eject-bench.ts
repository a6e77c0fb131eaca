/**
 * What watching backends costs: the processor time of the thread that reads the kernel's connections and counters, while clients
 * connect to 100 of the VIPs once a second and are answered. In the lab:
 *
 *   node --conditions=ipvs-source test/bench/eject-bench.ts [--large] [--check]
 *
 * `--large` measures 10,000 VIPs with 10 backends each besides 1,000; `--check` exits with 1 when a target is missed.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { IpvsClient } from 'ipvs-netlink-ts';
import { createKernelTable } from '../../controller/apply/kernel-table.ts';
import { createConnectionTable } from '../../controller/eject/connection-table.ts';
import { createDestinationCounters } from '../../controller/eject/counters.ts';
import { threadCpuMs } from '../../controller/eject/cpu-time.ts';
import { createWaitingConnections } from '../../controller/eject/waiting-connections.ts';
import { Watch } from '../../controller/eject/watch.ts';
import type { Step } from '../../controller/model/kernel.ts';
import type { Backend, Service, ServiceKey } from '../../controller/model/service.ts';
import { systemClock } from '../../controller/time.ts';
import { WEIGHT_1, WLC } from '../support/builders.ts';
import { Report } from './report.ts';

const BACKENDS = 10;
/** VIPs that get new connections. */
const BUSY = 100;
const WARM_UP_MS = 10_000;
/** With `--large` counters may be read every 40 s. */
const MEASURED_MS = process.argv.includes('--large') ? 90_000 : 30_000;
const LOG = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const NO_ADDRESSES: ReadonlySet<string> = new Set();

const client = await IpvsClient.open();
const report = new Report();
await measure(1_000);
if (process.argv.includes('--large')) await measure(10_000);
client.close();
report.print();

/** Adds VIPs until there are so many, and watches them. */
async function measure(count: number): Promise<void> {
  const services = new Map(Array.from({ length: count }, (_, i) => serviceOf(i)));
  await client.flush();
  const [failure] = await createKernelTable(client).apply([...services.values()].flatMap(stepsOf));
  if (failure !== undefined) throw failure.error;
  const reads = { counters: 0, connections: 0 };
  const costs = { counters: 0, connections: 0 };
  const counters = createDestinationCounters(await IpvsClient.open());
  const table = createConnectionTable(threadCpuMs, createWaitingConnections());
  const ports = {
    counters: {
      ...counters,
      read: async (...args: Parameters<typeof counters.read>) => {
        reads.counters += 1;
        const from = threadCpuMs();
        const read = await counters.read(...args);
        costs.counters += threadCpuMs() - from;
        return read;
      },
    },
    connections: {
      ...table,
      read: async () => {
        reads.connections += 1;
        const read = await table.read();
        costs.connections += threadCpuMs() - read.cpuFrom;
        return read;
      },
    },
    prober: { probe: async () => ['connected'] as const },
    ...{ clock: systemClock, log: LOG, cpuMs: threadCpuMs },
  };
  const watch = new Watch(ports, {
    mode: 'observe',
    services: () => services,
    hostAddresses: () => NO_ADDRESSES,
  });
  const stop = new AbortController();
  const traffic = connecting();
  const watching = watch.run(() => undefined, stop.signal);
  await sleep(WARM_UP_MS);
  const [from, before, used, spent] = [performance.now(), { ...reads }, threadCpuMs(), { ...costs }];
  await sleep(MEASURED_MS);
  const ms = performance.now() - from;
  const share = (threadCpuMs() - used) / ms;
  const of = (what: keyof typeof reads) => {
    const every = Math.round(ms / (reads[what] - before[what]));
    return `${what} read every ${every} ms (${percent((costs[what] - spent[what]) / ms)})`;
  };
  const { behind } = watch.report();
  stop.abort();
  await watching;
  await ended(traffic);
  report.add(
    `watching ${count.toLocaleString('en')} x ${BACKENDS}, share of a processor`,
    share,
    { ratio: 0.02, is: 'at most' },
    `${percent(share)}, ${of('connections')}, ${of('counters')}${behind === null ? '' : `, told: ${behind}`}`,
  );
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

function serviceOf(i: number): [ServiceKey, Service] {
  const address = `11.${i >> 16}.${(i >> 8) & 255}.${i & 255}`;
  const backends = Array.from({ length: BACKENDS }, (_, of): [string, Backend] => {
    const at = { address: `10.${of}.${(i >> 8) & 255}.${i & 255}`, port: 31_000 };
    const task = { app: `/${i}`, task: `${i}.${of}`, reason: 'running', drainSeconds: 300 };
    return [`${at.address}:${at.port}`, { ...at, ...WEIGHT_1, ...task }];
  });
  const called = { name: `s${i}`, framework: 'marathon', fqdn: null, apps: [`/${i}`] };
  const of = { protocol: 'tcp', family: 'ipv4', address, port: 80, ...WLC, ...called } as const;
  return [`tcp/${address}:80`, { ...of, backends: new Map(backends) }];
}

function stepsOf({ protocol, address, port, backends }: Service): Step[] {
  const service = { protocol, address, port };
  return [
    { op: 'add-service', service: { ...service, ...WLC } },
    ...[...backends.values()].map((backend): Step => ({ op: 'add-backend', service, backend })),
  ];
}

/** Connects to each busy VIP every second; every backend is a server that ends the connection. */
function connecting(): ChildProcess {
  const server = `require('net').createServer((socket) => socket.end()).listen(31000)`;
  const script = `
    ip link set lo up
    ip route add local 11.0.0.0/8 dev lo
    ip route add local 10.0.0.0/8 dev lo
    "${process.execPath}" -e "${server}" &
    while :; do
      for i in $(seq 0 ${BUSY - 1}); do : </dev/tcp/11.0.0.$i/80; done
      sleep 1
    done 2>/dev/null`;
  return spawn('bash', ['--norc', '-c', script], { stdio: 'ignore', detached: true });
}

async function ended(child: ChildProcess): Promise<void> {
  const end = once(child, 'close');
  // With the program that it waits for.
  process.kill(-(child.pid ?? 0), 'SIGKILL');
  await end;
}
