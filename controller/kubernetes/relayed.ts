import { z } from 'zod';
import type { Endpoint, Task } from '../model.ts';
import { type Place, placeOf } from '../place.ts';
import type { Slice } from './endpoint-slice.ts';

/** Names under which a relay writes, and readers find, what EndpointSlices have no field for. */

/** On an EndpointSlice: which list of ports of the MarathonApp its tasks have. */
export const PORTS_LABEL = 'marathon-ipvs.io/ports';
/** On an EndpointSlice: which MarathonApp it belongs to. */
export const APP_LABEL = 'marathon-ipvs.io/app';
/** On all that a relay writes: which relay. What does not bear it is never changed or removed. */
export const RELAY_LABEL = 'marathon-ipvs.io/relay';
/** On all that a relay writes: which program keeps it, by the name that Kubernetes recommends. */
export const MANAGED_BY_LABEL = 'app.kubernetes.io/managed-by';
/** Of the fields that a relay owns, as the API server notes it. */
export const RELAY_MANAGER = 'marathon-ipvs-relay';
/** On an EndpointSlice: state and health by task, in the words of `model.ts`, where its conditions say less. */
export const TASKS_ANNOTATION = 'marathon-ipvs.io/tasks';

/**
 * On an EndpointSlice: where the host that runs a task reaches it, by task and by the place of the port in its list, where
 * others use a host port.
 */
export const LOCAL_ANNOTATION = 'marathon-ipvs.io/local';

/**
 * On an EndpointSlice: where its tasks stand, `[["eu", "a", ["web.1", "web.2"]]]`. The zone of an endpoint is a label's value
 * to the API server, and `aws/eu-central-1a` would have the whole slice refused; a region has no field.
 */
export const PLACES_ANNOTATION = 'marathon-ipvs.io/places';

export type TaskStatus = Pick<Task, 'state' | 'health'>;

const statusesSchema = z.record(
  z.string(),
  z.templateLiteral([
    z.enum(['staging', 'running', 'killing', 'unreachable', 'gone']),
    '/',
    z.enum(['unchecked', 'healthy', 'unhealthy', 'unknown']),
  ]),
);

/** What the relay knew of the tasks in a slice; empty where no relay wrote it, or it cannot be read. */
export function readTaskStatuses({
  annotations,
}: Pick<Slice, 'annotations'>): ReadonlyMap<string, TaskStatus> {
  const text = annotations[TASKS_ANNOTATION];
  if (text === undefined) return new Map();
  const { data = {} } = statusesSchema.safeParse(parsedOrNull(text));
  return new Map(
    Object.entries(data).map(([task, words]) => {
      const [state, health] = words.split('/') as [TaskStatus['state'], TaskStatus['health']];
      return [task, { state, health }];
    }),
  );
}

export type Locals = Readonly<Record<string, Readonly<Record<string, readonly Endpoint[]>>>>;

const localsSchema = z.record(
  z.string(),
  z.record(
    z.string().regex(/^\d+$/),
    z.array(z.object({ address: z.string(), port: z.number().int().min(1).max(65_535) })),
  ),
);

/** Where hosts reach their own tasks of a slice; empty where no relay wrote it, or it cannot be read. */
export function readLocals({ annotations }: Pick<Slice, 'annotations'>): Locals {
  const text = annotations[LOCAL_ANNOTATION];
  return (text === undefined ? undefined : localsSchema.safeParse(parsedOrNull(text)).data) ?? {};
}

const placesSchema = z.array(z.tuple([z.string(), z.string(), z.array(z.string())]));

/** As the annotation has it; null where no task says where it stands. */
export function placesText(tasks: readonly Task[]): string | null {
  const byPlace = new Map<string, [region: string, zone: string, tasks: string[]]>();
  for (const { id, place } of tasks) {
    const { region = '', zone = '' } = place ?? {};
    if (region === '' && zone === '') continue;
    const key = JSON.stringify([region, zone]);
    const known = byPlace.get(key) ?? [region, zone, []];
    byPlace.set(key, known);
    if (!known[2].includes(id)) known[2].push(id);
  }
  const sorted = [...byPlace].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one);
  return sorted.length === 0 ? null : JSON.stringify(sorted);
}

/** Where the tasks of a slice stand; empty where no relay wrote it, or it cannot be read. */
export function readPlaces({ annotations }: Pick<Slice, 'annotations'>): ReadonlyMap<string, Place> {
  const text = annotations[PLACES_ANNOTATION];
  const places = new Map<string, Place>();
  const { data = [] } = text === undefined ? {} : placesSchema.safeParse(parsedOrNull(text));
  for (const [region, zone, tasks] of data) {
    const place = placeOf({ region, zone });
    if (place !== undefined) for (const task of tasks) places.set(task, place);
  }
  return places;
}

function parsedOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
