/** Wires the commands: builds their parts from the configuration. Only the files here know every implementation. */

import type { AppWriting } from '../api/services.ts';
import { createHostAddresses, type HostAddress, ofHostAddresses } from '../apply/host-addresses.ts';
import { readHostIdentity } from '../apply/host-identity.ts';
import { readIpvsTables } from '../apply/ipvs-tables.ts';
import { createKernelCounters } from '../apply/kernel-counters.ts';
import { openKernelClient, openKernelTable } from '../apply/kernel-table.ts';
import { createRealAddresses, type RealAddressOptions } from '../apply/real-addresses.ts';
import { createServerAddresses, type ServerAddresses } from '../apply/server-addresses.ts';
import { withTimeouts } from '../apply/timeouts.ts';
import { createUnfitAddresses } from '../apply/unfit-addresses.ts';
import type { ConnectionPorts } from '../cli/commands/connection.ts';
import type { Config } from '../config/config.ts';
import { inPool } from '../desired/pool.ts';
import { createTranslator } from '../desired/translate.ts';
import type { TranslationRules } from '../desired/translation-rules.ts';
import type { NameServer } from '../dns/name-server.ts';
import type { Watch } from '../eject/watch.ts';
import { Reconciler } from '../loop/reconciler.ts';
import { SavedEndpoints } from '../loop/saved-endpoints.ts';
import type { DnsMetrics } from '../metrics/dns.ts';
import type { IpvsTables } from '../model/counters.ts';
import type {
  AppSource,
  Clock,
  IpvsTable,
  KernelCounters,
  Ledger,
  Log,
  Reachability,
  Reporter,
  StateStore,
} from '../ports.ts';
import { createLedger } from '../state/ledger.ts';
import { withLoadTimeout } from '../state/load-timeout.ts';
import { createStateStore, savedIn } from '../state/store.ts';
import { systemClock } from '../time.ts';
import { openAgainst } from './against.ts';
import { openWatch } from './eject.ts';
import { type Namespaces, openNamespaces } from './netns.ts';
import { openNamespace } from './netns-named.ts';
import { hostFactsOf, poolsOf, portDefaultsOf } from './options.ts';
import { networksOf, openReachability } from './reachability.ts';
import { sourcesOf } from './sources.ts';
import { writingOf } from './writing.ts';

/** The parts of `run` and `diff`. `close` frees the sockets. */
export interface Parts {
  readonly sources: readonly AppSource[];
  /** Report passes to the clusters of sources. */
  readonly reporters: readonly Reporter[];
  readonly reconciler: Reconciler;
  readonly table: IpvsTable;
  readonly reachability: Reachability | null;
  /** null when the kernel is not read, or only for one pass. */
  readonly counters: KernelCounters | null;
  /** Reads size and load of the kernel's tables; null like `counters`. */
  readonly readTables: (() => Promise<IpvsTables | null>) | null;
  /** Finds backends that do not answer; null without ejection. */
  readonly watch: Watch | null;
  /** Keeps VIPs in other network namespaces; null without `--netns-dir`. */
  readonly namespaces: Namespaces | null;
  /** null when DNS is off. */
  readonly dns: DnsService | null;
  readonly ledger: Ledger;
  readonly store: StateStore;
  /** Writes apps; null when writing is off. */
  readonly writing: AppWriting | null;
  readonly clock: Clock;
  readonly log: Log;
  close(): void;
}

export interface DnsService {
  readonly server: NameServer;
  readonly metrics: DnsMetrics;
}

/** Builds the parts of `run` and `diff`. Rejects with a `ControllerError` when the kernel or a file cannot be opened. */
export async function wire(config: Config, log: Log): Promise<Parts> {
  const ranges = Object.values(poolsOf(config)).filter((pool) => pool !== null);
  const inPools = (address: string) => ranges.some((pool) => inPool(pool, address));
  const { table, ledger } = await openAgainst(config, inPools);
  try {
    const looked = config.against.kind === 'kernel' && !(config.once && config.dryRun);
    const client = looked ? await openKernelClient() : null;
    const counters = client === null ? null : createKernelCounters(client);
    const plain = config.dryRun ? null : openReachability(config);
    const reachability =
      plain === null || client === null ? plain : withTimeouts(plain, client, timeoutsOf(config));
    const store = withLoadTimeout(createStateStore(config.stateDir, systemClock, log), systemClock, log);
    const pools = poolsOf(config);
    const reporters: Reporter[] = [];
    const saved = new SavedEndpoints(savedIn(store));
    const sources = await sourcesOf(config, log, reporters, saved.load);
    // Each source loads its own when it needs it. Of several, one may have the backends that another's unknown part seems to
    // have. It begins here, since the first save of a source waits for the loads before it.
    const recorded = sources.length > 1 ? saved.record(sources.map(({ name }) => name)) : undefined;
    const servers = createServerAddresses({
      urls: () => serverUrls(config, sources),
      clock: systemClock,
      log,
    });
    const onHost = createHostAddresses(config.interface, systemClock.monotonic);
    const real = createRealAddresses(realAddressOptions(config, servers, onHost), systemClock.monotonic);
    const unfit = createUnfitAddresses(onHost, serversOf(config));
    const hostAddresses = ofHostAddresses(onHost, (all) => new Set(all.map(({ address }) => address)));
    const translation: TranslationRules = {
      zone: config.zone,
      pools,
      defaults: portDefaultsOf(config),
      ...(config.against.kind === 'kernel' && {
        realAddresses: real.refusal,
        unfitAddresses: unfit,
        ...(config.localBackends === 'container' && { hostAddresses }),
      }),
    };
    const watch = await openWatch(config, { log, hostAddresses, services: () => reconciler.services });
    const rules = {
      translation,
      ejections: watch ?? undefined,
      inPool: inPools,
      saved,
      adopt: config.adopt,
      ...(config.against.kind === 'kernel' && { taken: real.taken }),
      ready: async () => {
        await recorded;
        if (config.against.kind === 'kernel') await servers.ready();
      },
      hostId: config.hostId ?? readHostIdentity(),
      host: hostFactsOf(config, hostAddresses),
      brake: brakeOf(config),
      fullWeightAtOnce: config.once && !config.dryRun,
      dryRun: config.dryRun,
    };
    const dns = await openDns(config, store, log);
    const common = { table, reachability, ledger, store, clock: systemClock, log };
    const reconciler: Reconciler = new Reconciler({ ...common, names: dns?.server }, rules);
    const close = () => {
      table.close();
      counters?.close();
      reachability?.close();
    };
    const { inventory } = reconciler;
    const namespaces = await openNamespaces(config, { rules, inventory, log });
    const writing = await writingOf(config, log);
    const readTables = client === null ? null : readIpvsTables;
    const rest = { reporters, reconciler, counters, readTables, watch, namespaces, dns, close };
    return { ...common, sources, writing, ...rest };
  } catch (error) {
    table.close();
    throw error;
  }
}

/** Builds the parts of `cleanup`. Rejects as `wire` does. */
export async function wireCleanup(
  config: Config,
): Promise<Pick<Parts, 'table' | 'ledger' | 'close'> & { reachability: Reachability }> {
  const other = await openNamespace(config);
  if (other !== null) return { ...other, close: () => other.table.close() };
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

/** Builds the parts of `connection`, which needs neither the kernel nor privileges. */
export async function wireConnection(config: Config, log: Log): Promise<Omit<ConnectionPorts, 'print'>> {
  const translate = createTranslator({ zone: config.zone, pools: poolsOf(config) });
  return { sources: await sourcesOf(config, log, []), translate };
}

function timeoutsOf({ tcpTimeout: tcp, tcpFinTimeout: tcpFin, udpTimeout: udp }: Config) {
  return { tcp, tcpFin, udp };
}

/** The DNS server of `run`; null for commands that end by themselves. */
async function openDns(config: Config, store: StateStore, log: Log): Promise<DnsService | null> {
  const { dnsListen: listen, dnsTtlSeconds: ttlSeconds, zone, dnsExtraZones } = config;
  if (listen.length === 0 || config.once || config.dryRun) return null;
  const [{ NameServer }, { DnsMetrics }] = await Promise.all([
    import('../dns/name-server.ts'),
    import('../metrics/dns.ts'),
  ]);
  const metrics = new DnsMetrics();
  const pools = networksOf(config);
  const zones = [...new Set([zone, ...dnsExtraZones])];
  const served = { listen, zones, pools, ttlSeconds };
  const server = new NameServer({ ...served, meter: metrics, store, log, clock: systemClock });
  return { server, metrics };
}

/** The addresses on which this program answers DNS. */
function serversOf({ dnsListen }: Config): string[] {
  return dnsListen.map(({ address }) => address);
}

/** The brake is off for a table that is not the kernel, since nothing is removed there. */
function brakeOf({ against, allowMassRemoval, massRemovalPercent, massRemovalHoldSeconds }: Config) {
  if (allowMassRemoval || against.kind !== 'kernel') return null;
  return { share: massRemovalPercent / 100, holdMs: massRemovalHoldSeconds * 1_000 };
}

function serverUrls(config: Config, sources: readonly AppSource[]): string[] {
  return [
    ...config.source.flatMap((source) => ('masters' in source ? source.masters : [])),
    ...sources.flatMap(({ servers = [] }) => servers),
  ];
}

function realAddressOptions(
  config: Config,
  { current: sources }: ServerAddresses,
  hostAddresses: () => readonly HostAddress[],
): RealAddressOptions {
  const { allowConnectedVips } = config;
  return {
    hostAddresses,
    sources,
    servers: serversOf(config),
    pools: networksOf(config),
    allowConnectedVips,
  };
}
