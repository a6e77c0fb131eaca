/** `/v2/pods`, with its `::status` and `::versions` parts. */

import { conflict, notFound } from './errors.ts';
import { absoluteId } from './normalise.ts';
import type { Operations } from './operations.ts';
import { podStatusJson, podVersionJson } from './render.ts';
import { bodyObject, ok, type Reply, type Request, type Route } from './reply.ts';
import { checkPod } from './validate.ts';

export function podRoutes(operations: Operations): readonly Route[] {
  return [
    { method: 'GET', path: /^\/v2\/pods\/?$/, answer: listPods },
    { method: 'POST', path: /^\/v2\/pods\/?$/, answer: createPod },
    { method: 'GET', path: /^\/v2\/pods\/?::status$/, answer: listStatus },
    { method: 'GET', path: /^\/v2\/pods(?<id>\/.+)::status$/, answer: getStatus },
    { method: 'GET', path: /^\/v2\/pods(?<id>\/.+)::versions$/, answer: listVersions },
    { method: 'GET', path: /^\/v2\/pods(?<id>\/.+)::versions\/(?<version>[^/]+)$/, answer: getVersion },
    {
      method: 'DELETE',
      path: /^\/v2\/pods(?<id>\/.+)::instances\/(?<instance>[^/]+)$/,
      answer: killInstance,
    },
    { method: 'GET', path: /^\/v2\/pods(?<id>\/.+)$/, answer: getPod },
    { method: 'PUT', path: /^\/v2\/pods(?<id>\/.+)$/, answer: updatePod },
    { method: 'DELETE', path: /^\/v2\/pods(?<id>\/.+)$/, answer: deletePod },
  ];

  function listPods(): Reply {
    return ok(operations.catalogue.list('pod').map((entry) => podVersionJson(entry, entry.version)));
  }

  function createPod(request: Request): Reply {
    const raw = bodyObject(request);
    checkPod(raw);
    const id = absoluteId(String(raw['id']));
    if (operations.catalogue.has(id)) throw conflict(`A pod with id [${id}] already exists.`);
    return written(request, 201);
  }

  function updatePod(request: Request): Reply {
    checkPod(bodyObject(request));
    operations.pod(idAt(request));
    return written(request, 200);
  }

  function written(request: Request, status: number): Reply {
    const { entry, deploymentId } = operations.writePod(bodyObject(request), request.caller, request.force);
    const headers = { 'Marathon-Deployment-Id': deploymentId, Location: `/v2/pods${entry.id}` };
    return { status, headers, body: podVersionJson(entry, entry.version) };
  }

  function deletePod(request: Request): Reply {
    const { deploymentId } = operations.deletePod(idAt(request), request.caller, request.force);
    return { status: 202, headers: { 'Marathon-Deployment-Id': deploymentId } };
  }

  function getPod(request: Request): Reply {
    const entry = operations.pod(idAt(request));
    return ok(podVersionJson(entry, entry.version));
  }

  function listStatus(): Reply {
    return ok(operations.catalogue.list('pod').map((entry) => podStatusJson(operations, entry)));
  }

  function getStatus(request: Request): Reply {
    return ok(podStatusJson(operations, operations.pod(idAt(request))));
  }

  function listVersions(request: Request): Reply {
    return ok([...operations.pod(idAt(request)).versions.keys()].reverse());
  }

  function getVersion(request: Request): Reply {
    const { version = '' } = request.at;
    const json = podVersionJson(operations.pod(idAt(request)), version);
    if (!json) throw notFound(`Pod '${idAt(request)}' in version '${version}' does not exist`);
    return ok(json);
  }

  function killInstance(request: Request): Reply {
    const entry = operations.pod(idAt(request));
    const instances = operations.scheduler
      .instancesOf(entry.id)
      .filter(({ id }) => id === request.at['instance']);
    if (instances.length === 0) throw notFound(`Instance '${request.at['instance']}' does not exist`);
    operations.killInstances(instances, false, request.caller, request.force);
    return ok(instances.map(({ id }) => id));
  }
}

function idAt({ at }: Request): string {
  return absoluteId(at['id'] ?? '/');
}
