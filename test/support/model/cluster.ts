/** The small cluster of the stories: what its labels mean, by hand, and its apps, in few words and as a source gives them. */

import type { App, Health, Port, Task, TaskState } from '../../../controller/model/app.ts';
import type { Protocol } from '../../../controller/model/endpoint.ts';
import type { Snapshot } from '../../../controller/model/snapshot.ts';
import { app, port, snapshot, task, taskPort } from '../builders.ts';

/** What a label asks for; `name` is in cleaned form. */
export type Meaning =
  | { readonly name: string; readonly port: number }
  | { readonly address: string; readonly port: number };

/** Every label text of the stories with its meaning; null where it has none (`reference/vips.md`, section 2.2). */
export const MEANINGS: Readonly<Record<string, Meaning | null>> = {
  '/web:80': { name: 'web', port: 80 },
  'WEB:80': { name: 'web', port: 80 },
  '/web:81': { name: 'web', port: 81 },
  '/api.v1:80': { name: 'api.v1', port: 80 },
  '/my_db:53': { name: 'my-db', port: 53 },
  '192.168.7.7:80': { address: '192.168.7.7', port: 80 },
  '192.168.7.7:81': { address: '192.168.7.7', port: 81 },
  'fd00:7::7:80': { address: 'fd00:7::7', port: 80 },
  // Of an agent that has tasks or not, and of the pool, where a name may have it already.
  '10.0.0.2:80': { address: '10.0.0.2', port: 80 },
  '11.0.0.3:80': { address: '11.0.0.3', port: 80 },
  nocolon: null,
  '/web:0': null,
  '127.0.0.1:80': null,
};

/** Small, so that names collide. */
export const POOLS = { ipv4: '11.0.0.0/29', ipv6: 'fd01:c::/125' } as const;

export function inPools(address: string): boolean {
  return /^11\.0\.0\.[0-6]$/.test(address) || /^fd01:c::[0-7]?$/.test(address);
}

export const SOURCES = ['marathon', 'metronome'] as const;
export type SourceName = (typeof SOURCES)[number];

/** `host`: tasks are reached at their agent's IPv4 address; `container`: at their own, of both families; `six`: IPv6 only. */
export type Mode = 'host' | 'container' | 'six';

export interface TaskSpec {
  /** Where it runs; two tasks at one place have one address and port. */
  readonly place: number;
  readonly state: TaskState;
  readonly health: Health;
}

export interface AppSpec {
  readonly id: string;
  /** The source that knows it; also its framework. */
  readonly source: SourceName;
  readonly mode: Mode;
  readonly protocols: readonly Protocol[];
  /** Texts of VIP_0, VIP_1, … */
  readonly vips: readonly string[];
  /** `IPVS_SCHEDULER: rr` and its like. */
  readonly options: Readonly<Record<string, string>>;
  readonly tasks: readonly TaskSpec[];
}

/** What tells an app from every other. */
export function appKey({ source, id }: Pick<AppSpec, 'source' | 'id'>): string {
  return `${id} ${source}`;
}

/** Where a task is reached, `10.0.0.1:31001` or `[fd01:b::1]:80`. */
export function placesOf({ mode }: Pick<AppSpec, 'mode'>, place: number): readonly string[] {
  const six = `[fd01:b::${place}]:80`;
  if (mode === 'host') return [`10.0.0.${1 + (place % 2)}:3100${place}`];
  return mode === 'six' ? [six] : [`10.1.0.${place}:80`, six];
}

const made = new WeakMap<AppSpec, App>();

/** The app as a source gives it: the same object for the same words, as sources promise. */
export function toApp(spec: AppSpec): App {
  let found = made.get(spec);
  if (found === undefined) {
    found = makeApp(spec);
    made.set(spec, found);
  }
  return found;
}

export function toSnapshot(specs: readonly AppSpec[]): Snapshot {
  return snapshot(...specs.map(toApp));
}

function makeApp(spec: AppSpec): App {
  const labels = { ...spec.options, ...Object.fromEntries(spec.vips.map((text, i) => [`VIP_${i}`, text])) };
  const container: Partial<Port> = { mode: 'container', backendAddress: 'container' };
  const declared = port(labels, { protocols: spec.protocols, ...(spec.mode !== 'host' && container) });
  const tasks = spec.tasks.map(
    ({ place, state, health }, i): Task =>
      task(`${spec.id.slice(1)}.${i}`, [taskPort(declared, ...placesOf(spec, place))], { state, health }),
  );
  return app(spec.id, { framework: spec.source, ports: [declared], tasks });
}

/** `/a of marathon: tcp /web:80, host, 1 running healthy`. */
export function describeApp({ id, source, protocols, vips, mode, options, tasks }: AppSpec): string {
  const labels = [...vips, ...Object.entries(options).map(([key, value]) => `${key}=${value}`)];
  return `${id} of ${source}: ${protocols.join('+')} ${labels.join(' ')}, ${mode}, ${describeTasks(tasks)}`;
}

/** `1 running healthy, 2 killing unchecked`. */
export function describeTasks(tasks: readonly TaskSpec[]): string {
  return tasks.map(({ place, state, health }) => `${place} ${state} ${health}`).join(', ') || 'no task';
}
