import { same } from '../compare.ts';
import type { App } from '../model/app.ts';

/**
 * Folds all definitions with the same framework and id into one app, whichever sources or documents they are from. It has
 * the ports, tasks, rejections and warnings of each, without duplicates. Where definitions disagree, the first decides.
 * `apps` must not be empty; the result is the first app itself when the others add nothing.
 */
export function foldDefinitions(apps: readonly [App, ...App[]]): App {
  const [first, ...others] = apps;
  if (others.every((other) => same(other, first))) return first;
  return {
    ...first,
    ports: distinct(apps, ({ ports }) => ports, 'at'),
    tasks: distinct(apps, ({ tasks }) => tasks, 'id'),
    rejected: distinct(apps, ({ rejected }) => rejected, 'at'),
    warnings: [...new Set(apps.flatMap(({ warnings }) => warnings))],
  };
}

/** The items of all apps without duplicates; equal items have equal keys. */
function distinct<Key extends string, Item extends Readonly<Record<Key, string>>>(
  apps: readonly App[],
  of: (app: App) => readonly Item[],
  key: Key,
): readonly Item[] {
  const found = new Map<string, Item[]>();
  const items: Item[] = [];
  for (const item of apps.flatMap(of)) {
    const alike = found.get(item[key]) ?? [];
    if (alike.some((other) => same(other, item))) continue;
    found.set(item[key], [...alike, item]);
    items.push(item);
  }
  return items;
}
