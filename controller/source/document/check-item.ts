import type { z } from 'zod';
import { overBound } from '../../bounds.ts';
import type { MarathonPodStatus } from '../../marathon-json.ts';
import type { App, Rejection } from '../../model.ts';
import { isRecord, rejectionOf } from '../../rejection.ts';
import { checked } from '../../schema-messages.ts';
import { PartialRead } from './partial-read.ts';
import { findLabels } from './stray-labels.ts';

/** What an app and a pod have alike. */
export type CheckedItem = Pick<MarathonPodStatus, 'id' | 'foundLabels' | 'unread'>;

/** An app or pod as far as it could be read. */
export type Checked<Item> =
  | { readonly item: Item }
  /** Not what it declares; `running`: it without that, where its tasks are told. */
  | { readonly rejection: Rejection; readonly running?: Item };

/** Checks of the whole come after those of its parts, and checks of labels in between. */
const MOST_ROUNDS = 5;

/**
 * Checks the JSON of one app or pod and adds what the schema drops; `id` is its absolute one. A wrong value costs what depends
 * on it, and is told in `unread`.
 */
export function checkItem<Item extends CheckedItem>(
  schema: z.ZodType<Item>,
  json: Readonly<Record<string, unknown>>,
  kind: App['kind'],
  id: string,
): Checked<Item> {
  const bound = overBound(json);
  if (bound !== null) return { rejection: { app: id, value: '', ...bound } };
  let result = checked(schema, json);
  const partial = result.success ? null : new PartialRead(json, kind, id);
  for (let round = 0; partial !== null && !result.success && round < MOST_ROUNDS; round += 1) {
    partial.take(result.error.issues);
    result = checked(schema, partial.json);
  }
  if (!result.success) return { rejection: partial?.definition ?? rejectionOf(id, json, result.error) };
  const item = result.data;
  item.id = id;
  if (partial !== null) {
    partial.restoreLabels(item);
    item.unread = partial.unread;
  }
  const rejection = partial?.definition ?? null;
  if (rejection !== null)
    return { rejection, ...((kind === 'app' ? 'tasks' : 'instances') in json && { running: item }) };
  const labels = findLabels(definitionIn(json));
  if (labels !== null) item.foundLabels = labels;
  return { item };
}

/** The status of a pod has the definition inside, and paths are those of the definition. */
function definitionIn(json: Readonly<Record<string, unknown>>): unknown {
  return isRecord(json['spec']) ? { ...json['spec'], instances: json['instances'] } : json;
}
