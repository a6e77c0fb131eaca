import { z } from 'zod';
import { isRecord } from '../../rejection.ts';
import type { TaskFacts } from './facts.ts';
import { noState, readTask, taskKey, type Unreadable, unreadableTask } from './read-task.ts';
import { type Problem, readable } from './readable.ts';
import type { RefusedPart } from './refused-table.ts';
import {
  agentSchema,
  frameworkInfoSchema,
  frameworkSchema,
  type MesosAgent,
  type MesosStatus,
  statusSchema,
} from './schema.ts';

export interface TaskUpdate {
  readonly type: 'task-updated';
  /** Without a framework where that could not be read. */
  readonly key: string;
  /** null where it could not be read. */
  readonly state: string | null;
  readonly status: MesosStatus | undefined;
  /** What in it is wrong, and was left out. */
  readonly problems?: readonly Problem[];
}

/** A change in the event stream of a master. */
export type MesosEvent =
  | { readonly type: 'task-added'; readonly task: TaskFacts }
  | TaskUpdate
  /** What is not read of it stays as it was; `part`: whether this is the task itself or what changed in it. */
  | ({ readonly type: 'unreadable'; readonly part: RefusedPart } & Unreadable)
  | { readonly type: 'framework-known'; readonly id: string; readonly name: string }
  | { readonly type: 'framework-removed'; readonly id: string }
  | { readonly type: 'agent-added'; readonly agent: MesosAgent }
  | { readonly type: 'agent-removed'; readonly id: string };

const taskUpdated = z.object({
  framework_id: z.object({ value: z.string().min(1) }).nullish(),
  state: z.string().nullish(),
  status: statusSchema.extend({ task_id: z.object({ value: z.string().min(1) }) }),
});

/** What an event of this type holds, and how it is read; heartbeats and unknown types have nothing to read. */
const READERS: Readonly<Record<string, (content: unknown) => MesosEvent | null>> = {
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
  FRAMEWORK_ADDED: (content) => frameworkKnown('framework_added', content),
  FRAMEWORK_UPDATED: (content) => frameworkKnown('framework_updated', content),
  FRAMEWORK_REMOVED(content) {
    const { data, problems } = readable(z.object({ framework_info: frameworkInfoSchema }), content);
    if (data === null) return unreadable('framework_removed', problems);
    return { type: 'framework-removed', id: data.framework_info.id };
  },
  AGENT_ADDED(content) {
    const { data, problems } = readable(z.object({ agent: agentSchema }), content);
    if (data === null) return unreadable('agent_added', problems);
    return { type: 'agent-added', agent: data.agent.agent_info };
  },
  AGENT_REMOVED(content) {
    const { data, problems } = readable(z.object({ agent_id: z.object({ value: z.string() }) }), content);
    if (data === null) return unreadable('agent_removed', problems);
    return { type: 'agent-removed', id: data.agent_id.value };
  },
};

/** Reads one event of a stream, whose content is in the field that has its type's name; null when it changes nothing. */
export function readEvent(json: unknown): MesosEvent | null {
  if (!isRecord(json) || typeof json['type'] !== 'string') return null;
  const { type } = json;
  return Object.hasOwn(READERS, type) ? (READERS[type]?.(json[type.toLowerCase()]) ?? null) : null;
}

function frameworkKnown(field: string, content: unknown): MesosEvent {
  const { data, problems } = readable(z.object({ framework: frameworkSchema }), content);
  if (data === null) return unreadable(field, problems);
  return { type: 'framework-known', ...data.framework.framework_info };
}

/** Told until the next whole state. */
function unreadable(field: string, [problem]: readonly Problem[]): MesosEvent {
  const { at = '', value = '', reason = 'cannot be read' } = problem ?? {};
  const rejection = { app: '', at: at === '' ? field : `${field}.${at}`, value, reason };
  return { type: 'unreadable', part: 'task', key: field, state: null, rejection };
}
