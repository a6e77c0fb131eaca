import { cleanName } from '../../../../desired/names.ts';
import type { MarathonAppStatus } from '../../../../kubernetes/marathon-app.ts';
import { objectKey } from '../../../../kubernetes/resources.ts';
import type { Declared } from '../../../../model/desired.ts';
import { type Column, table } from '../../../../text/table.ts';
import { documentText } from '../../../document-text.ts';
import { EXIT_OK } from '../../../exit-status.ts';
import { shortName } from '../list.ts';
import type { KnownObject } from './cluster.ts';
import { type ClusterSession, listCluster } from './session.ts';

/** A MarathonApp for scripts: as the API server has it, without `managedFields`, which kubectl omits too. */
export function documentOf({ json }: Pick<KnownObject, 'json'>): object {
  const { managedFields: _owners, ...metadata } = json['metadata'] as Record<string, unknown>;
  return { ...json, metadata };
}

interface Row {
  readonly object: KnownObject;
  readonly vips: readonly string[];
}

/** Prints the MarathonApps, each with its backends and VIPs. Resolves with the exit status. */
export async function list(session: ClusterSession): Promise<number> {
  const { config, ports, translate } = session;
  const { objects, snapshot } = await listCluster(session);
  ports.print(
    documentText(config.output, objects.map(documentOf), () => {
      if (objects.length === 0) return 'no apps\n';
      const { declared } = translate(snapshot);
      const rows = objects.map((object): Row => {
        const own = declared.filter((one) => isOf(one, object)).map(shortName);
        return { object, vips: [...new Set(own)] };
      });
      const columns = config.output === 'wide' ? [...COLUMNS, ...MORE] : COLUMNS;
      return `${table(rows.toSorted(byId), columns, ports.layout()).join('\n')}\n`;
    }),
  );
  return EXIT_OK;
}

function isOf({ app, framework }: Declared, object: KnownObject): boolean {
  return app === object.id && (framework === null || framework === cleanName(object.framework));
}

const COLUMNS: readonly Column<Row>[] = [
  { title: 'APP', text: ({ object }) => object.id ?? '-' },
  { title: 'OBJECT', text: ({ object }) => objectKey(object), priority: 3 },
  { title: 'BACKENDS', text: ({ object }) => object.status.backends ?? '-', align: 'right', priority: 6 },
  { title: 'READY', text: ({ object }) => readyText(object.status), priority: 4 },
  { title: 'VIPS', text: ({ vips }) => vips.join(' ') || '-', priority: 5 },
];

const MORE: readonly Column<Row>[] = [
  { title: 'FRAMEWORK', text: ({ object }) => object.framework, priority: 1 },
  { title: 'ENDPOINTS', text: ({ object }) => endpointsText(object.spec['endpoints']), priority: 2 },
  { title: 'RELAY', text: ({ object }) => object.relay ?? '-', priority: 1 },
  { title: 'GENERATION', text: ({ object }) => String(object.generation), align: 'right', priority: 1 },
];

/** `yes`, or the reason if it is not ready; `-` if no controller has written a status yet. */
export function readyText({ conditions = [] }: MarathonAppStatus): string {
  const find = (wanted: string) => conditions.find(({ type }) => type === wanted);
  const accepted = find('Accepted');
  // A controller before 0.2 writes no `Ready`.
  const found = find('Ready') ?? (accepted?.status === 'False' ? accepted : find('Programmed'));
  if (found === undefined) return '-';
  return found.status === 'True' ? 'yes' : found.reason;
}

function endpointsText(endpoints: unknown): string {
  const { service, selector } = (endpoints ?? {}) as {
    service?: string;
    selector?: { matchLabels?: object; matchExpressions?: unknown[] };
  };
  if (service !== undefined) return service;
  const labels = Object.entries(selector?.matchLabels ?? {}).map(([key, value]) => `${key}=${value}`);
  const others = selector?.matchExpressions?.length ?? 0;
  return [...labels, ...(others === 0 ? [] : [`${others} expressions`])].join(',') || '-';
}

function byId({ object: a }: Row, { object: b }: Row): number {
  const [x, y] = [`${a.id} ${objectKey(a)}`, `${b.id} ${objectKey(b)}`];
  return x < y ? -1 : x > y ? 1 : 0;
}
