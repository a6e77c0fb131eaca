import type { IncomingMessage, ServerResponse } from 'node:http';
import { tableOf } from './discovery.ts';
import type { Kind } from './kinds.ts';
import { type Operations, type Place, storageName } from './operations.ts';
import type { Writer } from './ownership.ts';
import { parseSelector } from './selector.ts';
import { type KubeObject, StatusError } from './types.ts';
import type { Watches } from './watching.ts';

export interface Call {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly url: URL;
  readonly method: string;
  readonly body: unknown;
  readonly watch: boolean;
}

export interface Reply {
  readonly status: number;
  readonly body: object;
}

/** What the server does with a collection. null: it is a watch, which answers by itself. */
export function onCollection(
  { request, response, url, body }: Call,
  { kind, namespace }: Omit<Place, 'name'>,
  verb: string,
  operations: Operations,
  watches: Watches,
): Reply | null {
  const { searchParams: query } = url;
  const selected = parseSelector(query.get('labelSelector') ?? '');
  const fits = ({ metadata }: KubeObject) =>
    (namespace === null || metadata.namespace === namespace) && selected(metadata.labels ?? {});
  switch (verb) {
    case 'create':
      return {
        status: 201,
        body: operations.create(kind, namespace, body, writerOf(request, query, undefined)),
      };
    case 'watch': {
      const version = query.get('resourceVersion') ?? '';
      watches.serve(kind, response, {
        revision: version === '' || version === '0' ? null : numberOf(version),
        fits,
        bookmarks: query.get('allowWatchBookmarks') === 'true',
        timeoutMs: Number(query.get('timeoutSeconds') ?? 1_800) * 1_000,
      });
      return null;
    }
    case 'deletecollection':
      for (const { metadata } of operations.storage.all(storageName(kind)).filter(fits)) {
        operations.delete({ kind, namespace: metadata.namespace ?? null, name: metadata.name }, null);
      }
      return { status: 200, body: { kind: 'Status', apiVersion: 'v1', status: 'Success' } };
    default:
      return { status: 200, body: listOf(request, query, kind, operations, fits) };
  }
}

function listOf(
  request: IncomingMessage,
  query: URLSearchParams,
  kind: Kind,
  { storage }: Operations,
  fits: (object: KubeObject) => boolean,
): object {
  const limit = Number(query.get('limit') ?? 0);
  const page = storage.page(storageName(kind), limit, query.get('continue'), fits);
  const resourceVersion = String(page.revision);
  if (wantsTable(request)) return tableOf(kind, page.items, resourceVersion);
  const rest = page.next === null ? {} : { continue: page.next, remainingItemCount: page.remaining };
  return {
    apiVersion: kind.group === '' ? kind.version : `${kind.group}/${kind.version}`,
    kind: `${kind.kind}List`,
    metadata: { resourceVersion, ...rest },
    items: page.items,
  };
}

/** What the server does with one object. */
export function onObject(
  { request, url, method, body }: Call,
  place: Place,
  subresource: string | undefined,
  operations: Operations,
): Reply {
  const writer = writerOf(request, url.searchParams, subresource);
  switch (method) {
    case 'GET': {
      const object = operations.get(place);
      const { resourceVersion } = object.metadata;
      return {
        status: 200,
        body: wantsTable(request) ? tableOf(place.kind, [object], resourceVersion) : object,
      };
    }
    case 'PUT':
      return { status: 200, body: operations.update(place, body, writer) };
    case 'DELETE':
      return { status: 200, body: operations.delete(place, body) };
    case 'PATCH':
      return onPatch(request, url.searchParams, body, place, writer, operations);
    default:
      throw new StatusError(405, 'MethodNotAllowed', `${method} is not supported here`);
  }
}

function onPatch(
  request: IncomingMessage,
  query: URLSearchParams,
  body: unknown,
  place: Place,
  writer: Writer,
  operations: Operations,
): Reply {
  const type = request.headers['content-type'] ?? '';
  if (type.startsWith('application/merge-patch+json')) {
    return { status: 200, body: operations.mergePatch(place, body, writer) };
  }
  if (!type.startsWith('application/apply-patch+yaml')) {
    throw new StatusError(415, 'UnsupportedMediaType', `no patch of type ${type}`);
  }
  if (query.get('fieldManager') === null) {
    throw new StatusError(400, 'BadRequest', 'fieldManager: Required value: is required for apply patch');
  }
  const { object, created } = operations.apply(place, body, writer);
  return { status: created ? 201 : 200, body: object };
}

function wantsTable(request: IncomingMessage): boolean {
  return request.headers.accept?.includes('as=Table') ?? false;
}

function writerOf(request: IncomingMessage, query: URLSearchParams, subresource: string | undefined): Writer {
  // Without a name the beginning of the user agent stands for the manager.
  const [agent = 'unknown'] = (request.headers['user-agent'] ?? 'unknown').split('/');
  return { manager: query.get('fieldManager') ?? agent, subresource, force: query.get('force') === 'true' };
}

function numberOf(version: string): number {
  if (!/^\d+$/.test(version))
    throw new StatusError(400, 'BadRequest', `invalid resource version: ${version}`);
  return Number(version);
}
