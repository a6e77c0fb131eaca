import { z } from 'zod';
import type { Task } from '../model/app.ts';
import type { Endpoint } from '../model/endpoint.ts';
import { type Place, placeOf } from '../model/place.ts';
import type { Slice } from './endpoint-slice.ts';

/** Labels and annotations with which a relay adds what EndpointSlices have no field for. */

/** On an EndpointSlice: the MarathonApp's list of ports that its tasks have. */
export const PORTS_LABEL = 'marathon-ipvs.io/ports';
/** On an EndpointSlice: the MarathonApp that it belongs to. */
export const APP_LABEL = 'marathon-ipvs.io/app';
/** On every object of a relay: the relay's name. Objects without it are never changed or removed. */
export const RELAY_LABEL = 'marathon-ipvs.io/relay';
/** On every object of a relay: the program that manages it, as Kubernetes recommends. */
export const MANAGED_BY_LABEL = 'app.kubernetes.io/managed-by';
/** The field manager of a relay. */
export const RELAY_MANAGER = 'marathon-ipvs-relay';
/** On an EndpointSlice: state and health by task, with the values of `model/app.ts`, where its conditions say less. */
export const TASKS_ANNOTATION = 'marathon-ipvs.io/tasks';

/**
 * On an EndpointSlice: the endpoints by which the host that runs a task reaches it, if other hosts use a host port; by task and
 * by the port's index in its list.
 */
export const LOCAL_ANNOTATION = 'marathon-ipvs.io/local';

/**
 * On an EndpointSlice: region and zone of its tasks, `[["eu", "a", ["web.1", "web.2"]]]`. The API server validates an endpoint's
 * zone as a label value, so that `aws/eu-central-1a` would make it refuse the whole slice; there is no field for a region.
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

/** Reads the state and health of the tasks in a slice; empty if no relay wrote it, or it is malformed. */
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

/** Reads the local endpoints of the tasks in a slice; empty if no relay wrote them, or they are malformed. */
export function readLocals({ annotations }: Pick<Slice, 'annotations'>): Locals {
  const text = annotations[LOCAL_ANNOTATION];
  return (text === undefined ? undefined : localsSchema.safeParse(parsedOrNull(text)).data) ?? {};
}

const placesSchema = z.array(z.tuple([z.string(), z.string(), z.array(z.string())]));

/** Formats the annotation of regions and zones; null if they are unknown for all tasks. */
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

/** Reads region and zone of the tasks in a slice; empty if no relay wrote them, or they are malformed. */
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
