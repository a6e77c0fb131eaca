import { same } from '../compare.ts';
import type { App, Port } from '../model/app.ts';

/**
 * Folds all definitions with the same framework and id into one app, whichever sources or documents they are from. It has
 * the ports, tasks, rejections and warnings of each, without duplicates. Where definitions disagree, the first decides,
 * and ports name their source (`sources`, of each app). `apps` must not be empty; the result is the first app itself when the
 * others add nothing.
 */
export function foldDefinitions(apps: readonly [App, ...App[]], sources: readonly string[] = []): App {
  const [first, ...others] = apps;
  if (others.every((other) => same(other, first))) return first;
  return {
    ...first,
    ports: withSources(
      distinct(apps, ({ ports }) => ports, 'at'),
      apps,
      sources,
    ),
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

/** Names the source of each port at whose place another source declares another port. */
function withSources(
  ports: readonly Port[],
  apps: readonly App[],
  sources: readonly string[],
): readonly Port[] {
  const seen = Map.groupBy(ports, ({ at }) => at);
  return ports.map((port) => {
    const definedBy = sources[apps.findIndex((app) => app.ports.includes(port))];
    return seen.get(port.at)?.length === 1 || definedBy === undefined ? port : { ...port, definedBy };
  });
}
