import type { z } from 'zod';
import { overBound } from '../../bounds.ts';
import type { MarathonPodStatus, UnreadableTask } from '../../marathon-json.ts';
import type { App, Rejection } from '../../model.ts';
import { isRecord, issueRejection, rejectionOf } from '../../rejection.ts';
import { checked } from '../../schema-messages.ts';
import { findLabels } from './stray-labels.ts';

/** What an app and a pod have alike. */
export type CheckedItem = Pick<MarathonPodStatus, 'id' | 'foundLabels' | 'unreadableTasks'>;

/**
 * Checks the JSON of one app or pod and adds what the schema drops; `id` is its absolute one. A task in which something is
 * wrong is left out, and told in `unreadableTasks`; anything else that is wrong rejects the whole item.
 */
export function checkItem<Item extends CheckedItem>(
  schema: z.ZodType<Item>,
  json: Readonly<Record<string, unknown>>,
  kind: App['kind'],
  id: string,
): { readonly item: Item } | { readonly rejection: Rejection } {
  const bound = overBound(json);
  if (bound !== null) return { rejection: { app: id, value: '', ...bound } };
  const list = kind === 'app' ? 'tasks' : 'instances';
  let result = checked(schema, json);
  const unreadable = result.success ? NONE : unreadableIn(json, list, id, result.error);
  if (unreadable.size > 0) {
    const readable = membersOf(json, list).filter((_member, index) => !unreadable.has(index));
    result = checked(schema, { ...json, [list]: readable });
  }
  if (!result.success) return { rejection: rejectionOf(id, json, result.error) };
  const { data } = result;
  data.id = id;
  const labels = findLabels(definitionIn(json));
  if (labels !== null) data.foundLabels = labels;
  if (unreadable.size > 0) data.unreadableTasks = [...unreadable.values()];
  return { item: data };
}

const NONE: ReadonlyMap<number, UnreadableTask> = new Map();

/** The tasks in which something is wrong, by index, each with what that is first. */
function unreadableIn(
  json: Readonly<Record<string, unknown>>,
  list: string,
  app: string,
  { issues }: z.ZodError,
): ReadonlyMap<number, UnreadableTask> {
  const members = membersOf(json, list);
  const found = new Map<number, UnreadableTask>();
  for (const issue of issues) {
    const [field, index] = issue.path;
    if (field !== list || typeof index !== 'number' || found.has(index)) continue;
    const member = members[index];
    const id =
      isRecord(member) && typeof member['id'] === 'string' && member['id'] !== '' ? member['id'] : null;
    found.set(index, { id, rejection: issueRejection(app, json, issue) });
  }
  return found;
}

function membersOf(json: Readonly<Record<string, unknown>>, list: string): readonly unknown[] {
  const members = json[list];
  return Array.isArray(members) ? members : [];
}

/** The status of a pod has the definition inside, and paths are those of the definition. */
function definitionIn(json: Readonly<Record<string, unknown>>): unknown {
  return isRecord(json['spec']) ? { ...json['spec'], instances: json['instances'] } : json;
}
