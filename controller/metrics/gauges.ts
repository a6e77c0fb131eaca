import { Gauge, type Registry } from 'prom-client';
import { version } from '../config/version.ts';
import type { Service } from '../model.ts';
import type { PassStatus } from '../pass-status.ts';
import type { Tier } from '../place.ts';
import { leftOutOf } from '../plan/nearest.ts';
import type { Clock } from '../ports.ts';
import { isUneven, type Spread } from '../status/spread.ts';
import type { SourceStatus, Status } from '../status/status.ts';

/** What is read off the state of things when Prometheus asks. */
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
    // NaN rather than 0: as long as nothing has been read nobody knows, and the kernel may well forward on.
    ofStatus(name, help, ({ lastPass }) => (lastPass === null ? Number.NaN : read(lastPass)));
  };
  registerBuildInfo(registry);
  ofStatus('dry_run', '1 if nothing is written.', ({ dryRun }) => (dryRun ? 1 : 0));
  ofStatus(
    'last_moved_timestamp_seconds',
    'When the loop last showed that it moves.',
    ({ movedAt, epochOffset }) => (movedAt + epochOffset) / 1_000,
  );
  ofStatus(
    'last_pass_timestamp_seconds',
    'When the last pass ended; 0 before the first.',
    ({ lastPass, epochOffset }) => (lastPass === null ? 0 : (lastPass.finishedAt + epochOffset) / 1_000),
  );
  ofStatus(
    'last_converged_timestamp_seconds',
    'When a pass last left the kernel as desired; 0 if none did.',
    ({ convergedAt, epochOffset }) => (convergedAt === null ? 0 : (convergedAt + epochOffset) / 1_000),
  );

  ofPass(
    'vips',
    'VIPs that the sources ask for and that have a backend, per address family and protocol.',
    ({ desired }) => desired.services.size,
  );
  ofPass(
    'vips_unsettled',
    'VIPs that are not in the kernel as desired, or should be gone from it; conflicts apart.',
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
    'Backends that came into rotation of late and grow to their weight.',
    ({ slowStarts }) => slowStarts ?? 0,
  );
  ofPass('steps_waiting', 'Writes that failed and wait for their next try.', ({ waiting }) => waiting);
  ofPass(
    'conflicts',
    'VIPs whose address and port another program holds in the kernel.',
    ({ plan }) => plan.conflicts.length,
  );
  ofPass(
    'held_vips',
    'VIPs that would have no backend in rotation any more, and are kept as they are: too much would go at once.',
    ({ held }) => held?.vips ?? 0,
  );
  ofPass(
    'held_backends',
    'Backends that are kept in rotation although no source asks for it, or others are nearer: too much would go at once.',
    ({ held }) => held?.backends ?? 0,
  );
  ofPass(
    'rejected',
    'What could not be used of the definitions: labels, apps, files.',
    ({ desired }) => desired.rejected.length,
  );
  ofPass(
    'warnings',
    'What is odd in the definitions but could be used.',
    ({ desired }) => desired.warnings.length,
  );
  ofPass(
    'problems',
    'What keeps VIPs from being reached: interface or routes.',
    ({ problems }) => problems.length,
  );
  ofPass(
    'advice',
    'Kernel settings and the like that should be other than they are; VIPs are reached.',
    ({ advice }) => advice.length,
  );

  registerNearnessGauges(registry, status);
  registerSpreadGauges(registry, status);
  registerSourceGauges(registry, status, clock);
}

/** Of VIPs that want the nearest backends. */
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
    help: 'VIPs that want the nearest backends, by where those are that they have: node, zone, region, or all where none nearer is in rotation.',
    labelNames,
    registers,
    collect: () => read(vips, () => 1),
  });
  const leftOut: Gauge<'tier'> = new Gauge({
    name: 'marathon_ipvs_left_out_backends',
    help: 'Backends that are left out since nearer ones are in rotation, by the tier of those.',
    labelNames,
    registers,
    collect: () => read(leftOut, leftOutOf),
  });
}

/** Of VIPs whose backends got enough new connections. */
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
    'VIPs whose backends got enough new connections within the last minutes to compare them.',
    ({ length }) => length,
  );
  ofSpreads(
    'uneven_vips',
    'Those of which one backend got twice its share or more, or a quarter of it or less.',
    (spreads) => spreads.filter(isUneven).length,
  );
  ofSpreads(
    'spread_max_ratio',
    'How many times its share the backend got that got the most of it, of all compared VIPs; 1 is even, 0: none is compared.',
    (spreads) => Math.max(0, ...spreads.map(({ most }) => most.ofShare)),
  );
}

const TIERS: readonly Tier[] = ['node', 'zone', 'region', 'all'];

/** Which program this is. */
export function registerBuildInfo(registry: Registry): void {
  new Gauge({
    name: 'marathon_ipvs_build_info',
    help: 'Always 1; the labels tell which controller this is.',
    labelNames: ['version', 'node'],
    registers: [registry],
  }).set({ version: version(), node: process.version }, 1);
}

/** How each source does. */
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
      // Sources that are not told of any more have no number.
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

  ofSource('up', '1 if the last read of the source was good.', ({ readAt, failure }) =>
    readAt !== null && failure === null ? 1 : 0,
  );
  ofSource('apps', 'Apps and pods that the source told of.', ({ apps }) => apps);
  ofSource(
    'last_read_timestamp_seconds',
    'When the source was last read well; 0 if never since the start.',
    ({ readAt }, offset) => (readAt === null ? 0 : (readAt + offset) / 1_000),
  );
  ofSource(
    'data_age_seconds',
    'Age of what is used of the source, also when it comes from our own disk; infinite while there is nothing.',
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
