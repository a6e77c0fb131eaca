import { createParser, type EventSourceMessage } from 'eventsource-parser';
import { asError } from '../../errors.ts';
import { BOUNDS, OverBound, tooManyValues } from '../../input/bounds.ts';
import { deploymentStepSchema, eventSchema } from '../../input/marathon-json.ts';
import { isRecord, shown } from '../../input/rejection.ts';
import { required } from '../../input/schema-messages.ts';
import { hasMoreValues } from '../../input/value-count.ts';
import type { TaskState } from '../../model/app.ts';
import { atOnce } from '../../pace.ts';
import type { Clock } from '../../ports.ts';
import { stateOf } from '../document/states.ts';
import { type EventStream, ProtocolError, readStream } from '../stream.ts';
import type { MarathonClient } from './client.ts';
import { isReadableId } from './paths.ts';

/** What may have changed: ids of apps or pods, or everything. What it changed to is read from Marathon. */
export type Affected = 'everything' | readonly string[];

/** What an event names as ended: a task of an app or pod, or the whole app or pod (`task` is null). */
export interface NamedEnd {
  readonly id: string;
  readonly task: string | null;
  /** Whether it has ended; false for a task that is being killed. */
  readonly isOver: boolean;
}

type Event = ReturnType<typeof eventSchema.parse>;

const NO_APP: Affected = [];

/**
 * The events that can change a VIP's backends, and how each names its app or pod.
 *
 * Two are left out on purpose. `group_change_success` names a group, so every host would read all apps on every change;
 * the deployment's own events name the apps. `failed_health_check_event` reports each failed probe;
 * `health_status_changed_event` reports when the health changes.
 */
const AFFECTED_BY: ReadonlyMap<string, (event: Event) => Affected> = new Map<
  string,
  (event: Event) => Affected
>([
  ['status_update_event', byAppId],
  ['instance_changed_event', byRunSpecId],
  ['instance_health_changed_event', byRunSpecId],
  ['unknown_instance_terminated_event', byRunSpecId],
  ['health_status_changed_event', byAppId],
  ['add_health_check_event', byAppId],
  ['remove_health_check_event', byAppId],
  ['app_terminated_event', byAppId],
  ['api_post_event', ({ appDefinition }) => named(appDefinition?.id)],
  ['pod_created_event', byPodUri],
  ['pod_updated_event', byPodUri],
  ['pod_deleted_event', byPodUri],
  ['deployment_info', ({ currentStep }) => affectedBySteps([currentStep])],
  ['deployment_step_success', ({ currentStep }) => affectedBySteps([currentStep])],
  ['deployment_step_failure', ({ currentStep }) => affectedBySteps([currentStep])],
  ['deployment_success', ({ plan }) => (plan?.steps ? affectedBySteps(plan.steps) : 'everything')],
  ['deployment_failed', ({ plan }) => (plan?.steps ? affectedBySteps(plan.steps) : 'everything')],
]);

/** `event_stream_attached` is the first event of a connection: it shows at once that the stream works. */
const EVENT_TYPES = ['event_stream_attached', ...AFFECTED_BY.keys()];

/** Without `plan-format`, Marathon 1.6 sends whole group trees with every deployment event. */
const EVENTS_PATH = `/v2/events?plan-format=light&${EVENT_TYPES.map((type) => `event_type=${type}`).join('&')}`;

/** What an event says. */
export interface News {
  readonly affected: Affected;
  readonly ended: NamedEnd | null;
  /** Why the event cannot be read; absent when it can. */
  readonly problem?: EventProblem;
}

export interface EventProblem {
  /** The event's type. */
  readonly type: string;
  readonly error: Error;
}

const NO_NEWS: News = { affected: NO_APP, ended: null };

/**
 * Reads an event. Never throws: one of a known type that cannot be read may affect any app, and names nothing as ended.
 *
 * The type is also in the data, as `eventType`, because some proxies drop the line `event:`.
 */
export function readEvent({ event, data }: Pick<EventSourceMessage, 'event' | 'data'>): News {
  const name = event?.trim() ?? '';
  // `message` is the default name of an event without one; some proxies add it.
  const unnamed = name === '' || name === 'message';
  if (data.length > BOUNDS.values && atOnce(hasMoreValues(Buffer.from(data)))) {
    const error = new OverBound(tooManyValues());
    const mayMatter = unnamed || AFFECTED_BY.has(name);
    return mayMatter ? { affected: 'everything', ended: null, problem: { type: name, error } } : NO_NEWS;
  }
  const type = unnamed ? eventTypeIn(data) : name;
  const rule = AFFECTED_BY.get(type);
  if (rule === undefined) return NO_NEWS;
  try {
    // The replacement character: an id with it is another id.
    if (data.includes('\uFFFD')) throw new Error('not UTF-8');
    const content = required(eventSchema, JSON.parse(data), 'an event of Marathon');
    const affected = rule(content);
    return { affected, ended: endedBy(type, content, affected) };
  } catch (error) {
    return { affected: 'everything', ended: null, problem: { type, error: asError(error) } };
  }
}

/**
 * Marathon sends `status_update_event` for each task of an app or pod, `app_terminated_event` when an app was stopped
 * for good, and `pod_deleted_event`.
 */
function endedBy(type: string, { taskId, taskStatus }: Event, affected: Affected): NamedEnd | null {
  const [id] = affected === 'everything' ? [] : affected;
  if (id === undefined) return null;
  if (type === 'app_terminated_event' || type === 'pod_deleted_event')
    return { id, task: null, isOver: true };
  if (type !== 'status_update_event' || !taskId || !taskStatus) return null;
  const state = stateOf(taskStatus);
  return ENDS.includes(state) ? { id, task: taskId, isOver: state === 'gone' } : null;
}

const ENDS: readonly TaskState[] = ['killing', 'gone'];

/** Empty when the data names no type. */
function eventTypeIn(data: string): string {
  try {
    const json: unknown = JSON.parse(data);
    return isRecord(json) && typeof json['eventType'] === 'string' ? json['eventType'] : '';
  } catch {
    return '';
  }
}

export interface EventStreamOptions {
  readonly client: MarathonClient;
  readonly clock: Clock;
  /**
   * A connection that is silent for this long counts as dead; Marathon sends a blank line about every 10 s. Defaults to
   * 60 s.
   */
  readonly silenceMs?: number | undefined;
  /** Limit for one event, in characters. Defaults to 16 Mi. */
  readonly maxEventLength?: number | undefined;
  /** Called once per connection when it proves to work: with its first byte, or after a second. */
  readonly attached: () => void;
  readonly changed: (affected: Affected) => void;
  /** Called before `changed` for the same event. */
  readonly ended: (end: NamedEnd) => void;
  /** Called with the first event of each type, in one connection, that cannot be read. */
  readonly unreadable: (problem: EventProblem) => void;
}

/**
 * Follows one connection to Marathon's event stream. Never resolves: rejects with a `ControllerError` when the
 * connection fails, ends or falls silent, or with the reason of `signal`.
 */
export async function followEvents(options: EventStreamOptions, signal: AbortSignal): Promise<never> {
  const { client, clock, silenceMs = 60_000 } = options;
  let attached = false;
  const attach = (limited: AbortSignal) => {
    if (!attached && !limited.aborted) options.attached();
    attached = true;
  };
  const unreadable = new Set<string>();
  const parser = createParser({
    maxBufferSize: options.maxEventLength ?? 16 * 1024 * 1024,
    onEvent: (event) => {
      const { affected, ended, problem } = readEvent(event);
      if (problem !== undefined && !unreadable.has(problem.type)) options.unreadable(problem);
      if (problem !== undefined) unreadable.add(problem.type);
      if (ended !== null) options.ended(ended);
      if (affected === 'everything' || affected.length > 0) options.changed(affected);
    },
    onError: ({ type }) => {
      if (type === 'max-buffer-size-exceeded') throw new ProtocolError('an event is larger than the limit');
    },
  });
  // A chunk may end within a character.
  const decoder = new TextDecoder();
  const stream: EventStream = {
    clock,
    request: `GET ${client.name}/v2/events`,
    silenceMs: () => silenceMs,
    async open(limited) {
      const bytes = await client.stream(EVENTS_PATH, limited);
      void clock.sleep(1_000, limited).then(() => attach(limited));
      return bytes;
    },
    take(chunk, limited) {
      attach(limited);
      parser.feed(decoder.decode(chunk, { stream: true }));
    },
  };
  return readStream(stream, signal);
}

function named(id: string | null | undefined): Affected {
  return id ? [readable(id)] : 'everything';
}

/** Throws for an id that has no path of its own: reading it would fail, or show something else. */
function readable(id: string): string {
  if (isReadableId(id)) return id;
  throw new Error(`${shown(id)} is not the id of a single app or pod`);
}

function byAppId({ appId }: Event): Affected {
  return named(appId);
}

function byRunSpecId({ runSpecId }: Event): Affected {
  return named(runSpecId);
}

/** The URI `/v2/pods/group/pod?force=true` names the pod. That of a new pod does not; its deployment does. */
function byPodUri({ uri }: Event): Affected {
  const id = /^\/?v2\/pods\/+([^?#]+)/.exec(uri ?? '')?.[1];
  return id ? named(`/${decodeURIComponent(id).replace(/\/+$/, '')}`) : 'everything';
}

function affectedBySteps(steps: readonly unknown[]): Affected {
  const ids = new Set<string>();
  for (const step of steps) {
    const parsed = deploymentStepSchema.parse(step);
    const actions = Array.isArray(parsed) ? parsed : (parsed.actions ?? []);
    for (const { app, pod } of actions) if (app || pod) ids.add(readable(app || pod || ''));
  }
  return ids.size > BOUNDS.waitingApps ? 'everything' : [...ids];
}
