/** Plays a story on a host, lets it come to rest, and says what is not as it must be. */

import type { Change } from 'ipvs-netlink-ts';
import { endpointOf, SOURCES } from './cluster.ts';
import { Host } from './host.ts';
import { HostKernel } from './kernel.ts';
import type { Crash } from './life.ts';
import { withOwnTime } from './own-time.ts';
import { describeStep, type StoryStep } from './story.ts';

export interface Played {
  /** What was broken, in words; empty where nothing was. */
  readonly violations: readonly string[];
  /** Writes to kernel and disk that the story had. */
  readonly writes: number;
  readonly simulatedMs: number;
  /** What happened, line by line, with the kernel's table after each step. */
  readonly journal: readonly string[];
}

export interface PlayOptions {
  /** The controller dies there, and is started again two seconds later. */
  readonly crash?: Crash;
  /** How long nothing may be written once all is at rest; an hour when missing. */
  readonly quietMs?: number;
  /** How long it has to come to rest, with a read of all sources before each part. */
  readonly restMs?: readonly number[];
  /** How long the work between two looks at the machine's own clock takes: the longer, the more often passes rest. */
  readonly lookMs?: number;
}

/** Longer than every delay: a refused write is tried again, a removal held, a nearer zone waited for, and a drain ended, within it. */
const REST_MS = [5_000, 75_000, 485_000, 75_000, 301_000];
const LOOK_MS = 1;
const HOUR_MS = 3_600_000;
const RESTART_MS = 2_000;

export async function play(
  seed: number,
  steps: readonly StoryStep[],
  options: PlayOptions = {},
): Promise<Played> {
  return await withOwnTime(options.lookMs ?? LOOK_MS, () => playOn(seed, steps, options));
}

async function playOn(
  seed: number,
  steps: readonly StoryStep[],
  { crash, quietMs = HOUR_MS, restMs = REST_MS }: PlayOptions,
): Promise<Played> {
  const kernel = await HostKernel.create();
  const host = new Host(kernel, seed, crash ?? null);
  const started = host.clock.monotonic();
  const journal: string[] = [];
  try {
    await host.start();
    for (const step of steps) {
      await tell(host, step);
      await revive(host);
      journal.push(describeStep(step), kernel.print());
      if (host.violations.length > 0) break;
    }
    if (host.violations.length === 0) await comeToRest(host, quietMs, restMs);
    await host.end('kill');
  } finally {
    kernel.close();
  }
  const simulatedMs = host.clock.monotonic() - started;
  return { violations: host.violations, writes: host.writes.count, simulatedMs, journal };
}

async function revive(host: Host): Promise<void> {
  if (host.alive) return;
  await host.end('kill');
  await host.clock.advance(RESTART_MS);
  await host.start();
  // Who starts reads every source anew.
  await readAll(host);
}

async function readAll(host: Host): Promise<void> {
  for (const name of SOURCES) await host.sources.get(name)?.tell(true, 0, 1);
  await host.clock.advance(0);
}

async function comeToRest(host: Host, quietMs: number, restMs: readonly number[]): Promise<void> {
  host.disk.state = 'well';
  host.kernel.refusals = 0;
  host.kernel.cutDumps = false;
  for (const ms of restMs) {
    await readAll(host);
    await host.clock.advance(ms);
    await revive(host);
  }
  // What was read last is saved within this.
  await host.clock.advance(10_000);
  await host.check();
  const [writes, table] = [host.writes.count, host.kernel.print()];
  await host.clock.advance(quietMs);
  if (host.kernel.print() !== table)
    host.violations.push(
      `the kernel changed while nothing else did:\n${table}became\n${host.kernel.print()}`,
    );
  else if (host.writes.count !== writes)
    host.violations.push(`${host.writes.count - writes} writes were made while nothing changed`);
}

async function tell(host: Host, step: StoryStep): Promise<void> {
  const { kernel, clock, disk } = host;
  switch (step.what) {
    case 'deploy':
      host.apps.set(step.app.id, step.app);
      break;
    case 'delete':
      host.apps.delete(step.id);
      break;
    case 'unreadable':
      host.unreadable.add(step.id);
      break;
    case 'read':
      void host.sources.get(step.source)?.tell(step.complete, step.delayMs, step.times);
      break;
    case 'fail':
      host.sources.get(step.source)?.fail();
      break;
    case 'wait':
      await clock.advance(step.ms);
      break;
    case 'edit':
      await host.edit(await editOf(host, step));
      break;
    case 'foreign':
      await host.addForeign(step.address);
      break;
    case 'connect':
      await connect(host, step.pick, step.connections);
      break;
    case 'refuse':
      kernel.refusals = step.writes;
      break;
    case 'cut dumps':
      kernel.cutDumps = true;
      break;
    case 'mend':
      kernel.refusals = 0;
      kernel.cutDumps = false;
      break;
    case 'disk':
      disk.state = step.disk;
      break;
    case 'kill':
    case 'stop':
      await host.end(step.what);
      await host.start();
      break;
    case 'host address':
      if (!host.addresses.delete(step.address)) host.addresses.add(step.address);
      break;
    case 'clock':
      clock.step(step.ms);
      break;
    case 'answers':
      host.answers(endpointOf(step.place), step.answers);
      break;
    case 'zone':
      if (step.zone === null) host.zones.delete(step.agent);
      else host.zones.set(step.agent, step.zone);
      break;
  }
}

async function backendsOf(host: Host) {
  const table = await host.kernel.read();
  return [...table.values()].flatMap(({ protocol, address, port, backends }) =>
    [...backends.values()].map((backend) => ({
      service: { protocol: protocol === 'udp' ? ('udp' as const) : ('tcp' as const), address, port },
      backend,
    })),
  );
}

async function connect(host: Host, pick: number, connections: number): Promise<void> {
  const all = await backendsOf(host);
  const found = all[pick % all.length];
  if (found !== undefined)
    host.kernel.connect(found.service.protocol, found.service, found.backend, connections);
}

const OTHERWISE = {
  scheduler: 'lc',
  persistence: { timeoutSeconds: 9, prefixLength: 8 },
  persistenceEngine: 'sip',
} as const;

async function editOf(
  host: Host,
  { edit, pick, weight }: Extract<StoryStep, { what: 'edit' }>,
): Promise<readonly Change[]> {
  const all = await backendsOf(host);
  const found = all[pick % all.length];
  if (found === undefined) return [];
  const { service, backend } = found;
  const { address, port } = backend;
  switch (edit) {
    case 'weight': {
      const destination = { address, port, weight, forwardingMethod: 'masquerade' } as const;
      return [{ op: 'update-destination', service, destination }];
    }
    case 'scheduler':
      return [{ op: 'update-service', service: { ...service, ...OTHERWISE } }];
    case 'remove backend':
      return [{ op: 'remove-destination', service, destination: { address, port } }];
    case 'remove service':
      return [{ op: 'remove-service', service }];
  }
}
