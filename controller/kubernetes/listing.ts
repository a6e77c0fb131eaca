import { z } from 'zod';
import { ControllerError } from '../errors.ts';
import { Pace } from '../pace.ts';
import { rejectionOf } from '../rejection.ts';
import { checked } from '../schema-messages.ts';
import { ApiFailure } from './api-failure.ts';
import type { KubernetesClient } from './client.ts';
import type { ObjectName } from './resources.ts';

/** What every object has that is listed and watched. */
export interface Versioned extends ObjectName {
  /** Another one after each change; to be compared for equality only. */
  readonly resourceVersion: string;
}

export const metadataSchema = z.object({
  metadata: z.object({
    name: z.string().min(1),
    namespace: z.string().min(1),
    resourceVersion: z.string().min(1),
  }),
});

const listSchema = z.object({
  metadata: z.object({ resourceVersion: z.string().min(1), continue: z.string().nullish() }),
  /** The server's Go leaves an empty list as null in some versions. */
  items: z.array(z.unknown()).nullable(),
});

export interface Listing<T> {
  readonly path: string;
  readonly labelSelector?: string | undefined;
  readonly project: (json: unknown) => T;
}

/** Objects a page: what a server of any version answers at once without effort. */
const PAGE = 500;

/**
 * Reads all objects of a collection, page by page, as they were at one version. Rejects when any part of it cannot
 * be read, or is not of this kind.
 *
 * No `resourceVersion` is asked for, so that the list is as new as etcd: version 0, which informers begin with, may
 * come from a server's cache that lags behind, and after a restart time would run backwards.
 */
export async function listAll<T>(
  client: KubernetesClient,
  listing: Listing<T>,
  signal: AbortSignal,
): Promise<{ readonly items: readonly T[]; readonly resourceVersion: string }> {
  try {
    return await pages(client, listing, PAGE, signal);
  } catch (error) {
    // The version that the pages are of has been dropped meanwhile: too many objects, or too slow a line, for pages.
    if (error instanceof ApiFailure && error.expired) return await pages(client, listing, undefined, signal);
    throw error;
  }
}

async function pages<T>(
  client: KubernetesClient,
  { path, labelSelector, project }: Listing<T>,
  limit: number | undefined,
  signal: AbortSignal,
) {
  const items: T[] = [];
  const pace = new Pace();
  for (let next: string | undefined; ; ) {
    const json = await client.call('GET', path, { query: { labelSelector, limit, continue: next } }, signal);
    const { data: page, error } = checked(listSchema, json);
    if (error !== undefined) {
      const { at, value, reason } = rejectionOf('', json, error);
      throw new ControllerError('source', `GET ${client.server}${path}: ${at} is "${value}", ${reason}`);
    }
    for (const item of page.items ?? []) {
      items.push(project(item));
      await pace.restIfDue();
    }
    signal.throwIfAborted();
    next = page.metadata.continue || undefined;
    if (next === undefined) return { items, resourceVersion: page.metadata.resourceVersion };
  }
}
