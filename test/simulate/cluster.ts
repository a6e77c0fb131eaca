/** The cluster of a simulation: apps in few words, and what Marathon and Mesos say of them. */

import type { App, TaskState } from '../../controller/model/app.ts';
import { placeOf } from '../../controller/model/place.ts';
import type { Snapshot } from '../../controller/model/snapshot.ts';
import { app, port, task, taskPort } from '../support/builders.ts';

export const SOURCES = ['marathon=http://m', 'mesos=http://m'] as const;
export type SourceName = (typeof SOURCES)[number];

export interface AppSpec {
  readonly id: string;
  readonly protocol: 'tcp' | 'udp';
  readonly vip: string;
  readonly options: Readonly<Record<string, string>>;
  readonly tasks: readonly TaskSpec[];
  /** Marathon knows it by its definition, Mesos by its tasks. */
  readonly knownTo: readonly SourceName[];
}

export interface TaskSpec {
  readonly place: number;
  readonly state: TaskState;
  readonly healthy: boolean;
}

/** The zone of each agent that has one, by its address. */
export type Zones = ReadonlyMap<string, string>;

/** The host of the simulation is this agent, in this zone. */
export const HOST_ADDRESS = '10.0.0.1';
export const HOST_ZONE = 'a';
export const AGENTS = [HOST_ADDRESS, '10.0.0.2', '10.0.0.3'] as const;

/** The kernel of the simulation takes this address for no destination. */
export const REFUSED_ADDRESS = '10.0.0.9';
/** A task there has that address. */
export const REFUSED_PLACE = 9;

export function snapshotOf(source: SourceName, specs: Iterable<AppSpec>, zones: Zones): Snapshot {
  const known = [...specs].filter(({ knownTo }) => knownTo.includes(source));
  const apps = known.map((spec) => toApp(source, spec, zones)).filter((each) => each !== null);
  return { apps, rejected: [], warnings: [] };
}

function toApp(
  source: SourceName,
  { id, protocol, vip, options, tasks, knownTo }: AppSpec,
  zones: Zones,
): App | null {
  const declared = port({ VIP_0: vip, ...options }, { protocols: [protocol] });
  // A task that Marathon has listed, and lists no more, has ended whatever Mesos says: none may come again without it.
  const kind = knownTo.includes(SOURCES[0]) ? 'listed' : 'unlisted';
  const told = tasks.map(({ place, state, healthy }) => {
    const stands = placeOf({ zone: zones.get(agentOf(place)) });
    return task(`${id.slice(1)}.${kind}.${place}`, [taskPort(declared, endpointOf(place))], {
      state,
      health: healthy ? 'healthy' : 'unhealthy',
      ...(stands && { place: stands }),
    });
  });
  if (source === SOURCES[0]) return app(id, { ports: [declared], tasks: told });
  if (told.length === 0) return null;
  return app(id, { ports: [declared], tasks: told, fromTasks: true, source });
}

/** Where a task at a place is reached. */
export function endpointOf(place: number): string {
  return `${agentOf(place)}:${31_000 + place}`;
}

function agentOf(place: number): string {
  return place === REFUSED_PLACE ? REFUSED_ADDRESS : (AGENTS[place % 3] ?? HOST_ADDRESS);
}

export function describeApp({ id, protocol, vip, options, tasks, knownTo }: AppSpec): string {
  const labels = Object.entries(options).map(([key, value]) => ` ${key}=${value}`);
  const places = tasks.map(({ place, state, healthy }) => `${place} ${state}${healthy ? '' : ' unhealthy'}`);
  const sources = knownTo.map((source) => source.split('=')[0]).join(' and ');
  return `${id} (${sources}): ${protocol} ${vip}${labels.join('')}, tasks ${places.join(', ') || 'none'}`;
}
