import type { Config } from '../../../config/config.ts';
import type { ForecastVip } from '../../../desired/forecast.ts';
import { DIFFERENT, FAILED, SAME } from '../../../exit-status.ts';
import { ApiFailure } from '../../../kubernetes/api-failure.ts';
import { objectName } from '../../../kubernetes/object-name.ts';
import type { App } from '../../../model.ts';
import { absoluteId } from '../../../source/document/documents.ts';
import { announce, announceMistakes } from '../announce.ts';
import { assignmentsOrFile, readText, shownFile } from '../change.ts';
import type { Cluster, KnownObject } from './cluster.ts';
import { followObject, followRemoval } from './follow.ts';
import { isManifest, parseGiven } from './given.ts';
import { checkSpec, type Mistakes, type Proposal, proposalOf } from './proposal.ts';
import { type ClusterSession, declaring, lookAround } from './session.ts';
import { failureLines, relayLine, shownObject } from './talk.ts';
import { tell, type Undertaking } from './tell.ts';
import type { Next } from './write.ts';

const TO = 'the API server';

/**
 * Makes a MarathonApp of the definition, or out of the manifest, in a file (`-` or null: standard input), once it has been
 * checked and its VIPs are told. Resolves with the exit status: 1 when the controllers rejected it or were not waited for
 * to the end, 2 when nothing was sent or the API server refused it.
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
  const cluster = await lookAround(session);
  const [there] = declaring(cluster, app.id, { framework: app.framework });
  if (there !== undefined) {
    const by = there.relay === null ? '' : `, written by the relay "${there.relay}"`;
    ports.complain(`add ${app.id}: ${shownObject(there)} is this app${by}; app update changes it`);
    return FAILED;
  }
  const vips = announced(app, proposal.prefix, cluster, session);
  if (vips === null) return FAILED;
  const name = proposal.name ?? objectName(app);
  const undertaking = { what: 'add', id: app.id, kind, vips } as const;
  return await attempt(undertaking, () => writer.create(proposal, name, namespace), session);
}

/** Changes an app by `KEY=VALUE…`, by the fields in a file, or to what a manifest says. Resolves as `add` does. */
export async function update(
  given: string,
  changes: readonly string[],
  session: ClusterSession,
): Promise<number> {
  const { config, ports, writer } = session;
  const id = absoluteId(given, '/');
  const change = await changeGiven(changes, session);
  const cluster = await lookAround(session);
  const before = onlyOne('update', id, cluster, session);
  if (before === null) return FAILED;
  const proposal = 'mistakes' in change ? change : changed(before, change.value, session);
  const read =
    'mistakes' in proposal ? proposal : checkSpec({ ...proposal, spec: proposal.next(before) }, id);
  if ('mistakes' in proposal) return refuse(proposal, session);
  if ('mistakes' in read) return refuse(read, session);
  if (read.app.id !== id) {
    ports.complain(`update ${id}: the definition has the id ${read.app.id}, and an id cannot be changed`);
    return FAILED;
  }
  if (before.relay !== null && !config.force) {
    ports.complain(relayLine(`update ${id}`, before, 'change it'));
    return FAILED;
  }
  const vips = announced(read.app, proposal.prefix, cluster, session);
  if (vips === null) return FAILED;
  const next: Next = { ...proposal, spec: proposal.next };
  const undertaking = { what: 'update', id, kind: before.kind, vips } as const;
  const write = () =>
    before.relay === null ? writer.replace(before, next, config.force) : writer.overrule(before, next);
  return await attempt(undertaking, write, session);
}

/** Removes the MarathonApp of an app. Resolves as `add` does. */
export async function remove(given: string, session: ClusterSession): Promise<number> {
  const { config, ports, writer } = session;
  const id = absoluteId(given, '/');
  const object = onlyOne('remove', id, await lookAround(session), session);
  if (object === null) return FAILED;
  if (object.relay !== null && !config.force) {
    ports.complain(relayLine(`remove ${id}`, object, 'remove it'));
    return FAILED;
  }
  const undertaking = { what: 'remove', id, kind: object.kind, vips: [] } as const;
  const write = async () => {
    await writer.remove(object);
    return object;
  };
  return await attempt(undertaking, write, session);
}

function refuse({ mistakes }: Mistakes, { ports }: ClusterSession): number {
  announceMistakes(mistakes, TO, ports);
  return FAILED;
}

/** `prefix`: in front of the paths of what is wrong with labels. */
function announced(
  app: App,
  prefix: string,
  { snapshot }: Cluster,
  { config, ports, translate }: ClusterSession,
): readonly ForecastVip[] | null {
  const given =
    prefix === ''
      ? app
      : { ...app, ports: app.ports.map((port) => ({ ...port, at: `${prefix}.${port.at}` })) };
  return announce(given, { cluster: snapshot, translate }, TO, config, ports);
}

function parsedOrMistakes(text: string, where: string): { readonly value: unknown } | Mistakes {
  try {
    return { value: parseGiven(text) };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return { mistakes: [{ app: where, at: '', value: '', reason: error.message }] };
  }
}

/** What `app update` was given: fields, or a manifest. Nothing is waited for where `--endpoints` is all that changes. */
async function changeGiven(
  changes: readonly string[],
  { config, ports }: ClusterSession,
): Promise<{ readonly value: unknown } | Mistakes> {
  const what = assignmentsOrFile(changes);
  if ('fields' in what) return { value: what.fields };
  if (what.file === null && config.endpoints !== undefined) return { value: {} };
  return parsedOrMistakes(await readText(what.file, ports), shownFile(what.file));
}

/** The object of an app; null where there is none, or it is not clear which. */
function onlyOne(
  what: 'update' | 'remove',
  id: string,
  cluster: Cluster,
  { config, ports }: ClusterSession,
): KnownObject | null {
  const [first = null, ...others] = declaring(cluster, id, config);
  const within = config.kubernetesNamespace === undefined ? '' : ` in ${config.kubernetesNamespace}`;
  if (first === null) {
    const advice = what === 'update' ? 'app add makes one' : 'app list shows those that there are';
    ports.complain(`${what} ${id}: there is no such app${within}; ${advice}`);
    return null;
  }
  if (others.length === 0) return first;
  const all = [first, ...others].map((one) => `${shownObject(one)} (${one.framework})`);
  ports.complain(
    `${what} ${id}: several objects are this app: ${all.join(', ')}; say which by --kubernetes-namespace or --framework`,
  );
  return null;
}

type Changed = Omit<Next, 'spec'> & Pick<Proposal, 'kind' | 'prefix'> & { readonly next: Next['spec'] };

/** What becomes of an object. As at Marathon, each field that is given replaces the one of the definition; null removes it. */
function changed(before: KnownObject, json: unknown, { config }: ClusterSession): Changed | Mistakes {
  const { kind } = before;
  const where = before.id ?? '';
  if (isManifest(json)) {
    const proposal = proposalOf(json, kind, where, config);
    if ('mistakes' in proposal) return proposal;
    const { spec, ...rest } = proposal;
    for (const field of ['name', 'namespace'] as const) {
      const value = proposal[field];
      if (value === null || value === before[field]) continue;
      const reason = `the app is ${shownObject(before)}, expected its ${field}`;
      return { mistakes: [{ app: where, at: `metadata.${field}`, value, reason }] };
    }
    return { ...rest, next: () => spec };
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    const reason = 'expected an object with the fields that change, or a MarathonApp';
    return { mistakes: [{ app: where, at: '', value: JSON.stringify(json) ?? '', reason }] };
  }
  const unlabelled = { labels: {}, annotations: {}, madeFrom: null };
  return { kind, prefix: '', ...unlabelled, next: ({ spec }) => merged(spec, kind, json, config.endpoints) };
}

function merged(
  { relayed, ...spec }: KnownObject['spec'],
  kind: App['kind'],
  fields: object,
  endpoints: Config['endpoints'],
): KnownObject['spec'] {
  const id = (relayed as { id?: unknown } | undefined)?.id;
  const before = (spec[kind] ?? (id === undefined ? {} : { id })) as object;
  const all = Object.entries({ ...before, ...fields });
  const definition = Object.fromEntries(
    all.filter(([field, value]) => value !== null || !Object.hasOwn(fields, field)),
  );
  return { ...spec, ...(endpoints !== undefined && { endpoints }), [kind]: definition };
}

/** Writes, and follows what comes of it. */
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
    for (const line of failureLines(`${what} ${id}`, error)) ports.complain(line);
    return FAILED;
  }
  if (!config.wait) {
    tell(undertaking, object, null, session);
    return SAME;
  }
  try {
    const outcome =
      what === 'remove' ? await followRemoval(object, session) : await followObject(object, vips, session);
    tell(undertaking, object, outcome, session);
    return outcome.done ? SAME : DIFFERENT;
  } catch (error) {
    if (!signal.aborted) throw error;
    ports.complain(`not followed any more; ${shownObject(object)} is written, and the controllers go on`);
    return DIFFERENT;
  }
}
