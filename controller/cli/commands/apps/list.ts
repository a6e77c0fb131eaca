import { z } from 'zod';
import type { Declared, Desired } from '../../../model/desired.ts';
import { endpointKey } from '../../../model/endpoint.ts';
import { instancesOf } from '../../../source/document/instance-counts.ts';
import { type Column, table } from '../../../text/table.ts';
import { documentText } from '../../document-text.ts';
import { EXIT_OK } from '../../exit-status.ts';
import type { Session } from './deploy.ts';

const listed = z.object({
  id: z.string(),
  cpus: z.number().nullish(),
  mem: z.number().nullish(),
  cmd: z.string().nullish(),
  version: z.string().nullish(),
  container: z
    .object({ type: z.string().nullish(), docker: z.object({ image: z.string().nullish() }).nullish() })
    .nullish(),
  deployments: z.array(z.object({ id: z.string() })).nullish(),
});

interface Row extends z.infer<typeof listed> {
  readonly running: string;
  readonly vips: readonly string[];
}

/** Prints the apps of Marathon, each with its ready instances and its VIPs. Resolves with the exit status. */
export async function list({ config, client, ports, signal }: Session): Promise<number> {
  const json = await client.writer.listApps(signal);
  const documentOnly = config.output === 'json' || config.output === 'yaml';
  const desired = documentOnly ? null : await translated(client, signal);
  ports.print(
    documentText(config.output, json, () => {
      const rows = json.map((app) => rowOf(app, desired)).filter((row) => row !== null);
      if (rows.length === 0) return 'no apps\n';
      const columns = config.output === 'wide' ? [...COLUMNS, ...MORE] : COLUMNS;
      return `${table(rows.toSorted(byId), columns, ports.layout()).join('\n')}\n`;
    }),
  );
  return EXIT_OK;
}

const COLUMNS: readonly Column<Row>[] = [
  { title: 'APP', text: ({ id }) => id },
  { title: 'INSTANCES', text: ({ running }) => running, align: 'right', priority: 6 },
  { title: 'DEPLOYMENT', text: ({ deployments }) => deployments?.[0]?.id ?? '-', priority: 3 },
  { title: 'VIPS', text: ({ vips }) => vips.join(' ') || '-', priority: 5 },
];

const MORE: readonly Column<Row>[] = [
  { title: 'CPUS', text: ({ cpus }) => String(cpus ?? '-'), align: 'right', priority: 1 },
  { title: 'MEM', text: ({ mem }) => String(mem ?? '-'), align: 'right', priority: 1 },
  { title: 'VERSION', text: ({ version }) => version ?? '-', priority: 2 },
  { title: 'RUNS', text: ({ container, cmd }) => container?.docker?.image ?? cmd ?? '-', priority: 1 },
];

function rowOf(json: unknown, desired: Desired | null): Row | null {
  const { data } = listed.safeParse(json);
  if (data === undefined) return null;
  const { ready = 0, wanted = 0 } = instancesOf('app', json) ?? {};
  const declared = (desired?.declared ?? []).filter(({ app }) => app === data.id);
  return { ...data, running: `${ready}/${wanted}`, vips: [...new Set(declared.map(shortName))] };
}

/** `web.marathon:80`, without the zone, which all VIPs share. */
export function shortName({ name, framework, address, port }: Declared): string {
  return name === null ? endpointKey({ address: address ?? '', port }) : `${name}.${framework}:${port}`;
}

async function translated({ read, translate }: Session['client'], signal: AbortSignal): Promise<Desired> {
  return translate(await read(signal));
}

function byId(a: Row, b: Row): number {
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
}
