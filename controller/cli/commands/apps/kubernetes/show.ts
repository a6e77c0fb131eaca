import { forecast } from '../../../../desired/forecast.ts';
import type { Translate } from '../../../../desired/translate.ts';
import type { Snapshot } from '../../../../model/snapshot.ts';
import { absoluteId } from '../../../../source/document/documents.ts';
import { visible } from '../../../../text/visible.ts';
import { documentText } from '../../../document-text.ts';
import { EXIT_ERROR, EXIT_OK } from '../../../exit-status.ts';
import { mistakeText, vipsText } from '../messages.ts';
import { tasksOf } from '../show.ts';
import type { Cluster, KnownObject } from './cluster.ts';
import { documentOf } from './list.ts';
import { shownObject } from './messages.ts';
import { type ClusterSession, declaring, listCluster } from './session.ts';
import { backendsText, reasonOf } from './verdict.ts';

/**
 * Prints one app: its status, its VIPs, then its tasks with their addresses. Resolves with the exit status: 2 if it does not
 * exist.
 */
export async function show(given: string, session: ClusterSession): Promise<number> {
  const { config, ports } = session;
  const id = absoluteId(given, '/');
  const cluster = await listCluster(session);
  const objects = declaring(cluster, id, config);
  const [first, ...others] = objects;
  if (first === undefined) {
    ports.printError(`app ${id} does not exist; app list shows all apps`);
    return EXIT_ERROR;
  }
  const document = others.length === 0 ? documentOf(first) : objects.map(documentOf);
  const text = () => objects.map((object) => textOf(object, cluster, session)).join('\n');
  ports.print(documentText(config.output, document, text));
  return EXIT_OK;
}

function textOf(
  object: KnownObject,
  { snapshot }: Cluster,
  { config, ports, translate }: ClusterSession,
): string {
  const { id, framework, status, generation, relay } = object;
  const app = snapshot.apps.find((one) => one.id === id && one.framework === framework);
  const backends = backendsText(status);
  const by = relay === null ? '' : `, written by the relay "${relay}"`;
  const lines = [
    visible(
      `${id}: ${shownObject(object)}, generation ${generation}${by}${backends === null ? '' : `; ${backends}`}`,
    ),
    ...(status.conditions ?? []).map((one) =>
      visible(
        `${one.type} ${ANSWERS[one.status]}${detail(one.type, reasonOf(one))}${old(one.observedGeneration, generation)}`,
      ),
    ),
    ...(status.conditions === undefined ? ['no controller has written its status'] : []),
    '',
    ...mistakesOf(object, snapshot, translate),
    ...(app === undefined
      ? []
      : [vipsText(forecast({ ...app, tasks: [] }, snapshot, translate).vips, ports)]),
    ...tasksOf(app, config.output === 'wide', ports.layout()),
  ];
  return `${lines.join('\n').trimEnd()}\n`;
}

/** The mistakes that controllers would report, found without any of them. */
function mistakesOf(
  { id, namespace, name }: KnownObject,
  snapshot: Snapshot,
  translate: Translate,
): readonly string[] {
  const { rejected } = translate(snapshot);
  const own = rejected.filter(({ app }) => app === id || app === `MarathonApp ${namespace}/${name}`);
  return own.length === 0 ? [] : [...own.map(mistakeText), ''];
}

const ANSWERS = { True: 'yes', False: 'no', Unknown: 'unknown' } as const;

/** The reason in parentheses; left out if it repeats the type. */
function detail(type: string, reason: string): string {
  return reason === type ? '' : ` (${reason})`;
}

function old(observed: number | undefined, generation: number): string {
  return observed === undefined || observed === generation ? '' : `, of generation ${observed}`;
}
