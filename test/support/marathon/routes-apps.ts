/** `/v2/apps`, `/v2/tasks` and `/v2/groups`. */

import type { Entry } from './catalogue.ts';
import { notFound, unknownApp } from './errors.ts';
import { taskJson } from './instance.ts';
import { type JsonObject, stringAt, stringsAt, without } from './json.ts';
import { labelSelector } from './label-selector.ts';
import { absoluteId } from './normalise.ts';
import { type AppWrite, merged, type Operations } from './operations.ts';
import { appJson, appsOfGroup, appVersionJson, groupJson, tasksJson, tasksText } from './render.ts';
import {
  bodyObject,
  bodyObjects,
  deployed,
  isSet,
  ok,
  type Reply,
  type Request,
  type Route,
} from './reply.ts';
import { checkApp } from './validate.ts';

export function appRoutes(operations: Operations): readonly Route[] {
  return [
    { method: 'GET', path: /^\/v2\/apps\/?$/, answer: listApps },
    { method: 'POST', path: /^\/v2\/apps\/?$/, answer: createApp },
    { method: 'PUT', path: /^\/v2\/apps\/?$/, answer: updateApps },
    { method: 'PATCH', path: /^\/v2\/apps\/?$/, answer: updateApps },
    { method: 'GET', path: /^\/v2\/apps(?<id>\/.+)\/tasks$/, answer: listAppTasks },
    { method: 'DELETE', path: /^\/v2\/apps(?<id>\/.+)\/tasks$/, answer: killAppTasks },
    { method: 'DELETE', path: /^\/v2\/apps(?<id>\/.+)\/tasks\/(?<task>[^/]+)$/, answer: killAppTasks },
    { method: 'GET', path: /^\/v2\/apps(?<id>\/.+)\/versions$/, answer: listVersions },
    { method: 'GET', path: /^\/v2\/apps(?<id>\/.+)\/versions\/(?<version>[^/]+)$/, answer: getVersion },
    { method: 'POST', path: /^\/v2\/apps(?<id>\/.+)\/restart$/, answer: restartApp },
    { method: 'GET', path: /^\/v2\/apps(?<group>\/(?:.+\/)?)\*$/, answer: listSubtree },
    { method: 'GET', path: /^\/v2\/apps(?<id>\/.+)$/, answer: getApp },
    { method: 'PUT', path: /^\/v2\/apps(?<id>\/.+)$/, answer: updateApp },
    { method: 'PATCH', path: /^\/v2\/apps(?<id>\/.+)$/, answer: updateApp },
    { method: 'DELETE', path: /^\/v2\/apps(?<id>\/.+)$/, answer: deleteApp },
    { method: 'GET', path: /^\/v2\/tasks$/, answer: listTasks },
    { method: 'POST', path: /^\/v2\/tasks\/delete$/, answer: killTasks },
    { method: 'GET', path: /^\/v2\/groups(?<id>\/.*)?$/, answer: getGroup },
    { method: 'POST', path: /^\/v2\/groups(?<id>\/.*)?$/, answer: writeGroup },
    { method: 'PUT', path: /^\/v2\/groups(?<id>\/.*)?$/, answer: writeGroup },
    { method: 'DELETE', path: /^\/v2\/groups(?<id>\/.*)?$/, answer: deleteGroup },
  ];

  function listApps({ query }: Request): Reply {
    const id = query.get('id') ?? '';
    const cmd = query.get('cmd') ?? '';
    const selected = labelSelector(query.get('label') ?? '');
    const entries = operations.catalogue
      .list('app')
      .filter(
        ({ definition, ...entry }) =>
          entry.id.includes(id) &&
          (stringAt(definition, 'cmd') ?? '').includes(cmd) &&
          selected(definition['labels']),
      );
    const embed = embeds(query, ['counts', 'deployments']);
    return ok({ apps: entries.map((entry) => appJson(operations, entry, embed)) });
  }

  function createApp(request: Request): Reply {
    const raw = bodyObject(request);
    checkApp(raw);
    const { entry, deploymentId } = operations.createApp(raw, request.caller, request.force);
    const headers = { 'Marathon-Deployment-Id': deploymentId, Location: `/v2/apps${entry.id}` };
    return {
      status: 201,
      headers,
      body: appJson(operations, entry, new Set(['counts', 'deployments', 'tasks'])),
    };
  }

  function updateApp(request: Request): Reply {
    const id = idAt(request);
    const write = updateOf({ ...bodyObject(request), id }, request);
    const created = !operations.catalogue.has(id);
    const reply = deployed(operations.writeApps([write], request.caller, request.force), created ? 201 : 200);
    return created ? { ...reply, headers: { ...reply.headers, Location: `/v2/apps${id}` } } : reply;
  }

  function updateApps(request: Request): Reply {
    const writes = bodyObjects(request).map((update) => updateOf(update, request));
    return deployed(operations.writeApps(writes, request.caller, request.force));
  }

  function updateOf(update: JsonObject, { query, method }: Request): AppWrite {
    const entry = operations.catalogue.get('app', absoluteId(String(update['id'])));
    const partial = method === 'PATCH' || query.get('partialUpdate') !== 'false';
    // `{"version": …}` puts that earlier version back.
    const earlier = entry?.versions.get(stringAt(update, 'version') ?? '');
    const definition = partial ? merged(earlier ?? entry?.definition, without(update, 'version')) : update;
    checkApp(definition);
    return { definition };
  }

  function getApp(request: Request): Reply {
    const entry = operations.app(idAt(request));
    const embed = embeds(request.query, ['counts', 'deployments', 'tasks']);
    return ok({ app: appJson(operations, entry, embed) });
  }

  function deleteApp(request: Request): Reply {
    return deployed(operations.deleteApps([idAt(request)], request.caller, request.force));
  }

  function listSubtree({ at, query }: Request): Reply {
    const below = operations.catalogue.list('app').filter(({ id }) => id.startsWith(at['group'] ?? '/'));
    const embed = embeds(query, ['counts', 'deployments', 'tasks']);
    return ok({ '*': below.map((entry) => appJson(operations, entry, embed)) });
  }

  function restartApp(request: Request): Reply {
    return deployed(operations.restartApp(idAt(request), request.caller, request.force));
  }

  function listAppTasks(request: Request): Reply {
    return ok({ tasks: tasksOf(operations.app(idAt(request))) });
  }

  function killAppTasks(request: Request): Reply {
    const entry = operations.app(idAt(request));
    const { at, query, caller, force } = request;
    const host = query.get('host');
    const instances = operations.scheduler
      .instancesOf(entry.id)
      .filter(({ agent }) => host === null || agent.hostname === host)
      .filter(({ tasks }) => at['task'] === undefined || tasks.some(({ id }) => id === at['task']));
    if (at['task'] !== undefined && instances.length === 0)
      throw notFound(`No instance found with id ${at['task']}`);

    const tasks = instances.flatMap((instance) => instance.tasks.map((task) => taskJson(instance, task)));
    const started = operations.killInstances(instances, isSet(query, 'scale'), caller, force);
    if (started) return deployed(started);
    return ok(at['task'] === undefined ? { tasks } : { task: tasks[0] });
  }

  function killTasks(request: Request): Reply {
    const ids = stringsAt(bodyObject(request), 'ids');
    const found = ids.flatMap((id) => operations.scheduler.find(id) ?? []);
    const tasks = found.map(({ instance, task }) => taskJson(instance, task));
    const instances = found.map(({ instance }) => instance);
    const started = operations.killInstances(
      instances,
      isSet(request.query, 'scale'),
      request.caller,
      request.force,
    );
    return started ? deployed(started) : ok({ tasks });
  }

  function listVersions(request: Request): Reply {
    return ok({ versions: [...operations.app(idAt(request)).versions.keys()].reverse() });
  }

  function getVersion(request: Request): Reply {
    const { version = '' } = request.at;
    const json = appVersionJson(operations.app(idAt(request)), version);
    if (!json) throw notFound(`App '${idAt(request)}' in version '${version}' does not exist`);
    return ok(json);
  }

  function listTasks({ query, headers }: Request): Reply {
    if (headers.accept?.startsWith('text/plain')) return ok(tasksText(operations));
    return ok({ tasks: tasksJson(operations, query.get('status') ?? query.get('status[]')) });
  }

  function getGroup(request: Request): Reply {
    const embed = new Set(
      request.query.getAll('embed').flatMap((name) => /^group\.apps\.(.+)$/.exec(name)?.[1] ?? []),
    );
    return ok(groupJson(operations, idAt(request), new Set([...embed, 'counts', 'deployments'])));
  }

  function writeGroup(request: Request): Reply {
    const apps = appsOfGroup({ id: idAt(request), ...bodyObject(request) });
    for (const app of apps) checkApp(app);
    if (isSet(request.query, 'dryRun')) return ok({ steps: [] });
    const writes = apps.map((definition) => ({ definition }));
    const started = operations.writeApps(writes, request.caller, request.force);
    return deployed(started, request.method === 'POST' ? 201 : 200);
  }

  function deleteGroup(request: Request): Reply {
    const prefix = `${idAt(request)}/`.replace('//', '/');
    const ids = operations.catalogue
      .list('app')
      .map(({ id }) => id)
      .filter((id) => id.startsWith(prefix));
    if (ids.length === 0 && prefix !== '/') throw notFound(`Group '${idAt(request)}' does not exist`);
    return deployed(operations.deleteApps(ids, request.caller, request.force));
  }

  function tasksOf(entry: Entry): readonly JsonObject[] {
    return operations.scheduler
      .instancesOf(entry.id)
      .flatMap((instance) => instance.tasks.map((task) => taskJson(instance, task)));
  }
}

function idAt({ at }: Request): string {
  const id = absoluteId(at['id'] ?? '/');
  if (id.includes('*')) throw unknownApp(id);
  return id;
}

/** `embed=apps.tasks` and `embed=app.tasks` alike, on top of what is always given. */
function embeds(query: URLSearchParams, always: readonly string[]): ReadonlySet<string> {
  const asked = query.getAll('embed').flatMap((name) => /^apps?\.(.+)$/.exec(name)?.[1] ?? []);
  return new Set([...always, ...asked]);
}
