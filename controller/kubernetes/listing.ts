import { z } from 'zod';
import { ControllerError } from '../errors.ts';
import { OverBound } from '../input/bounds.ts';
import { rejectionOf } from '../input/rejection.ts';
import { checked } from '../input/schema-messages.ts';
import { Pace } from '../pace.ts';
import { ApiFailure } from './api-failure.ts';
import type { KubernetesClient } from './client.ts';
import type { ObjectName } from './resources.ts';
import { type Unread, unreadOf } from './unread.ts';

/** The metadata of every object that is listed and watched. */
export interface Versioned extends ObjectName {
  /** Differs after each change. */
  readonly resourceVersion: string;
}

const VERSION = /^[1-9]\d*$/;

/**
 * Whether version `a` is older than `b`, both of one kind. Versions are whole numbers (a guarantee since Kubernetes 1.35, and
 * so in every server on etcd before); of others none is older.
 */
export function isOlder(a: string, b: string): boolean {
  if (!VERSION.test(a) || !VERSION.test(b)) return false;
  return a.length === b.length ? a < b : a.length < b.length;
}

/** The metadata that every object has. */
export const metadataSchema = z.object({
  metadata: z.object({
    name: z.string().min(1),
    namespace: z.string().min(1),
    resourceVersion: z.string().min(1),
  }),
});

const listSchema = z.object({
  metadata: z.object({ resourceVersion: z.string().min(1), continue: z.string().nullish() }),
  /** Some versions of the server encode an empty list as null. */
  items: z.array(z.unknown()).nullable(),
});

/** A collection to list, and what becomes of its objects. */
export interface Listing<T> {
  readonly path: string;
  readonly labelSelector?: string | undefined;
  readonly project: (json: unknown) => T;
  /** Gets each object that `project` throws for, and is called before the list resolves. Without it such an object fails the list. */
  readonly unread?: ((object: Unread) => void) | undefined;
}

/**
 * Objects per page, as client-go has it; fewer when a page has more values than are parsed at once. Of objects as large as the
 * server accepts (1.5 MiB), three have fewer than that, however they are made.
 */
const PAGES = [500, 25, 3] as const;

/**
 * Lists all objects of a collection at one version, page by page. Rejects if any page cannot be read.
 *
 * Sets no `resourceVersion`, so that the list is as new as etcd. Version 0, which informers start with, may come from a cache
 * that lags behind, so that time would run backwards after a restart.
 */
export async function listAll<T>(
  client: KubernetesClient,
  listing: Listing<T>,
  signal: AbortSignal,
): Promise<{ readonly items: readonly T[]; readonly resourceVersion: string }> {
  const listed = await inPages(client, listing, PAGES, signal).catch((error: unknown) => {
    // The server dropped the version of the pages meanwhile: list everything in one response.
    if (error instanceof ApiFailure && error.expired) return pages(client, listing, undefined, signal);
    throw error;
  });
  for (const object of listed.unread) listing.unread?.(object);
  return listed;
}

/** Lists in pages of the first of these sizes with which every page is small enough. */
async function inPages<T>(
  client: KubernetesClient,
  listing: Listing<T>,
  [limit, ...smaller]: readonly number[],
  signal: AbortSignal,
): ReturnType<typeof pages<T>> {
  try {
    return await pages(client, listing, limit, signal);
  } catch (error) {
    const isOver = error instanceof ControllerError && error.cause instanceof OverBound;
    if (!isOver || smaller.length === 0) throw error;
    return await inPages(client, listing, smaller, signal);
  }
}

async function pages<T>(
  client: KubernetesClient,
  { path, labelSelector, project, unread: report }: Listing<T>,
  limit: number | undefined,
  signal: AbortSignal,
) {
  const items: T[] = [];
  const unread: Unread[] = [];
  const take = (item: unknown) => {
    try {
      items.push(project(item));
    } catch (error) {
      if (report === undefined) throw error;
      unread.push(unreadOf(item, error));
    }
  };
  const pace = new Pace();
  for (let next: string | undefined; ; ) {
    const json = await client.call('GET', path, { query: { labelSelector, limit, continue: next } }, signal);
    const { data: page, error } = checked(listSchema, json);
    if (error !== undefined) {
      const { at, value, reason } = rejectionOf('', json, error);
      throw new ControllerError('source', `GET ${client.server}${path}: ${at} is "${value}", ${reason}`);
    }
    for (const item of page.items ?? []) {
      take(item);
      await pace.restIfDue();
    }
    signal.throwIfAborted();
    const sent = next;
    next = page.metadata.continue || undefined;
    // A cache that ignores the query would give the first page for ever.
    if (next !== undefined && next === sent) {
      const message = `GET ${client.server}${path}: the page after "continue" is the same page again; is a caching proxy in between?`;
      throw new ControllerError('source', message);
    }
    if (next === undefined) return { items, unread, resourceVersion: page.metadata.resourceVersion };
  }
}
