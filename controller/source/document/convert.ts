import type { MarathonApp, MarathonPodStatus } from '../../input/marathon-json.ts';
import type { App, Rejection } from '../../model/app.ts';
import type { UnknownPart } from '../../model/snapshot.ts';
import { Pace } from '../../pace.ts';
import type { Resolver } from '../../ports.ts';
import { tooManyBackends } from '../backend-bound.ts';
import { type AgentAddresses, addressIn, agentsBefore, agentsIn, resolveAgents } from './agents.ts';
import { type Conversion, convertApp } from './apps.ts';
import type { Documents } from './documents.ts';
import { convertPod } from './pods.ts';
import { defineApp } from './ports.ts';
import { isLost, whatIsLacking, withoutDefinition, withUnread } from './unread.ts';

/** The definitions of an app or pod that were read while looking for the versions that its tasks run. */
export type OlderVersions = ReadonlyMap<
  MarathonApp | MarathonPodStatus,
  Pick<Conversion, 'newest' | 'versions'>
>;

export interface ConvertOptions {
  readonly framework: string;
  readonly resolver: Resolver;
  /** The app or pod as it was last converted. */
  readonly previous: (id: string) => App | undefined;
  /** Whether nothing is known of an app without a last good state. When missing, that is so. */
  readonly isUnknown?: (id: string) => boolean;
  /** Whether a document without an id may be any app of before: true until what it was is known. When missing, it may. */
  readonly mayBeAnyApp?: boolean;
  /** Loads saved state for `previous`. Called first, and only when something cannot be read or is refused. */
  readonly recall?: () => Promise<void>;
  /** Defaults to all tasks running the newest definition: a file has no others. */
  readonly versions?: OlderVersions;
  /** Final adjustment of each converted app. */
  readonly adjust?: (app: App) => App;
}

export interface Converted {
  readonly apps: ReadonlyMap<string, App>;
  readonly rejected: readonly Rejection[];
  /** Documents that may be any app; absent when there are none. */
  readonly unknown?: readonly UnknownPart[];
  /** The agents named in the documents. */
  readonly agents: AgentAddresses;
}

/**
 * Converts documents to apps.
 *
 * A task, a port or a whole definition that cannot be read keeps its last good state and is reported in the app's
 * `rejected`; without a last good state it is left out. If an id occurs twice, the first one counts and the others are
 * in `rejected`.
 */
export async function convertDocuments(
  documents: Documents,
  {
    framework,
    resolver,
    previous,
    isUnknown = () => true,
    mayBeAnyApp = true,
    recall,
    versions,
    adjust,
  }: ConvertOptions,
): Promise<Converted> {
  const agents = await resolveAgents(agentsIn(documents), resolver);
  if (recall !== undefined && lacksSomething(documents, agents, versions)) await recall();
  const agentAddress = addressIn(agents, agentsBefore(agents, documents, previous));
  const apps = new Map<string, App>();
  const rejected = [...documents.rejected, ...(documents.repeated ?? [])];
  const add = async (read: App, lacking: string | null) => {
    if (apps.has(read.id)) {
      rejected.push(duplicateId(read.id));
      return;
    }
    const refused = tooManyBackends(read);
    if (refused !== null) await recall?.();
    const before = previous(read.id);
    const known = refused === null ? read : withoutDefinition(read, before, refused);
    const why = refused?.reason ?? lacking;
    const isLacking = before === undefined ? isUnknown(read.id) : before.unknown !== undefined;
    const app = why !== null && isLacking ? { ...known, unknown: why } : known;
    apps.set(app.id, adjust?.(app) ?? app);
  };
  const pace = new Pace();
  const convert = async (
    item: MarathonApp | MarathonPodStatus,
    hosts: readonly (string | null | undefined)[] | undefined,
    appOf: (conversion: Conversion) => App,
  ) => {
    const own = { framework, agentAddress, previous: previous(item.id), ...versions?.get(item) };
    const lacking = whatIsLacking(item.unread) ?? unresolved(hosts, agentAddress);
    await add(withOddities(withUnread(appOf(own), item.unread, own.previous), item), lacking);
    await pace.restIfDue();
  };
  for (const app of lostLast(documents.apps)) {
    // Health results count if the task was known to have a health check.
    const newest = isLost(app) && { newest: { ...defineApp(app), checked: true } };
    const hosts = app.tasks?.map(({ host }) => host);
    await convert(app, hosts, (own) => convertApp(app, { ...own, ...newest }));
  }
  for (const pod of lostLast(documents.pods)) {
    const hosts = pod.instances?.map(({ agentHostname }) => agentHostname);
    await convert(pod, hosts, (own) => convertPod(pod, own));
  }
  const nameless = mayBeAnyApp ? documents.rejected : [];
  const unknown = nameless.map(({ app, at, reason }) => ({ part: partOf(app, at), reason }));
  return { apps, rejected, agents, ...(unknown.length > 0 && { unknown }) };
}

/** Names a document that is not an app: where it is, and its place there. */
function partOf(app: string, at: string): string {
  return at === '' ? app : `${app} ${at}`;
}

function withOddities(app: App, { oddities }: Pick<MarathonApp, 'oddities'>): App {
  return oddities === undefined ? app : { ...app, rejected: [...app.rejected, ...oddities] };
}

/** Whether something cannot be read, so that its last good state is needed. */
function lacksSomething(
  { apps, pods, rejected }: Documents,
  agents: AgentAddresses,
  versions: OlderVersions | undefined,
): boolean {
  const isPartial = ({ unread }: MarathonApp | MarathonPodStatus) => unread !== undefined;
  const isLacking = (version: unknown) => typeof version === 'string';
  return (
    rejected.length > 0 ||
    apps.some(isPartial) ||
    pods.some(isPartial) ||
    agents.values().some((address) => address === null) ||
    versions?.values().some((each) => each.versions?.values().some(isLacking)) === true
  );
}

/** Why an agent of a task has no address; null when all have one. */
function unresolved(
  hosts: readonly (string | null | undefined)[] = [],
  agentAddress: (host: string) => string | null,
): string | null {
  const lost = hosts.find((host) => host && agentAddress(host) === null);
  return lost === undefined ? null : `agent ${lost} cannot be resolved`;
}

/** If an id occurs twice, the readable one comes first and counts. */
function lostLast<Item extends MarathonApp | MarathonPodStatus>(items: readonly Item[]): readonly Item[] {
  return items.toSorted((a, b) => Number(isLost(a)) - Number(isLost(b)));
}

/** The rejection of a repeated id; `where` names the file that repeats it. */
export function duplicateId(id: string, where?: string): Rejection {
  const reason = `${where === undefined ? 'this id' : `this id in ${where}`} was given before; the first one counts`;
  return { app: id, at: 'id', value: id, reason };
}
