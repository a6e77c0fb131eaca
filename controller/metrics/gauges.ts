import { Gauge, type Registry } from 'prom-client';
import { version } from '../config/version.ts';
import type { Tier } from '../model/place.ts';
import type { Service } from '../model/service.ts';
import type { PassStatus } from '../pass-status.ts';
import { leftOutOf } from '../plan/nearest.ts';
import type { Clock } from '../ports.ts';
import { isUneven, type Spread } from '../status/spread.ts';
import type { SourceStatus, Status } from '../status/status.ts';

/** Gauges of the controller's state, read on each scrape. */
export function registerGauges(
  registry: Registry,
  status: () => Status,
  clock: Pick<Clock, 'monotonic'>,
): void {
  const registers = [registry];

  const ofStatus = (name: string, help: string, read: (status: Status) => number) => {
    const collect = () => gauge.set(read(status()));
    const gauge: Gauge = new Gauge({ name: `marathon_ipvs_${name}`, help, registers, collect });
  };
  const ofPass = (name: string, help: string, read: (pass: PassStatus) => number) => {
    // NaN rather than 0: before the first pass the number is unknown, and the kernel may well be forwarding.
    ofStatus(name, help, ({ lastPass }) => (lastPass === null ? Number.NaN : read(lastPass)));
  };
  registerBuildInfo(registry);
  ofStatus('dry_run', '1 if the controller only plans and writes nothing (--dry-run).', ({ dryRun }) =>
    dryRun ? 1 : 0,
  );
  ofStatus(
    'loop_heartbeat_timestamp_seconds',
    'When the loop last reported that it is alive.',
    ({ movedAt, epochOffset }) => (movedAt + epochOffset) / 1_000,
  );
  ofStatus(
    'last_pass_timestamp_seconds',
    'When the last pass ended; 0 before the first.',
    ({ lastPass, epochOffset }) => (lastPass === null ? 0 : (lastPass.finishedAt + epochOffset) / 1_000),
  );
  ofStatus(
    'last_converged_timestamp_seconds',
    'When the last converged pass ended; 0 if there was none.',
    ({ convergedAt, epochOffset }) => (convergedAt === null ? 0 : (convergedAt + epochOffset) / 1_000),
  );

  ofPass(
    'vips',
    'Desired VIPs that have a backend, counted per address family and protocol.',
    ({ desired }) => desired.services.size,
  );
  ofPass(
    'vips_unsettled',
    'VIPs that are not yet in the desired state in the kernel, or not yet removed; conflicts do not count.',
    ({ shortfall }) => shortfall.length,
  );
  ofPass('backends', 'Backends of all VIPs.', ({ desired }) => backends(desired.services.values()).all);
  ofPass(
    'backends_in_rotation',
    'Backends that get new connections: their weight is not 0.',
    ({ desired }) => backends(desired.services.values()).inRotation,
  );
  ofPass(
    'slow_start_backends',
    'Backends in slow start: they came into rotation recently and their weight is still growing.',
    ({ slowStarts }) => slowStarts,
  );
  ofPass('steps_waiting', 'Failed writes that wait for their next retry.', ({ waiting }) => waiting);
  ofPass(
    'conflicts',
    "VIPs whose address and port belong to another program's service in the kernel.",
    ({ plan }) => plan.conflicts.length,
  );
  ofPass(
    'held_vips',
    'VIPs kept unchanged by the mass-removal brake, since they would lose all backends in rotation.',
    ({ held }) => held?.vips ?? 0,
  );
  ofPass(
    'held_backends',
    'Backends kept in rotation by the mass-removal brake, although no source lists them any more or others are nearer.',
    ({ held }) => held?.backends ?? 0,
  );
  ofPass('rejected', 'Rejected labels, apps and files.', ({ desired }) => desired.rejected.length);
  ofPass(
    'warnings',
    'Warnings about labels and definitions that are used but look wrong.',
    ({ desired }) => desired.warnings.length,
  );
  ofPass(
    'reachability_problems',
    'Problems of the interface, routes or packet filter that make VIPs unreachable.',
    ({ problems }) => problems.length,
  );
  ofPass(
    'host_warnings',
    'Warnings about this host, such as kernel settings to change; VIPs are reachable.',
    ({ advice }) => advice.length,
  );

  registerNearnessGauges(registry, status);
  registerSpreadGauges(registry, status);
  registerSourceGauges(registry, status, clock);
}

/** Gauges of VIPs that use only the nearest backends. */
function registerNearnessGauges(registry: Registry, status: () => Status): void {
  const registers = [registry];
  const labelNames = ['tier'] as const;
  const read = (gauge: Gauge<'tier'>, of: (service: Service) => number) => {
    const { lastPass } = status();
    for (const tier of TIERS) gauge.set({ tier }, lastPass === null ? Number.NaN : 0);
    if (lastPass === null) return;
    for (const service of lastPass.desired.services.values())
      if (service.nearness !== undefined) gauge.inc({ tier: service.nearness.tier }, of(service));
  };
  const vips: Gauge<'tier'> = new Gauge({
    name: 'marathon_ipvs_near_vips',
    help: 'VIPs that use only the nearest backends, by where these are: node, zone, region, or all if none nearer is in rotation.',
    labelNames,
    registers,
    collect: () => read(vips, () => 1),
  });
  const leftOut: Gauge<'tier'> = new Gauge({
    name: 'marathon_ipvs_left_out_backends',
    help: 'Backends left out because nearer ones are in rotation, by the tier of the nearer ones.',
    labelNames,
    registers,
    collect: () => read(leftOut, leftOutOf),
  });
}

/** Gauges of how evenly new connections are spread. */
function registerSpreadGauges(registry: Registry, status: () => Status): void {
  const ofSpreads = (name: string, help: string, read: (spreads: readonly Spread[]) => number) => {
    const collect = () => {
      const { spreads } = status();
      gauge.set(spreads == null ? Number.NaN : read([...spreads.values()]));
    };
    const gauge: Gauge = new Gauge({ name: `marathon_ipvs_${name}`, help, registers: [registry], collect });
  };
  ofSpreads(
    'compared_vips',
    'VIPs whose backends got enough new connections in the last minutes to be compared.',
    ({ length }) => length,
  );
  ofSpreads(
    'uneven_vips',
    'Compared VIPs with a backend that got at least twice its share of new connections, or at most a quarter of it.',
    (spreads) => spreads.filter(isUneven).length,
  );
  ofSpreads(
    'spread_max_ratio',
    'The largest ratio of new connections to the expected share of a backend, over all compared VIPs; 1: even, 0: none is compared.',
    (spreads) => Math.max(0, ...spreads.map(({ most }) => most.ofShare)),
  );
}

const TIERS: readonly Tier[] = ['node', 'zone', 'region', 'all'];

/** The gauge with the versions of the controller and of Node. */
export function registerBuildInfo(registry: Registry): void {
  new Gauge({
    name: 'marathon_ipvs_build_info',
    help: 'Always 1; the labels are the versions of the controller and of Node.js.',
    labelNames: ['version', 'node'],
    registers: [registry],
  }).set({ version: version(), node: process.version }, 1);
}

/** Gauges of each source. */
export function registerSourceGauges(
  registry: Registry,
  status: () => Pick<Status, 'sources' | 'epochOffset'>,
  clock: Pick<Clock, 'monotonic'>,
): void {
  const ofSource = (
    name: string,
    help: string,
    read: (source: SourceStatus, epochOffset: number) => number,
  ) => {
    const collect = () => {
      // A source that is no longer reported has no series.
      gauge.reset();
      const { sources, epochOffset } = status();
      for (const source of sources) gauge.set({ source: source.name }, read(source, epochOffset));
    };
    const options = {
      name: `marathon_ipvs_source_${name}`,
      help,
      labelNames: ['source'] as const,
      registers: [registry],
    };
    const gauge: Gauge<'source'> = new Gauge({ ...options, collect });
  };

  ofSource('up', '1 if the last read of the source succeeded.', ({ readAt, failure }) =>
    readAt !== null && failure === null ? 1 : 0,
  );
  ofSource('apps', 'Apps and pods listed by the source.', ({ apps }) => apps);
  ofSource(
    'last_read_timestamp_seconds',
    'When the source was last read successfully; 0 if never since the start.',
    ({ readAt }, offset) => (readAt === null ? 0 : (readAt + offset) / 1_000),
  );
  ofSource(
    'data_age_seconds',
    "Age of the source's data in use, including data loaded from disk; infinite if there is none.",
    (source) => ageOf(source, clock.monotonic()),
  );
}

function backends(services: Iterable<Service>): { readonly all: number; readonly inRotation: number } {
  let all = 0;
  let inRotation = 0;
  for (const service of services) {
    all += service.backends.size;
    for (const { weight } of service.backends.values()) if (weight > 0) inRotation++;
  }
  return { all, inRotation };
}

function ageOf({ readAt, fromDiskOf }: SourceStatus, now: number): number {
  const since = fromDiskOf ?? readAt;
  return since === null ? Number.POSITIVE_INFINITY : Math.max(0, now - since) / 1_000;
}
