import { z } from 'zod';
import type { Rejection } from '../../model.ts';
import type { Place } from '../../place.ts';
import { isRecord } from '../../rejection.ts';
import { checked } from '../../schema-messages.ts';
import type { TaskFacts } from './facts.ts';
import {
  agentSchema,
  frameworkInfoSchema,
  frameworkSchema,
  type MesosStatus,
  placeIn,
  statusSchema,
} from './schema.ts';
import { readTask, taskKey, unreadableTask } from './state.ts';

/** A change in the event stream of a master. */
export type MesosEvent =
  | { readonly type: 'task-added'; readonly task: TaskFacts }
  | {
      readonly type: 'task-updated';
      readonly key: string;
      readonly state: string;
      readonly status: MesosStatus | undefined;
    }
  /** Something about this task could not be read: it stays what it was. */
  | {
      readonly type: 'task-unreadable';
      readonly key: string;
      /** Whether that was the task itself or what changed in it. */
      readonly part: 'task' | 'update';
      readonly rejection: Rejection;
    }
  | { readonly type: 'framework-known'; readonly id: string; readonly name: string }
  | { readonly type: 'framework-removed'; readonly id: string }
  | {
      readonly type: 'agent-added';
      readonly id: string;
      readonly host: string;
      readonly place: Place | undefined;
    }
  | { readonly type: 'agent-removed'; readonly id: string };

const taskUpdated = z.object({
  framework_id: z.object({ value: z.string().min(1) }),
  state: z.string(),
  status: statusSchema.extend({ task_id: z.object({ value: z.string().min(1) }) }),
});

/** What an event of this type holds, and how it is read; heartbeats and unknown types have nothing to read. */
const READERS: Readonly<Record<string, (content: unknown) => MesosEvent | null>> = {
  TASK_ADDED(content) {
    const json = isRecord(content) ? content['task'] : undefined;
    const read = readTask(json);
    return 'task' in read
      ? { type: 'task-added', ...read }
      : { type: 'task-unreadable', part: 'task', ...read };
  },
  TASK_UPDATED(content) {
    const { data, error } = checked(taskUpdated, content);
    if (data) {
      const key = taskKey(data.framework_id.value, data.status.task_id.value);
      return { type: 'task-updated', key, state: data.state, status: data.status };
    }
    const status = isRecord(content) && isRecord(content['status']) ? content['status'] : {};
    const named = { ...(isRecord(content) ? content : {}), task_id: status['task_id'] };
    return { type: 'task-unreadable', part: 'update', ...unreadableTask(named, error) };
  },
  FRAMEWORK_ADDED: frameworkKnown,
  FRAMEWORK_UPDATED: frameworkKnown,
  FRAMEWORK_REMOVED(content) {
    const { data } = z.object({ framework_info: frameworkInfoSchema }).safeParse(content);
    return data ? { type: 'framework-removed', id: data.framework_info.id.value } : null;
  },
  AGENT_ADDED(content) {
    const { data } = z.object({ agent: agentSchema }).safeParse(content);
    if (!data) return null;
    const { id, hostname } = data.agent.agent_info;
    return { type: 'agent-added', id: id.value, host: hostname, place: placeIn(data.agent.agent_info) };
  },
  AGENT_REMOVED(content) {
    const { data } = z.object({ agent_id: z.object({ value: z.string() }) }).safeParse(content);
    return data ? { type: 'agent-removed', id: data.agent_id.value } : null;
  },
};

/** Reads one event of a stream, whose content is in the field that has its type's name; null when it changes nothing. */
export function readEvent(json: unknown): MesosEvent | null {
  if (!isRecord(json) || typeof json['type'] !== 'string') return null;
  const { type } = json;
  return Object.hasOwn(READERS, type) ? (READERS[type]?.(json[type.toLowerCase()]) ?? null) : null;
}

function frameworkKnown(content: unknown): MesosEvent | null {
  const { data } = z.object({ framework: frameworkSchema }).safeParse(content);
  if (!data) return null;
  const { id, name } = data.framework.framework_info;
  return { type: 'framework-known', id: id.value, name };
}
