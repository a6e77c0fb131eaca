import type { App } from '../model.ts';
import { same } from '../same.ts';

/**
 * Makes one app of all definitions of one framework and id, whichever sources or documents they are from: with the ports,
 * tasks, rejections and warnings of each, and only once what several have alike. Where they disagree, the first decides: its
 * kind, and what comes first in its ports. `apps` has at least one; it stays the same object where the others add nothing.
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

/** Items of all apps without those that an earlier one equals; equal ones agree in `key`. */
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
