/** A story: what happens to one host, in order. One seed gives one story. */

import {
  AGENTS,
  type AppSpec,
  describeApp,
  HOST_ZONE,
  REFUSED_PLACE,
  SOURCES,
  type SourceName,
  type TaskSpec,
} from './cluster.ts';
import { Random } from './random.ts';

export type StoryStep =
  | { readonly what: 'deploy'; readonly app: AppSpec }
  | { readonly what: 'delete' | 'unreadable'; readonly id: string }
  | {
      readonly what: 'read';
      readonly source: SourceName;
      readonly complete: boolean;
      readonly delayMs: number;
      readonly times: number;
    }
  | { readonly what: 'fail'; readonly source: SourceName }
  | { readonly what: 'wait'; readonly ms: number }
  | { readonly what: 'edit'; readonly edit: Edit; readonly pick: number; readonly weight: number }
  | { readonly what: 'foreign'; readonly address: string }
  | { readonly what: 'connect'; readonly pick: number; readonly connections: number }
  | { readonly what: 'refuse'; readonly writes: number }
  | { readonly what: 'cut dumps' | 'mend' | 'kill' | 'stop' }
  | { readonly what: 'disk'; readonly disk: DiskState }
  | { readonly what: 'host address'; readonly address: string }
  | { readonly what: 'clock'; readonly ms: number }
  | { readonly what: 'answers'; readonly place: number; readonly answers: boolean }
  | { readonly what: 'zone'; readonly agent: string; readonly zone: string | null };

export type Edit = 'weight' | 'scheduler' | 'remove backend' | 'remove service';
export type DiskState = 'well' | 'full' | 'hanging';

export const FOREIGN = ['172.16.0.1', '192.168.7.7'] as const;
const HOST_ADDRESSES = ['10.0.0.1', '192.168.7.7', '192.168.7.8'] as const;
const VIPS = ['/web:80', '/web:80', '/db:53', '192.168.7.7:80', '192.168.7.8:80', '10.0.0.2:80', 'nocolon'];

/** The story of `seed`. */
export function storyOf(seed: number): readonly StoryStep[] {
  const random = new Random(seed);
  const steps: StoryStep[] = [{ what: 'deploy', app: appOf(random) }, ...SOURCES.map(wholeRead)];
  const length = 4 + random.below(16);
  for (let i = 0; i < length; i += 1) steps.push(...turnOf(random));
  return steps;
}

function wholeRead(source: SourceName): StoryStep {
  return { what: 'read', source, complete: true, delayMs: 0, times: 1 };
}

function turnOf(random: Random): readonly StoryStep[] {
  const source = random.pick(SOURCES);
  const wait: StoryStep = { what: 'wait', ms: random.pick([1, 50, 300, 2_000, 31_000, 61_000, 301_000]) };
  const pick = random.below(20);
  switch (random.below(16)) {
    case 0:
    case 1:
    case 2:
    case 3:
      return [{ what: 'deploy', app: appOf(random) }, readOf(random), readOf(random), wait];
    case 4:
      return [{ what: 'delete', id: random.pick(IDS) }, readOf(random), wait];
    case 5:
      return [{ what: 'fail', source }, wait];
    case 6:
    case 7: {
      const edit = random.pick<Edit>(['weight', 'scheduler', 'remove backend', 'remove service']);
      return [{ what: 'edit', edit, pick, weight: random.pick([0, 1, 7]) }, wait];
    }
    case 8:
      return [{ what: 'foreign', address: random.pick(FOREIGN) }, wait];
    case 9:
      return [{ what: 'connect', pick, connections: random.below(3) }, wait];
    case 10:
      return [
        random.chance(0.5) ? { what: 'refuse', writes: 1 + random.below(4) } : { what: 'cut dumps' },
        { what: 'deploy', app: appOf(random) },
        readOf(random),
        wait,
        { what: 'mend' },
      ];
    case 11:
      return [{ what: random.chance(0.5) ? 'kill' : 'stop' }, ...SOURCES.map(wholeRead), wait];
    case 12:
      return [{ what: 'disk', disk: random.pick<DiskState>(['full', 'hanging', 'well']) }, wait];
    case 13:
      return [{ what: 'answers', place: random.pick(PLACES), answers: random.chance(0.4) }, wait];
    case 14: {
      const zone = random.pick([HOST_ZONE, 'b', null]);
      return [{ what: 'zone', agent: random.pick(AGENTS), zone }, readOf(random), readOf(random), wait];
    }
    default:
      return random.chance(0.5)
        ? [{ what: 'host address', address: random.pick(HOST_ADDRESSES) }, wait]
        : [{ what: 'clock', ms: random.pick([-3_600_000, 3_600_000, 5_000]) }, wait];
  }
}

function readOf(random: Random): StoryStep {
  const delayMs = random.pick([0, 0, 20, 900, 40_000]);
  return {
    what: 'read',
    source: random.pick(SOURCES),
    complete: random.chance(0.7),
    delayMs,
    times: random.chance(0.2) ? 2 : 1,
  };
}

const IDS = ['/a', '/b', '/c'];
const PLACES = [1, 2, 3, 4, REFUSED_PLACE];

function fewTasks(random: Random): readonly TaskSpec[] {
  return Array.from({ length: random.below(4) }, () => {
    const state = random.pick(['running', 'running', 'running', 'killing', 'unreachable', 'gone'] as const);
    return { place: random.pick(PLACES), state, healthy: random.chance(0.8) };
  });
}

/** So many that most of them are a mass. */
function manyTasks(random: Random): readonly TaskSpec[] {
  const state = random.pick(['running', 'running', 'unreachable'] as const);
  return Array.from({ length: 12 + random.below(12) }, (_, i) => ({ place: 10 + i, state, healthy: true }));
}

function appOf(random: Random): AppSpec {
  const tasks = random.chance(0.15) ? manyTasks(random) : fewTasks(random);
  const options: Record<string, string> = {};
  if (random.chance(0.3)) options['IPVS_SCHEDULER'] = random.pick(['rr', 'sh', 'mh', 'nonsense']);
  if (random.chance(0.2)) options['IPVS_SCHEDULER_FLAGS'] = random.pick(['sh-port', 'sh-fallback']);
  if (random.chance(0.2)) options['IPVS_PERSISTENCE_SECONDS'] = random.pick(['60', '0']);
  if (random.chance(0.2)) options['IPVS_PERSISTENCE_PREFIX'] = random.pick(['24', '16/64']);
  if (random.chance(0.2)) options['IPVS_MAX_CONNECTIONS'] = random.pick(['1', '100']);
  if (random.chance(0.2)) options['IPVS_WEIGHT'] = random.pick(['5', '0']);
  if (random.chance(0.2)) options['IPVS_DRAIN_SECONDS'] = random.pick(['0', '30']);
  if (random.chance(0.3)) options['IPVS_SLOW_START_SECONDS'] = random.pick(['2', '60', '0']);
  if (random.chance(0.3))
    options['IPVS_TRAFFIC_DISTRIBUTION'] = random.pick(['PreferSameZone', 'PreferSameNode', 'Cluster']);
  if (random.chance(0.1)) options['IPVS_EJECT'] = 'false';
  return {
    id: random.pick(IDS),
    protocol: random.chance(0.75) ? 'tcp' : 'udp',
    vip: random.pick(VIPS),
    options,
    tasks: tasks.filter(({ place }, i) => tasks.findIndex((other) => other.place === place) === i),
    knownTo: random.pick([SOURCES, SOURCES, [SOURCES[0]], [SOURCES[1]]]),
  };
}

export function describeStep(step: StoryStep): string {
  switch (step.what) {
    case 'deploy':
      return `deploy ${describeApp(step.app)}`;
    case 'delete':
      return `delete ${step.id}`;
    case 'unreadable':
      return `${step.id} cannot be read any more`;
    case 'read': {
      const kind = step.complete ? 'whole' : 'by one event';
      return `${step.source} is read (${kind}), told ${step.times} times after ${step.delayMs} ms`;
    }
    case 'fail':
      return `${step.source} fails`;
    case 'wait':
      return `${step.ms} ms pass`;
    case 'edit':
      return `another program: ${step.edit} (number ${step.pick}, weight ${step.weight})`;
    case 'foreign':
      return `another program adds a service of its own at ${step.address}:80`;
    case 'connect':
      return `${step.connections} connections to backend number ${step.pick}`;
    case 'refuse':
      return `the kernel refuses the next ${step.writes} writes`;
    case 'cut dumps':
      return 'dumps of the kernel fail halfway';
    case 'mend':
      return 'the kernel works again';
    case 'disk':
      return `the disk is ${step.disk}`;
    case 'kill':
      return 'the controller is killed and starts again';
    case 'stop':
      return 'the controller is stopped and starts again';
    case 'host address':
      return `the host gets or loses the address ${step.address}`;
    case 'clock':
      return `the clock is set by ${step.ms} ms`;
    case 'answers':
      return `what is at place ${step.place} ${step.answers ? 'answers again' : 'does not answer this host'}`;
    case 'zone':
      return `agent ${step.agent} is in ${step.zone === null ? 'no zone' : `zone ${step.zone}`}`;
  }
}
