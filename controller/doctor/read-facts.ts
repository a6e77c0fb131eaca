import { release } from 'node:os';
import { readIpvsTables } from '../apply/ipvs-tables.ts';
import { readConntrack } from '../apply/kernel-counters.ts';
import { sysctlsFor } from '../apply/sysctls.ts';
import type { Config } from '../config/config.ts';
import type { StatusDocument } from '../status/document.ts';
import type { ControllerFact, Facts, IpvsFact, NftablesFact, WantedFact } from './facts.ts';
import { readBridges } from './read/bridges.ts';
import { readEstimation } from './read/estimation.ts';
import { readCapabilities, readIpvs, readNumber, readPortRange, readSysctls } from './read/kernel.ts';
import { readManagers, readProcesses } from './read/managers.ts';
import { readModules } from './read/modules.ts';
import { readNames } from './read/names.ts';
import { readNamespaces } from './read/namespaces.ts';
import { readAddresses, readInterfaces, readRoutes } from './read/networks.ts';
import { readNftables } from './read/nftables.ts';

/** The options that the host must be set up for. */
export type DoctorOptions = Pick<
  Config,
  'interface' | 'poolIpv4' | 'poolIpv6' | 'zone' | 'dnsListen' | 'listen' | 'defaultScheduler' | 'netnsDir'
>;

/** Picks these options from the configuration, as plain data that can be sent to another process. */
export function doctorOptions(config: DoctorOptions): DoctorOptions {
  const { interface: interfaceName, poolIpv4, poolIpv6, zone, dnsListen, listen, defaultScheduler } = config;
  const { netnsDir } = config;
  return {
    interface: interfaceName,
    poolIpv4,
    poolIpv6,
    zone,
    dnsListen,
    listen,
    defaultScheduler,
    netnsDir,
  };
}

/** The running controller and its status. */
export interface RunningController {
  readonly url: string;
  readonly status: StatusDocument;
}

/** Reads the facts of this host and network namespace. Never rejects because of a fact that cannot be read. */
export async function readFacts(
  options: DoctorOptions,
  controller: RunningController | null,
): Promise<Facts> {
  const wanted = wantedOf(options);
  const kernelRelease = release();
  const running = controller === null ? null : controllerOf(controller);
  const [ipvs, nftables, interfaces, processes, names] = await Promise.all([
    readIpvs(),
    readNftables(),
    readInterfaces(),
    readProcesses(),
    readNames(options.zone),
  ]);
  const schedulers = new Set(running?.vips.flatMap(({ scheduler }) => scheduler ?? []) ?? []);
  if (schedulers.size === 0) schedulers.add(options.defaultScheduler);
  const routes = await readRoutes();
  const ipv6 = routes.some(({ network }) => network === '::/0');
  const conntrack = await readConntrack('/proc/sys');
  const atWork = modulesAtWork({
    ipvs,
    nftables,
    conntrack,
    interfaces,
    interfaceName: wanted.interfaceName,
  });
  return {
    kernelRelease,
    modules: await readModules(schedulers, atWork, kernelRelease),
    sysctls: await readSysctls(sysctlsFor(kernelRelease).filter((one) => one.family !== 'ipv6' || ipv6)),
    capabilities: await readCapabilities(),
    unprivilegedPortStart: (await readNumber('net.ipv4.ip_unprivileged_port_start')) ?? 1_024,
    nftables,
    ipvs,
    addresses: readAddresses(),
    routes,
    interfaces,
    processes,
    bridges: await readBridges(),
    managers: await readManagers(wanted.interfaceName, processes),
    portRange: await readPortRange(),
    conntrack,
    keepaliveSeconds: await readNumber('net.ipv4.tcp_keepalive_time'),
    estimation: await readEstimation(),
    tables: await readIpvsTables(),
    names,
    controller: running,
    namespaces: wanted.netnsDir === null ? null : await readNamespaces(wanted.netnsDir),
    wanted,
  };
}

/** Modules that evidently work, whether or not any file lists them. */
function modulesAtWork(seen: {
  readonly ipvs: IpvsFact;
  readonly nftables: NftablesFact;
  readonly conntrack: Facts['conntrack'];
  readonly interfaces: readonly string[];
  readonly interfaceName: string;
}): ReadonlySet<string> {
  const modules = new Set<string>();
  if ('services' in seen.ipvs) modules.add('ip_vs');
  if ('chains' in seen.nftables) modules.add('nf_tables');
  if (seen.conntrack !== null) modules.add('nf_conntrack');
  if (seen.interfaces.includes(seen.interfaceName)) modules.add('dummy');
  return modules;
}

function wantedOf({
  interface: interfaceName,
  poolIpv4,
  poolIpv6,
  zone,
  dnsListen,
  listen,
  netnsDir,
}: DoctorOptions): WantedFact {
  return {
    interfaceName,
    pools: [poolIpv4, poolIpv6].filter((pool) => pool !== null),
    zone,
    netnsDir: netnsDir ?? null,
    listens: [
      ...dnsListen.map((at) => ({ what: 'DNS' as const, ...at })),
      ...(listen === null ? [] : [{ what: 'HTTP' as const, ...listen }]),
    ],
  };
}

function controllerOf({ url, status }: RunningController): ControllerFact {
  const { version, vips, kernel } = status;
  const seen = vips.map((vip) => ({
    ...vip,
    // A client can take the host port before the task listens on it.
    backends: vip.backends.map(({ hostPort, ...backend }) => hostPort ?? backend),
  }));
  const connections = vips.reduce(
    (sum, { activeConnections, inactiveConnections }) => sum + activeConnections + inactiveConnections,
    0,
  );
  return { url, version, vips: seen, foreignServices: kernel.foreignServices, connections };
}
