/** Builds the parts from the configuration; the only place that knows every concrete one. */

import { readFile } from 'node:fs/promises';
import { openKernelTable } from './apply/kernel-table.ts';
import { DummyReachability } from './apply/reachability.ts';
import { createRealAddresses } from './apply/real-addresses.ts';
import { RouteNetlink } from './apply/rtnetlink.ts';
import type { Config } from './config/config.ts';
import { createLiving } from './desired/living.ts';
import { inPool, type Pools, parsePool } from './desired/pool.ts';
import { createTranslator } from './desired/translate.ts';
import type { NameServer } from './dns/name-server.ts';
import { ControllerError } from './errors.ts';
import { systemClock } from './loop/clock.ts';
import { Reconciler } from './loop/reconcile.ts';
import type { ServiceKey } from './model.ts';
import { parseTable } from './plan/ipvsadm.ts';
import type {
  AppSource,
  Clock,
  IpvsTable,
  Ledger,
  LedgerEntry,
  Log,
  Reachability,
  Reporter,
  StateStore,
} from './ports.ts';
import { isLoopback } from './serve/host-header.ts';
import type { DnsMetrics } from './serve/metrics-dns.ts';
import { createDnsResolver } from './source/dns-resolver.ts';
import { createFileSource } from './source/file/source.ts';
import { createLedger } from './state/ledger.ts';
import { createStateStore } from './state/store.ts';

/** What a command works with; `close` frees sockets. */
export interface Parts {
  readonly sources: readonly AppSource[];
  /** Who tells a source's cluster of each pass. */
  readonly reporters: readonly Reporter[];
  readonly reconciler: Reconciler;
  readonly table: IpvsTable;
  readonly reachability: Reachability | null;
  /** null where no names are answered for. */
  readonly dns: DnsService | null;
  readonly ledger: Ledger;
  readonly store: StateStore;
  readonly clock: Clock;
  readonly log: Log;
  close(): void;
}

export interface DnsService {
  readonly server: NameServer;
  readonly metrics: DnsMetrics;
}

/** Builds the parts of `run` and `diff`. Rejects with a `ControllerError` where the kernel or a file cannot be opened. */
export async function wire(config: Config, log: Log): Promise<Parts> {
  const { table, ledger } = await comparedWith(config);
  try {
    const reachability = config.dryRun ? null : openReachability(config);
    const store = createStateStore(config.stateDir, systemClock, log);
    const pools = poolsOf(config);
    const reporters: Reporter[] = [];
    const sources = await sourcesOf(config, log, reporters);
    const translate = createTranslator({
      zone: config.zone,
      pools,
      ...(config.against.kind === 'kernel' && {
        realAddresses: createRealAddresses(realAddressOptions(config, sources), Date.now),
      }),
    });
    const ranges = Object.values(pools).filter((pool) => pool !== null);
    const rules = {
      translate,
      living: createLiving(),
      inPool: (address: string) => ranges.some((pool) => inPool(pool, address)),
      adopt: config.adopt,
      dryRun: config.dryRun,
    };
    const dns = await openDns(config, log);
    const common = { table, reachability, ledger, store, clock: systemClock, log };
    const reconciler = new Reconciler({ ...common, names: dns?.server }, rules);
    const close = () => {
      table.close();
      reachability?.close();
    };
    return { ...common, sources, reporters, reconciler, dns, close };
  } catch (error) {
    table.close();
    throw error;
  }
}

/** Builds the parts of `cleanup`. Rejects as `wire` does. */
export async function wireCleanup(
  config: Config,
): Promise<Pick<Parts, 'table' | 'ledger' | 'close'> & { reachability: Reachability }> {
  const table = await openKernelTable();
  try {
    const reachability = openReachability(config);
    const close = () => {
      table.close();
      reachability.close();
    };
    return { table, reachability, ledger: createLedger(config.ledger), close };
  } catch (error) {
    table.close();
    throw error;
  }
}

/** The dummy interface and its routes. */
function openReachability(
  config: Pick<Config, 'interface' | 'poolIpv4' | 'poolIpv6' | 'dnsListen' | 'hostAddress' | 'writeSysctls'>,
): Reachability {
  return new DummyReachability(RouteNetlink.open(), {
    interfaceName: config.interface,
    pools: networksOf(config),
    servers: addressesOf(config.dnsListen),
    hostAddress: config.hostAddress,
    writeSysctls: config.writeSysctls,
  });
}

/** The DNS server of `run`; a command that ends by itself has none. */
async function openDns(config: Config, log: Log): Promise<DnsService | null> {
  const { dnsListen: listen, dnsTtlSeconds: ttlSeconds, zone } = config;
  if (listen.length === 0 || config.once || config.dryRun) return null;
  const [{ NameServer }, { DnsMetrics }] = await Promise.all([
    import('./dns/name-server.ts'),
    import('./serve/metrics-dns.ts'),
  ]);
  const metrics = new DnsMetrics();
  const pools = networksOf(config);
  const options = { listen, zones: [zone], pools, ttlSeconds, meter: metrics, log, clock: systemClock };
  return { server: new NameServer(options), metrics };
}

/** An IPv6 address can only be listened on where it is an address of an interface: a route is not enough. */
function addressesOf(listen: Config['dnsListen']): string[] {
  const addresses = listen.map(({ address }) => address);
  return addresses.filter((address) => !address.includes(':') && !isLoopback(address));
}

function networksOf({ poolIpv4, poolIpv6 }: Pick<Config, 'poolIpv4' | 'poolIpv6'>): string[] {
  return [poolIpv4, poolIpv6].filter((pool) => pool !== null);
}

/** The table that the diff is made against, and what of it is ours. */
async function comparedWith({
  against,
  ledger,
  origins,
}: Config): Promise<{ table: IpvsTable; ledger: Ledger }> {
  switch (against.kind) {
    case 'kernel':
      return { table: await openKernelTable(), ledger: createLedger(ledger) };
    case 'none':
      return { table: readOnlyTable(new Map()), ledger: fixedLedger([]) };
    case 'file': {
      const table = await readTable(against.path);
      // Without a ledger that someone named, the file is taken for a host of ours alone.
      return {
        table: readOnlyTable(table),
        ledger: origins.ledger === 'default' ? fixedLedger(table.keys()) : createLedger(ledger),
      };
    }
  }
}

async function readTable(path: string) {
  try {
    return parseTable(await readFile(path, 'utf8'));
  } catch (cause) {
    throw new ControllerError('usage', `--against ${path}, expected the output of \`ipvsadm -Sn\``, {
      cause,
      retry: 'never',
    });
  }
}

function readOnlyTable(table: Awaited<ReturnType<IpvsTable['observe']>>): IpvsTable {
  return {
    observe: async () => table,
    apply: () => Promise.reject(new Error('a table that is not the kernel is never written')),
    close: () => undefined,
  };
}

function fixedLedger(keys: Iterable<ServiceKey>): Ledger {
  const entries = new Map(
    [...keys].map((key): [ServiceKey, LedgerEntry] => [key, { name: null, framework: null }]),
  );
  return {
    load: async () => ({ entries }),
    save: () => Promise.reject(new Error('the ledger of a diff is never written')),
  };
}

function poolsOf({ poolIpv4, poolIpv6 }: Pick<Config, 'poolIpv4' | 'poolIpv6'>): Pools {
  return { ipv4: parsePool(poolIpv4), ipv6: poolIpv6 === null ? null : parsePool(poolIpv6) };
}

function realAddressOptions(config: Config, sources: readonly AppSource[]) {
  const masters = [
    ...config.source.flatMap((source) => (source.kind === 'marathon' ? source.masters : [])),
    ...sources.flatMap(({ servers = [] }) => servers),
  ];
  const servers = config.dnsListen.map(({ address }) => address);
  return { interfaceName: config.interface, masters, servers };
}

function credentialsOf({ marathonUserFile, marathonTokenFile }: Config) {
  if (marathonUserFile !== undefined) return { kind: 'basic', path: marathonUserFile } as const;
  return marathonTokenFile === undefined ? undefined : ({ kind: 'token', path: marathonTokenFile } as const);
}

/** The sources in the order given, and in `reporters` who tells their clusters of passes. */
export async function sourcesOf(config: Config, log: Log, reporters: Reporter[]): Promise<AppSource[]> {
  const resolver = createDnsResolver({ clock: systemClock, log });
  return await Promise.all(
    config.source.map(async (source) => {
      if (source.kind === 'file') {
        return createFileSource({ path: source.where, framework: config.framework, resolver, log });
      }
      if (source.kind === 'kubernetes') {
        const { wireKubernetes } = await import('./wire-kubernetes.ts');
        const { appSource, reporter } = await wireKubernetes(source.where, config, log);
        if (reporter !== null) reporters.push(reporter);
        return appSource;
      }
      // Loaded when asked for: its HTTP client is the largest part of all.
      const { createMarathonSource } = await import('./source/marathon/source.ts');
      return createMarathonSource({
        where: source.where,
        credentials: credentialsOf(config),
        caFile: config.marathonCaFile,
        framework: config.framework,
        relistSeconds: config.relistSeconds,
        silenceMs: config.sourceTimeoutSeconds * 1_000,
        // A full list of a large cluster over a slow line takes longer than its beginning.
        answerMs: config.sourceTimeoutSeconds * 12_000,
        eventSilenceMs: config.sourceSilenceSeconds * 1_000,
        resolver,
        log,
        clock: systemClock,
      });
    }),
  );
}
