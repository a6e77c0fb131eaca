import { forecast } from '../../../desired/forecast.ts';
import type { App, Task } from '../../../model/app.ts';
import { endpointKey } from '../../../model/endpoint.ts';
import { checkDefinition } from '../../../source/document/definition.ts';
import { absoluteId } from '../../../source/document/documents.ts';
import { instancesOf } from '../../../source/document/instance-counts.ts';
import { instancesText } from '../../../status/progress.ts';
import { type Column, type Layout, table } from '../../../text/table.ts';
import { visible } from '../../../text/visible.ts';
import { documentText } from '../../document-text.ts';
import { EXIT_ERROR, EXIT_OK } from '../../exit-status.ts';
import type { Session } from './deploy.ts';
import { mistakeText, vipsText } from './messages.ts';

/** Prints one app: its VIPs, then its tasks with their addresses. Resolves with the exit status: 2 if it does not exist. */
export async function show(given: string, { config, client, ports, signal }: Session): Promise<number> {
  const ref = { kind: 'app', id: absoluteId(given, '/') } as const;
  const json = await client.writer.show(ref, signal);
  if (json === null) {
    ports.printError(`app ${ref.id} does not exist; app list shows all apps`);
    return EXIT_ERROR;
  }
  if (config.output === 'json' || config.output === 'yaml') {
    ports.print(documentText(config.output, json, () => ''));
    return EXIT_OK;
  }
  const cluster = await client.read(signal);
  const app = cluster.apps.find(({ id, kind }) => id === ref.id && kind === 'app');
  const read = checkDefinition(json, 'app', { where: ref.id, framework: await client.framework(signal) });
  const instances = instancesOf('app', json);
  const lines = [
    visible(`${ref.id}${instances === null ? '' : `: ${instancesText(instances)}`}`),
    '',
    'mistakes' in read
      ? `${read.mistakes.map(mistakeText).join('\n')}\n`
      : vipsText(forecast(read.app, cluster, client.translate).vips, ports),
    ...tasksOf(app, config.output === 'wide', ports.layout()),
  ];
  ports.print(`${lines.join('\n').trimEnd()}\n`);
  return EXIT_OK;
}

/** A table of the app's tasks. */
export function tasksOf(
  app: App | undefined,
  wide: boolean,
  layout: Pick<Layout, 'width' | 'paint'>,
): readonly string[] {
  const tasks = app?.tasks ?? [];
  if (tasks.length === 0) return ['no tasks'];
  const columns = wide ? [...COLUMNS, CONTAINER] : COLUMNS;
  return table(tasks, columns, layout);
}

const COLUMNS: readonly Column<Task>[] = [
  { title: 'TASK', text: ({ id }) => id },
  { title: 'STATE', text: ({ state }) => state, priority: 3 },
  { title: 'HEALTH', text: ({ health }) => health, priority: 2 },
  { title: 'REACHED AT', text: (task) => placesOf(task, 'endpoints') },
];

const CONTAINER: Column<Task> = {
  title: 'ON ITS OWN HOST',
  text: (task) => placesOf(task, 'local'),
  priority: 1,
};

function placesOf({ ports }: Task, which: 'endpoints' | 'local'): string {
  const places = ports.flatMap((port) => (port[which] ?? []).map(endpointKey));
  return [...new Set(places)].join(' ') || '-';
}
