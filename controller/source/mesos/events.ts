import { z } from 'zod';
import { isRecord } from '../../input/rejection.ts';
import type { TaskFacts } from './facts.ts';
import { noState, readTask, taskKey, type Unreadable, unreadableTask } from './read-task.ts';
import { type Problem, readable } from './readable.ts';
import {
  agentSchema,
  frameworkInfoSchema,
  frameworkSchema,
  hostIn,
  type MesosAgent,
  type MesosStatus,
  statusSchema,
} from './schema.ts';
import type { UnreadablePart } from './unreadable-table.ts';

/** A TASK_UPDATED event. */
export interface TaskUpdate {
  readonly type: 'task-updated';
  /** Without a framework id if that could not be read. */
  readonly key: string;
  /** null if it could not be read. */
  readonly state: string | null;
  readonly status: MesosStatus | undefined;
  /** The mistakes in it, which were left out. */
  readonly problems?: readonly Problem[];
}

/** Fields that could not be read stay as they were. */
export interface UnreadableEvent extends Unreadable {
  readonly type: 'unreadable';
  /** Whether this is the task itself or what changed in it. */
  readonly part: UnreadablePart;
  /** The host of an agent without an id. */
  readonly host?: string;
}

/** A change in the event stream of a master. */
export type MesosEvent =
  | { readonly type: 'task-added'; readonly task: TaskFacts }
  | TaskUpdate
  | UnreadableEvent
  | { readonly type: 'framework-known'; readonly id: string; readonly name: string }
  | { readonly type: 'framework-removed'; readonly id: string }
  | { readonly type: 'agent-added'; readonly agent: MesosAgent }
  | { readonly type: 'agent-removed'; readonly id: string };

const taskUpdated = z.object({
  framework_id: z.object({ value: z.string().min(1) }).nullish(),
  state: z.string().nullish(),
  status: statusSchema.extend({ task_id: z.object({ value: z.string().min(1) }) }),
});

/** Reads the content of an event, which is in this field. */
type Reader = (content: unknown, field: string) => MesosEvent;

const frameworkKnown = reader(z.object({ framework: frameworkSchema }), ({ framework }) => ({
  type: 'framework-known',
  ...framework.framework_info,
}));

const agentAdded = reader(z.object({ agent: agentSchema }), ({ agent }) => ({
  type: 'agent-added',
  agent: agent.agent_info,
}));

/** How events of each type are read; heartbeats and unknown types have nothing to read. */
const READERS: Readonly<Record<string, Reader>> = {
  TASK_ADDED(content) {
    const json = isRecord(content) ? content['task'] : undefined;
    const read = readTask(json);
    return 'task' in read ? { type: 'task-added', ...read } : { type: 'unreadable', part: 'task', ...read };
  },
  TASK_UPDATED(content) {
    const { data, problems } = readable(taskUpdated, content);
    if (data === null) return { type: 'unreadable', part: 'update', ...unreadableTask(content, problems[0]) };
    const { status } = data;
    const key = taskKey(data.framework_id?.value ?? '', status.task_id.value);
    const state = data.state || status.state || null;
    const all = state === null && problems.length === 0 ? [noState(data.state)] : problems;
    return { type: 'task-updated', key, state, status, ...(all.length > 0 && { problems: all }) };
  },
  FRAMEWORK_ADDED: frameworkKnown,
  FRAMEWORK_UPDATED: frameworkKnown,
  FRAMEWORK_REMOVED: reader(z.object({ framework_info: frameworkInfoSchema }), ({ framework_info }) => ({
    type: 'framework-removed',
    id: framework_info.id,
  })),
  AGENT_ADDED(content, field) {
    const event = agentAdded(content, field);
    const agent = isRecord(content) ? content['agent'] : undefined;
    const host = event.type === 'unreadable' && isRecord(agent) ? hostIn(agent['agent_info']) : null;
    return host === null ? event : { ...event, host };
  },
  AGENT_REMOVED: reader(z.object({ agent_id: z.object({ value: z.string() }) }), ({ agent_id }) => ({
    type: 'agent-removed',
    id: agent_id.value,
  })),
};

/** Reads one event of a stream, whose content is in the field that has its type's name; null when it changes nothing. */
export function readEvent(json: unknown): MesosEvent | null {
  if (!isRecord(json) || typeof json['type'] !== 'string') return null;
  const { type } = json;
  const field = type.toLowerCase();
  return Object.hasOwn(READERS, type) ? (READERS[type]?.(json[field], field) ?? null) : null;
}

/** A reader with this schema. A mistake is reported until the next complete state. */
function reader<Schema extends z.ZodType>(
  schema: Schema,
  eventOf: (content: z.output<Schema>) => MesosEvent,
): Reader {
  return (json, field) => {
    const { data, problems } = readable(schema, json);
    if (data !== null) return eventOf(data);
    const { at = '', value = '', reason = 'cannot be read' } = problems[0] ?? {};
    const rejection = { app: '', at: at === '' ? field : `${field}.${at}`, value, reason };
    return { type: 'unreadable', part: 'task', key: field, state: null, rejection };
  };
}
