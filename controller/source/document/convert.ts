import type { MarathonApp } from '../../marathon-json.ts';
import type { App, Rejection } from '../../model.ts';
import { Pace } from '../../pace.ts';
import type { Resolver } from '../../ports.ts';
import { type AgentAddresses, addressIn, agentsIn, resolveAgents } from './agents.ts';
import { convertApp } from './apps.ts';
import type { Documents } from './documents.ts';
import type { Conversion } from './placement.ts';
import { convertPod, type PodDefinition } from './pods.ts';
import type { AppDefinition } from './ports.ts';
import { withUnreadable } from './unreadable-tasks.ts';

/** Older versions that tasks run, by app or pod id. */
export interface OlderVersions {
  readonly apps: ReadonlyMap<string, Conversion<AppDefinition>['versions']>;
  readonly pods: ReadonlyMap<string, Conversion<PodDefinition>['versions']>;
  /** The newest versions of apps that were read on the way. */
  readonly newest: ReadonlyMap<MarathonApp, AppDefinition>;
}

export interface ConvertOptions {
  readonly framework: string;
  readonly resolver: Resolver;
  /** What an app or pod gave last time. */
  readonly previous: (id: string) => App | undefined;
  /** Absent: all tasks run the newest definitions (a file knows no others). */
  readonly versions?: OlderVersions;
  /** Has the last change to each app. */
  readonly adjust?: (app: App) => App;
}

export interface Converted {
  readonly apps: ReadonlyMap<string, App>;
  readonly rejected: readonly Rejection[];
  /** The agents that the documents name. */
  readonly agents: AgentAddresses;
}

/**
 * Converts documents to apps.
 *
 * A malformed one keeps what it last gave, with its rejection; without that it is an app without ports and
 * tasks. So does a task in which something is wrong. An id that comes twice counts once, the first time, and the others are in `rejected`.
 */
export async function convertDocuments(
  documents: Documents,
  { framework, resolver, previous, versions, adjust }: ConvertOptions,
): Promise<Converted> {
  const agents = await resolveAgents(agentsIn(documents), resolver);
  const agentAddress = addressIn(agents);
  const apps = new Map<string, App>();
  const rejected = [...documents.rejected];
  const add = (app: App) => {
    if (apps.has(app.id)) rejected.push(duplicateId(app.id));
    else apps.set(app.id, adjust?.(app) ?? app);
  };
  const conversion = <D>(
    id: string,
    older: ReadonlyMap<string, Conversion<D>['versions']> | undefined,
  ): Conversion<D> => {
    const own = older?.get(id);
    return { framework, agentAddress, previous: previous(id), ...(own && { versions: own }) };
  };

  const pace = new Pace();
  for (const app of documents.apps) {
    const newest = versions?.newest.get(app);
    const own = { ...conversion(app.id, versions?.apps), ...(newest && { newest }) };
    add(withUnreadable(convertApp(app, own), app.unreadableTasks, own.previous));
    await pace.restIfDue();
  }
  for (const pod of documents.pods) {
    const own = conversion(pod.id, versions?.pods);
    add(withUnreadable(convertPod(pod, own), pod.unreadableTasks, own.previous));
    await pace.restIfDue();
  }
  for (const { kind, rejection } of documents.malformed) {
    const nothing: App = {
      id: rejection.app,
      kind,
      framework,
      ports: [],
      tasks: [],
      rejected: [],
      warnings: [],
    };
    add({ ...(previous(rejection.app) ?? nothing), rejected: [rejection] });
  }
  return { apps, rejected, agents };
}

/** An id that comes more than once; `where`: in which file. */
export function duplicateId(id: string, where?: string): Rejection {
  const reason = `${where === undefined ? 'this id' : `this id in ${where}`} was given before; the first one counts`;
  return { app: id, at: 'id', value: id, reason };
}
