import type { ForecastVip } from '../../../../desired/forecast.ts';
import { ControllerError } from '../../../../errors.ts';
import { ApiFailure } from '../../../../kubernetes/api-failure.ts';
import { objectName } from '../../../../kubernetes/object-name.ts';
import type { App } from '../../../../model/app.ts';
import { absoluteId } from '../../../../source/document/documents.ts';
import { EXIT_DIFFERENT, EXIT_ERROR, EXIT_OK } from '../../../exit-status.ts';
import { readText, shownFile } from '../change.ts';
import { mistakesOf, printForecast, printMistakes } from '../forecast.ts';
import { changed, parsedOrMistakes, readChange } from './change.ts';
import type { Cluster, KnownObject } from './cluster.ts';
import { followObject, followRemoval } from './follow.ts';
import { failureLines, relayLine, shownObject } from './messages.ts';
import { checkSpec, type Mistakes, proposalOf } from './proposal.ts';
import { printResult, type Undertaking } from './result.ts';
import { type ClusterSession, declaring, listCluster } from './session.ts';

const TO = 'the API server';

/**
 * Checks the definition or manifest in a file (`-` or null: standard input), prints its VIPs and creates a MarathonApp.
 * Mistakes are printed before any request to the API server. Resolves with the exit status: 1 if the controllers rejected it
 * or were not waited for to the end, 2 if nothing was sent or the API server refused it.
 */
export async function add(kind: App['kind'], file: string | null, session: ClusterSession): Promise<number> {
  const { config, client, ports, writer } = session;
  const where = shownFile(file);
  const json = parsedOrMistakes(await readText(file, ports), where);
  const proposal = 'mistakes' in json ? json : proposalOf(json.value, kind, where, config);
  const read = 'mistakes' in proposal ? proposal : checkSpec(proposal, where);
  if ('mistakes' in proposal) return refuse(proposal, session);
  if ('mistakes' in read) return refuse(read, session);
  const { app } = read;
  const namespace = config.kubernetesNamespace ?? proposal.namespace ?? client.namespace;
  if (proposal.namespace !== null && proposal.namespace !== namespace) {
    const reason = `--kubernetes-namespace is ${namespace}, expected the same in both`;
    const at = 'metadata.namespace';
    return refuse({ mistakes: [{ app: app.id, at, value: proposal.namespace, reason }] }, session);
  }
  const mistakes = mistakesOf(placed(app, proposal.prefix), session.translate);
  if (mistakes.length > 0) return refuse({ mistakes }, session);
  const cluster = await listCluster(session);
  const [existing] = declaring(cluster, app.id, { framework: app.framework });
  if (existing !== undefined) {
    const by = existing.relay === null ? '' : `, written by the relay "${existing.relay}"`;
    ports.printError(`add ${app.id}: ${shownObject(existing)} is this app${by}; app update changes it`);
    return EXIT_ERROR;
  }
  const vips = vipsOf(placed(app, proposal.prefix), cluster, session);
  if (vips === null) return EXIT_ERROR;
  const name = proposal.name ?? objectName(app);
  const undertaking = { what: 'add', id: app.id, kind, vips } as const;
  return await attempt(undertaking, () => writer.create(proposal, name, namespace), session);
}

/** Changes an app by `KEY=VALUE…`, by the fields in a file, or to a manifest. Resolves like `add`. */
export async function update(
  operand: string,
  changes: readonly string[],
  session: ClusterSession,
): Promise<number> {
  const { config, ports, writer } = session;
  const id = absoluteId(operand, '/');
  const change = await readChange(id, changes, session);
  if ('mistakes' in change) return refuse(change, session);
  const cluster = await listCluster(session);
  const before = onlyOne('update', id, cluster, session);
  if (before === null) return EXIT_ERROR;
  if (before.relay !== null && !config.force) {
    ports.printError(relayLine(`update ${id}`, before, 'change it'));
    return EXIT_ERROR;
  }
  const proposal = changed(before, change.value, session);
  const read =
    'mistakes' in proposal ? proposal : checkSpec({ ...proposal, spec: proposal.spec(before) }, id);
  if ('mistakes' in proposal) return refuse(proposal, session);
  if ('mistakes' in read) return refuse(read, session);
  if (read.app.id !== id) {
    ports.printError(`update ${id}: the definition has the id ${read.app.id}, and an id cannot be changed`);
    return EXIT_ERROR;
  }
  const vips = vipsOf(placed(read.app, proposal.prefix), cluster, session);
  if (vips === null) return EXIT_ERROR;
  const undertaking = { what: 'update', id, kind: before.kind, vips } as const;
  const write = () =>
    before.relay === null
      ? writer.replace(before, proposal, config.force)
      : writer.overrule(before, proposal);
  return await attempt(undertaking, write, session);
}

/** Removes the MarathonApp of an app. Resolves like `add`. */
export async function remove(operand: string, session: ClusterSession): Promise<number> {
  const { config, ports, writer } = session;
  const id = absoluteId(operand, '/');
  const object = onlyOne('remove', id, await listCluster(session), session);
  if (object === null) return EXIT_ERROR;
  if (object.relay !== null && !config.force) {
    ports.printError(relayLine(`remove ${id}`, object, 'remove it'));
    return EXIT_ERROR;
  }
  const undertaking = { what: 'remove', id, kind: object.kind, vips: [] } as const;
  const write = async () => {
    await writer.remove(object);
    return object;
  };
  return await attempt(undertaking, write, session);
}

function refuse({ mistakes }: Mistakes, { ports }: ClusterSession): number {
  printMistakes(mistakes, TO, ports);
  return EXIT_ERROR;
}

/** The app with the paths of its ports relative to the object that contains it. */
function placed(app: App, prefix: string): App {
  if (prefix === '') return app;
  return { ...app, ports: app.ports.map((port) => ({ ...port, at: `${prefix}.${port.at}` })) };
}

function vipsOf(
  app: App,
  { snapshot }: Cluster,
  { config, ports, translate }: ClusterSession,
): readonly ForecastVip[] | null {
  return printForecast(app, { cluster: snapshot, translate }, TO, config, ports);
}

/** The object of an app; prints an error and returns null if there is none, or more than one. */
function onlyOne(
  what: 'update' | 'remove',
  id: string,
  cluster: Cluster,
  { config, ports }: ClusterSession,
): KnownObject | null {
  const [first = null, ...others] = declaring(cluster, id, config);
  const within = config.kubernetesNamespace === undefined ? '' : ` in ${config.kubernetesNamespace}`;
  if (first === null) {
    const advice = what === 'update' ? 'app add creates it' : 'app list shows all apps';
    ports.printError(`${what} ${id}: the app does not exist${within}; ${advice}`);
    return null;
  }
  if (others.length === 0) return first;
  const all = [first, ...others].map((one) => `${shownObject(one)} (${one.framework})`);
  ports.printError(
    `${what} ${id}: several objects are this app: ${all.join(', ')}; select one with --kubernetes-namespace or --framework`,
  );
  return null;
}

/** Writes the object and follows it until the controllers have processed it. */
async function attempt(
  undertaking: Undertaking,
  write: () => Promise<KnownObject>,
  session: ClusterSession,
): Promise<number> {
  const { what, id, vips } = undertaking;
  const { config, ports, signal } = session;
  let object: KnownObject;
  try {
    object = await write();
  } catch (error) {
    if (!(error instanceof ApiFailure)) throw error;
    for (const line of failureLines(`${what} ${id}`, error)) ports.printError(line);
    return EXIT_ERROR;
  }
  if (!config.wait) {
    printResult(undertaking, object, null, session);
    return EXIT_OK;
  }
  try {
    const outcome =
      what === 'remove' ? await followRemoval(object, session) : await followObject(object, vips, session);
    printResult(undertaking, object, outcome, session);
    return outcome.done ? EXIT_OK : EXIT_DIFFERENT;
  } catch (error) {
    const written = `${shownObject(object)} is ${what === 'remove' ? 'removed' : 'written'}`;
    if (signal.aborted) {
      ports.printError(`no longer following; ${written}, and the controllers continue`);
      return EXIT_DIFFERENT;
    }
    if (!(error instanceof ControllerError)) throw error;
    ports.printError(`${written}; its progress is unknown: ${error.message}`);
    return EXIT_ERROR;
  }
}
